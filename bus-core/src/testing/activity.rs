use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::clock::Clock;

/// Counts what is under way on a bus: messages handed over and not answered, deliveries handed out and not
/// settled.
#[derive(Debug, Default)]
pub(super) struct Activity {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct State {
    busy: usize,
    /// Another number after each change, so that a look at several things can tell that none changed meanwhile.
    epoch: u64,
    begun: u64,
}

/// Something that is under way until it is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Activity {
    pub(super) fn of(clock: &Clock) -> Arc<Self> {
        let activity = Arc::<Self>::default();
        let told = Arc::downgrade(&activity);
        clock.watch_resting(move || {
            if let Some(activity) = told.upgrade() {
                activity.changed.notify_waiters();
            }
        });
        activity
    }

    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.change(|state| {
            state.busy += 1;
            state.begun += 1;
        });
        Busy(self.clone())
    }

    /// The same for a look at whether there is something to do.
    pub(super) fn look(self: &Arc<Self>) -> Busy {
        self.change(|state| state.busy += 1);
        Busy(self.clone())
    }

    /// How many things were begun so far.
    pub(super) fn begun(&self) -> u64 {
        self.state().begun
    }

    /// Waits until nothing is under way but what waits for the clock, and nothing on its way to a receiver.
    pub(super) async fn quiet(&self, clock: &Clock, patient: bool, in_flight: impl Fn() -> usize) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.is_quiet(clock, patient, &in_flight) {
                return;
            }
            changed.await;
        }
    }

    fn is_quiet(&self, clock: &Clock, patient: bool, in_flight: &impl Fn() -> usize) -> bool {
        let look = || (self.state(), clock.resting(patient));
        let before = look();
        let (State { busy, .. }, resting) = before;
        busy <= resting && in_flight() == 0 && look() == before
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, step: impl FnOnce(&mut State)) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            step(&mut state);
            state.epoch += 1;
        }
        self.changed.notify_waiters();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(|state| state.busy -= 1);
    }
}
