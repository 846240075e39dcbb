//! The only place of the bus that reads time, sleeps or throws dice (clippy forbids time elsewhere), so that a
//! test can put another clock in: one that stands still until it is moved.

mod alarm;
mod manual;
mod watch;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

pub use alarm::Alarm;
use manual::{Manual, Waiters};
use watch::{Weight, watch};

/// The time of one bus and of the transport under it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use bus_core::clock::Clock;
/// use futures_util::FutureExt;
/// use std::time::Duration;
///
/// let clock = Clock::manual(42);
/// let noon = clock.after(Duration::from_secs(3600));
/// let mut lunch = std::pin::pin!(clock.sleep_until(noon));
/// assert!((&mut lunch).now_or_never().is_none());
/// clock.advance_to(noon);
/// lunch.await;
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Clock(Kind);

#[derive(Debug, Clone, Default)]
enum Kind {
    #[default]
    Real,
    Manual(Arc<Manual>),
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

    /// A clock that stands still, at 2026-01-01T00:00:00Z, until [`advance_to`](Self::advance_to) moves it. What
    /// is left to chance follows from the seed.
    #[must_use]
    pub fn manual(seed: u64) -> Self {
        Self(Kind::Manual(Arc::new(Manual::new(seed))))
    }

    /// Now, for measuring and for deadlines.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Kind::Real => Instant::now(),
            Kind::Manual(manual) => manual.now(),
        }
    }

    /// Now, for the dates that travel.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Kind::Real => SystemTime::now(),
            Kind::Manual(manual) => manual.wall(),
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
        match &self.0 {
            Kind::Real => tokio::time::sleep_until(at.into()).await,
            Kind::Manual(manual) => manual.sleep_until(at, false).await,
        }
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.after(duration)).await;
    }

    /// Waits until `at` in the middle of a delivery's work, which counts as [resting](Self::resting) meanwhile.
    pub(crate) async fn rest_until(&self, at: Instant) {
        match &self.0 {
            Kind::Real => tokio::time::sleep_until(at.into()).await,
            Kind::Manual(manual) => manual.sleep_until(at, true).await,
        }
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

    /// The same for an attempt at a delivery: as long as the work waits, nothing but the deadline is sure to come.
    ///
    /// # Errors
    /// [`Elapsed`] if the deadline came first.
    pub(crate) async fn limit<T>(&self, deadline: Instant, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        let weight = Weight { among: Waiters::Limited, waiting: 1, awake: 0 };
        self.weighed(weight, self.by(deadline, work)).await
    }

    /// Waits for what other deliveries have, such as a place: so many are as settled as those, meanwhile.
    pub(crate) async fn behind<T>(&self, deliveries: usize, wait: impl Future<Output = T>) -> T {
        let waiting = isize::try_from(deliveries).unwrap_or(isize::MAX);
        self.weighed(Weight { among: Waiters::Sure, waiting, awake: 0 }, wait).await
    }

    /// Does something beside a delivery's work that has to be done before the time goes on.
    pub(crate) async fn chore<T>(&self, work: impl Future<Output = T>) -> T {
        self.weighed(Weight { among: Waiters::Sure, waiting: 0, awake: -1 }, work).await
    }

    async fn weighed<T>(&self, weight: Weight, work: impl Future<Output = T>) -> T {
        match &self.0 {
            Kind::Real => work.await,
            Kind::Manual(manual) => watch(manual, weight, work).await,
        }
    }

    /// Calls `ring` at a time, unless the [`Alarm`] is dropped before. On a manual clock it rings inside
    /// [`advance_to`](Self::advance_to); on the real one in a task, so within a runtime.
    pub fn alarm(&self, at: Instant, ring: impl FnOnce() + Send + 'static) -> Alarm {
        match &self.0 {
            Kind::Real => Alarm::spawn(async move {
                tokio::time::sleep_until(at.into()).await;
                ring();
            }),
            Kind::Manual(manual) => manual.alarm(at, Box::new(ring)),
        }
    }

    /// A number from 0 to 1, good enough to spread retries.
    #[must_use]
    pub fn chance(&self) -> f64 {
        let bits = match &self.0 {
            // The random bits of a new id.
            Kind::Real => uuid::Uuid::new_v4().as_u128() as u32,
            Kind::Manual(manual) => (manual.random() >> 32) as u32,
        };
        f64::from(bits) / f64::from(u32::MAX)
    }

    /// When the next sleeper wakes or the next alarm rings; always nothing on the real clock.
    #[must_use]
    pub fn next_timer(&self) -> Option<Instant> {
        match &self.0 {
            Kind::Real => None,
            Kind::Manual(manual) => manual.next_timer(),
        }
    }

    /// Moves a manual clock forward, and wakes and rings on the way, in order. The tasks that it woke run
    /// afterwards: whoever wants them to see the times between goes from [`next_timer`](Self::next_timer) to
    /// the next. A time that has passed moves nothing. The real clock cannot be moved.
    pub fn advance_to(&self, at: Instant) {
        if let Kind::Manual(manual) = &self.0 {
            manual.advance_to(at);
        }
    }

    /// How many deliveries wait for a manual clock, or [behind](Self::behind) others; if not `patient`, with those
    /// that wait for something else under a [limit](Self::limit).
    #[cfg(feature = "testing")]
    pub(crate) fn resting(&self, patient: bool) -> usize {
        match &self.0 {
            Kind::Real => 0,
            Kind::Manual(manual) => manual.resting(!patient),
        }
    }

    /// Calls `notice` whenever somebody began to wait for a manual clock.
    #[cfg(feature = "testing")]
    pub(crate) fn watch_resting(&self, notice: impl Fn() + Send + Sync + 'static) {
        if let Kind::Manual(manual) = &self.0 {
            manual.watch_resting(Box::new(notice));
        }
    }

    /// Whether it can be moved.
    pub(crate) fn is_manual(&self) -> bool {
        matches!(self.0, Kind::Manual(_))
    }
}

#[cfg(test)]
mod tests;
