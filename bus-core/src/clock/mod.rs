//! The only place of the bus that reads time or sleeps (clippy forbids it elsewhere), so that a test can
//! put another clock in.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant, SystemTime},
};

/// The time of one bus and of the transport under it.
#[derive(Debug, Clone, Default)]
pub struct Clock(Kind);

#[derive(Debug, Clone, Default)]
enum Kind {
    #[default]
    Real,
}

/// A deadline passed before the work under it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline passed")]
pub struct Elapsed;

#[allow(clippy::disallowed_methods, reason = "this is the place")]
impl Clock {
    /// The time of the machine.
    #[must_use]
    pub fn real() -> Self {
        Self(Kind::Real)
    }

    /// Now, for measuring and for deadlines.
    #[must_use]
    pub fn now(&self) -> Instant {
        match self.0 {
            Kind::Real => Instant::now(),
        }
    }

    /// Now, for the dates that travel.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        match self.0 {
            Kind::Real => SystemTime::now(),
        }
    }

    /// The time in `duration` from now. `Duration::MAX`, which people write for "for ever", is in thirty years.
    #[must_use]
    pub fn after(&self, duration: Duration) -> Instant {
        const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
        self.now() + duration.min(FAR)
    }

    /// Waits until `at`.
    pub async fn sleep_until(&self, at: Instant) {
        match self.0 {
            Kind::Real => tokio::time::sleep_until(at.into()).await,
        }
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.after(duration)).await;
    }

    /// Runs `work` until `deadline`; then drops it.
    ///
    /// # Errors
    /// [`Elapsed`] if the deadline came first.
    pub async fn by<T>(&self, deadline: Instant, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        let mut work = std::pin::pin!(work);
        let mut late = std::pin::pin!(self.sleep_until(deadline));
        std::future::poll_fn(|cx| {
            // The work first: what is ready at its deadline counts as done.
            if let std::task::Poll::Ready(done) = work.as_mut().poll(cx) {
                return std::task::Poll::Ready(Ok(done));
            }
            Pin::as_mut(&mut late).poll(cx).map(|()| Err(Elapsed))
        })
        .await
    }
}
