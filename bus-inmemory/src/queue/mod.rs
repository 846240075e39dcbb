//! One queue: a backlog, and consumers that get it pushed by turns.

mod after;
mod backlog;
mod consumer;
mod message;
mod state;

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

use after::After;
use bus_core::clock::Clock;
use consumer::Intake;
pub(crate) use consumer::{Key, Taken};
pub(crate) use message::Message;
use state::State;

/// A queue of the broker.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

impl Queue {
    /// Takes a message in.
    pub(crate) fn push(&self, message: Arc<Message>, clock: &Clock) {
        self.locked(|state, after| state.push(message, clock, after));
    }

    /// Adds a consumer that may have `prefetch` unsettled messages.
    pub(crate) fn attach(&self, prefetch: u16, clock: &Clock) -> Key {
        self.locked(|state, after| state.attach(prefetch, clock, after))
    }

    /// Hands out up to `max` messages of those pushed to the consumer, or wakes `waker` when there are
    /// some; `None` if the consumer is no more.
    pub(crate) fn take(
        &self,
        key: Key,
        max: usize,
        waker: &Waker,
        clock: &Clock,
        taken: &mut Vec<Taken>,
    ) -> Poll<Option<()>> {
        self.locked(|state, after| state.take(key, max, waker, clock, taken, after))
    }

    /// Ends a delivery; `None` if it was no longer the consumer's.
    pub(crate) fn complete(&self, key: Key, number: u64, clock: &Clock) -> Option<()> {
        let entry = self.locked(|state, after| state.complete(key, number, clock, after));
        entry.map(drop)
    }

    /// Puts a delivery back to where it was; `None` if it was no longer the consumer's.
    pub(crate) fn release(&self, key: Key, number: u64, clock: &Clock) -> Option<()> {
        self.locked(|state, after| state.release(key, number, clock, after))
    }

    /// Pushes nothing more to the consumer; what it did not hand out goes back.
    pub(crate) fn pause(&self, key: Key, clock: &Clock) {
        self.locked(|state, after| state.shut(key, Intake::Paused, clock, after));
    }

    /// Like [`pause`](Self::pause), for good. The consumer is forgotten when all it handed out is settled.
    pub(crate) fn close(&self, key: Key, clock: &Clock) {
        self.locked(|state, after| state.shut(key, Intake::Closed, clock, after));
    }

    /// Forgets the consumer; all it has goes back, and can no longer be settled by it.
    pub(crate) fn end(&self, key: Key, clock: &Clock) {
        self.locked(|state, after| state.end(key, clock, after));
    }

    /// Looks at the first messages that no consumer has.
    pub(crate) fn browse(&self, max: usize, clock: &Clock) -> Vec<Arc<Message>> {
        self.locked(|state, _| {
            let messages = state.backlog.iter().map(|entry| &entry.message);
            messages.filter(|message| !message.expired(clock)).take(max).cloned().collect()
        })
    }

    /// How many consumers it knows.
    #[cfg(test)]
    pub(crate) fn consumers(&self) -> usize {
        self.locked(|state, _| state.consumers())
    }

    fn locked<T>(&self, step: impl FnOnce(&mut State, &mut After) -> T) -> T {
        let mut after = After::default();
        // Nothing in a step can panic half-way, short of a bug; the queue goes on then.
        let result = step(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), &mut after);
        after.run();
        result
    }
}
