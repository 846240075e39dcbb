use std::task::Waker;

use crate::world::World;

/// A process and the number of an endpoint.
pub(crate) type Subscription = (usize, usize);

impl World {
    pub(crate) fn is_lost(&self, subscription: Subscription) -> bool {
        self.with(|state| state.lost.contains(&subscription))
    }

    /// Loses a subscription, or brings it back.
    pub(crate) fn lose(&self, subscription: Subscription, lost: bool) {
        let waiting = self.with(|state| {
            let changed = if lost { state.lost.insert(subscription) } else { state.lost.remove(&subscription) };
            if !changed {
                return None;
            }
            state.journal.met.cuts += usize::from(lost);
            let (process, station) = subscription;
            let station = &self.scenario.stations[station].name;
            let what = if lost { "loses its subscription to" } else { "may come back to" };
            state.journal.note(format_args!("process {process} {what} {station}"));
            state.waiting.remove(&subscription)
        });
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    /// Wakes when a subscription is lost or comes back.
    pub(crate) fn wait(&self, subscription: Subscription, waker: &Waker) {
        let before = self.with(|state| state.waiting.insert(subscription, waker.clone()));
        drop(before);
    }
}
