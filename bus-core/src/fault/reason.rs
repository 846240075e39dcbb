use std::any::Any;

use super::ExceptionInfo;
use crate::consumer::Failure;

/// Why an attempt failed, as plain data: nothing of the user's is run, or dropped, by looking at it. Boxed,
/// since it is large and rare.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    /// What the error says, and what is behind it.
    pub(crate) text: String,
    pub(crate) error_type: &'static str,
    pub(crate) exception: ExceptionInfo,
    /// Whether the retry policy is asked.
    pub(crate) retry: bool,
    /// The broker's state is behind it; the handler did nothing wrong.
    pub(crate) infrastructure: bool,
}

impl Reason {
    /// Asks the failure for everything it can tell, and drops it. May panic where the user's error does.
    #[allow(clippy::needless_pass_by_value, reason = "it is dropped here, where a panic of its own is caught")]
    pub(crate) fn of(failure: Failure) -> Box<Self> {
        Box::new(Self {
            text: failure.chain(),
            error_type: failure.error_type(),
            exception: ExceptionInfo::of(&failure),
            retry: failure.is_retryable(),
            infrastructure: failure.is_infrastructure(),
        })
    }

    /// A panic, as a failure like any other.
    pub(crate) fn panicked(payload: Box<dyn Any + Send>) -> Box<Self> {
        let said = payload
            .downcast_ref::<&'static str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a text".to_owned());
        // A payload may be any value of the user's, and its destructor may panic as well.
        if let Err(again) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        let text = format!("the consumer panicked: {said}");
        let exception = ExceptionInfo::said("panic", text.clone());
        Box::new(Self { text, error_type: "panic", exception, retry: true, infrastructure: false })
    }
}
