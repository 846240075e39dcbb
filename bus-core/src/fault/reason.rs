use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::ExceptionInfo;
use crate::consumer::{Failure, Verdict};

/// Why an attempt failed, as plain data: nothing of the user's is run, or dropped, by looking at it. Boxed,
/// since it is large and rare.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    /// What the error says, and what is behind it.
    pub(crate) text: String,
    pub(crate) error_type: &'static str,
    pub(crate) exception: ExceptionInfo,
    /// What is to happen next.
    pub(crate) verdict: Verdict,
    /// The broker's state is behind it; the handler did nothing wrong.
    pub(crate) infrastructure: bool,
}

impl Reason {
    /// Asks the failure for everything it can tell, and drops it. May panic where the user's error does. What
    /// judges it may panic too, which takes nothing away from the failure and leaves it to be retried.
    #[allow(clippy::needless_pass_by_value, reason = "it is dropped here, where a panic of its own is caught")]
    pub(crate) fn of(failure: Failure, judge: impl FnOnce(&Failure) -> Verdict) -> Box<Self> {
        let mut text = failure.chain();
        let judged = catch_unwind(AssertUnwindSafe(|| judge(&failure)));
        let verdict = judged.unwrap_or_else(|panic| {
            text = format!("{text} (a classifier or a filter panicked over it: {})", panic_text(panic));
            Verdict::Retry
        });
        Box::new(Self {
            text,
            error_type: failure.error_type(),
            exception: ExceptionInfo::of(&failure),
            verdict,
            infrastructure: failure.is_infrastructure(),
        })
    }

    /// What the bus itself has against a message; not to be tried again.
    pub(crate) fn said(error_type: &'static str, text: String) -> Box<Self> {
        let exception = ExceptionInfo::said(error_type, text.clone());
        Box::new(Self { text, error_type, exception, verdict: Verdict::Permanent, infrastructure: false })
    }

    /// A panic, as a failure like any other.
    pub(crate) fn panicked(payload: Box<dyn Any + Send>, verdict: Verdict) -> Box<Self> {
        let text = format!("the consumer panicked: {}", panic_text(payload));
        let exception = ExceptionInfo::said("panic", text.clone());
        Box::new(Self { text, error_type: "panic", exception, verdict, infrastructure: false })
    }
}

/// What a panic says; drops its payload.
pub(crate) fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let said = payload
        .downcast_ref::<&'static str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned());
    // A payload may be any value of the user's, and its destructor may panic as well.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    said
}
