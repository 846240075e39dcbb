use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    time::Duration,
};

use futures_util::future::Fuse;

use crate::{
    clock::Clock,
    consumer::{Failure, Verdict},
    fault::Reason,
};

/// An attempt took longer than `.timeout(..)` allows, and was dropped. It is a failure like any other: the retry
/// policy is asked. Without `.timeout(..)` there is no limit.
///
/// ```
/// use bus_core::{Retry, TimedOut};
///
/// let impatient = Retry::immediate(3).unless::<TimedOut>(); // who was too slow once is not tried again
/// assert_eq!(impatient.limit(), 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the consumer did not finish within its timeout of {after:?}, and was dropped")]
#[non_exhaustive]
pub struct TimedOut {
    /// How long it was given.
    pub after: Duration,
}

/// How long a consumer and its filters may take, per attempt. The default is for ever.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timeout(pub(crate) Option<Duration>);

impl Timeout {
    /// Runs the work, which is pinned by the caller so that it takes its room once.
    pub(crate) async fn run(
        self,
        clock: &Clock,
        mut work: Pin<&mut Fuse<impl Future<Output = Result<(), Failure>>>>,
    ) -> Result<(), Failure> {
        let Some(after) = self.0 else { return work.await };
        if let Ok(done) = clock.limit(clock.after(after), work.as_mut()).await {
            return done;
        }
        // Its destructors are the user's. One that panics does not make it less late.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work.set(Fuse::terminated()))) {
            tracing::warn!(
                error = Reason::panicked(panic, Verdict::Retry).text,
                "a consumer that was dropped at its timeout panicked"
            );
        }
        Err(TimedOut { after }.into())
    }
}
