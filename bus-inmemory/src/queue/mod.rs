//! One queue: a backlog, and consumers that get it pushed by turns.

mod after;
mod backlog;
mod chance;
mod consumer;
mod dealing;
mod message;
mod state;

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

pub(crate) use after::After;
use bus_core::clock::Clock;
use chance::Chance;
use consumer::Intake;
pub(crate) use consumer::{Key, Taken};
pub(crate) use message::Message;
use state::State;

use crate::in_flight::InFlight;

/// A queue of the broker.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

impl Queue {
    /// An empty queue; with a seed, one without an order of its own.
    pub(crate) fn new(name: &str, seed: Option<u64>) -> Self {
        let chance = seed.map(|seed| Chance::new(seed, name));
        Self { state: Mutex::new(State::new(chance)) }
    }

    /// Takes a message in.
    pub(crate) fn push(&self, message: Arc<Message>, clock: &Clock) {
        self.locked(|state, after| state.push(message, clock, after));
    }

    /// The same, and leaves to the caller what may run anybody's code.
    pub(crate) fn push_quietly(&self, message: Arc<Message>, clock: &Clock) -> After {
        self.quietly(|state, after| state.push(message, clock, after)).1
    }

    /// Adds a consumer that may have `prefetch` unsettled messages.
    pub(crate) fn attach(&self, prefetch: u16, in_flight: Arc<InFlight>, clock: &Clock) -> Key {
        self.locked(|state, after| state.attach(prefetch, in_flight, clock, after))
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
            let entries = state.backlog.iter().filter(|entry| !entry.expired(clock));
            entries.take(max).map(|entry| entry.message.clone()).collect()
        })
    }

    /// How many consumers it knows.
    #[cfg(test)]
    pub(crate) fn consumers(&self) -> usize {
        self.locked(|state, _| state.consumers.len())
    }

    fn locked<T>(&self, step: impl FnOnce(&mut State, &mut After) -> T) -> T {
        let (result, after) = self.quietly(step);
        after.run();
        result
    }

    fn quietly<T>(&self, step: impl FnOnce(&mut State, &mut After) -> T) -> (T, After) {
        let mut after = After::default();
        // Nothing in a step can panic half-way, short of a bug; the queue goes on then.
        let result = step(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), &mut after);
        (result, after)
    }
}
