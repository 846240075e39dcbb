use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::clock::Clock;

/// The endpoint stopped before the work was done; the delivery goes back to its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Ends what the deliveries of an endpoint wait for: when it is told to, and when it is dropped.
#[derive(Debug)]
pub(super) struct Halt(Arc<Signal>);

/// Tells a delivery's work that its endpoint stops.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(Arc<Signal>);

/// Those who wait hear of it in the order in which they began to, so that a run can be repeated.
#[derive(Debug, Default)]
struct Signal {
    stopping: AtomicBool,
    waiting: Notify,
    /// How many deliveries rest, and keep their places meanwhile.
    resting: AtomicU32,
    /// To the pump: it became more.
    rested: Notify,
}

impl Halt {
    pub(super) fn new() -> (Self, Stopping) {
        let signal = Arc::<Signal>::default();
        (Self(signal.clone()), Stopping(signal))
    }

    pub(super) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        self.0.waiting.notify_waiters();
    }
}

impl Drop for Halt {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Stopping {
    /// Waits for the stop.
    pub(crate) async fn signalled(&self) {
        let mut stop = pin!(self.0.waiting.notified());
        // From here on no stop is missed.
        stop.as_mut().enable();
        if !self.is_signalled() {
            stop.await;
        }
    }

    /// Whether the endpoint stops.
    pub(crate) fn is_signalled(&self) -> bool {
        self.0.stopping.load(Ordering::Acquire)
    }

    /// Rests, unless the endpoint stops: whether it does.
    pub(crate) async fn or_rest(&self, clock: &Clock, pause: Duration) -> bool {
        let until = clock.after(pause);
        let _resting = Resting::new(&self.0);
        tokio::select! {
            biased;
            () = self.signalled() => true,
            () = clock.rest_until(until) => false,
        }
    }

    /// How many deliveries rest: held because of the broker, or in a pause before a retry.
    pub(super) fn resting(&self) -> u32 {
        self.0.resting.load(Ordering::Acquire)
    }

    /// Waits until one more rests. For one task only.
    pub(super) async fn rested(&self) {
        self.0.rested.notified().await;
    }
}

struct Resting<'a>(&'a Signal);

impl<'a> Resting<'a> {
    fn new(signal: &'a Signal) -> Self {
        signal.resting.fetch_add(1, Ordering::AcqRel);
        signal.rested.notify_one();
        Self(signal)
    }
}

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.0.resting.fetch_sub(1, Ordering::AcqRel);
    }
}
