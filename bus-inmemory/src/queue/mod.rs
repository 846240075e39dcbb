//! One queue: a backlog, and consumers that get it pushed by turns.

mod after;
mod backlog;
mod bell;
mod chance;
mod consumer;
mod dead_letters;
mod dealing;
mod expiry;
mod full;
mod lanes;
mod leases;
mod message;
mod returning;
mod state;
mod waiting;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Poll, Waker},
    time::Instant,
};

pub(crate) use after::After;
use bell::Bell;
use bus_core::clock::Clock;
use chance::Chance;
use consumer::Intake;
pub(crate) use consumer::{Key, Taken};
use dead_letters::DeadLetters;
use expiry::Expiry;
pub(crate) use full::push_unless_full;
use leases::Leases;
pub(crate) use message::Message;
use state::State;

use crate::{alarms::Alarms, broker::Broker, endpoint::EndpointOptions, in_flight::InFlight};

/// A queue of the broker.
#[derive(Debug)]
pub(crate) struct Queue {
    this: Weak<Self>,
    name: Arc<str>,
    options: EndpointOptions,
    alarms: Arc<Alarms>,
    dead_letters: Option<Arc<DeadLetters>>,
    state: Mutex<State>,
}

/// What the queues have of their broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Home {
    /// With one, queues have no order of their own.
    pub(crate) seed: Option<u64>,
    pub(crate) alarms: Arc<Alarms>,
    pub(crate) broker: Weak<Broker>,
}

impl Queue {
    /// An empty queue.
    pub(crate) fn new(name: Arc<str>, options: EndpointOptions, home: &Home) -> Arc<Self> {
        let (alarms, chance) = (home.alarms.clone(), home.seed.map(|seed| Chance::new(seed, &name)));
        let dead_letters = options.dead_letter.clone().map(|to| {
            let (from, broker) = (name.clone(), home.broker.clone());
            Arc::new(DeadLetters { from, to, broker })
        });
        Arc::new_cyclic(|this| {
            let expiry = dead_letters.is_some().then(|| Expiry::new(Bell::new(this, &alarms, State::expire)));
            let state = Mutex::new(State::new(&options, expiry, chance));
            Self { this: this.clone(), name, options, alarms, dead_letters, state }
        })
    }

    /// How it was declared.
    pub(crate) fn options(&self) -> &EndpointOptions {
        &self.options
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
        let leases = |key| {
            let length = self.options.lease?;
            let lapse = move |state: &mut State, rung, clock: &Clock, after: &mut After| {
                state.lapse(key, rung, clock, after);
            };
            Some(Leases::new(length, clock.clone(), Bell::new(&self.this, &self.alarms, lapse)))
        };
        self.locked(|state, after| state.attach(prefetch, in_flight, leases, clock, after))
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
        let message = self.locked(|state, after| state.complete(key, number, clock, after));
        message.map(drop)
    }

    /// Puts a delivery back to where it was; `None` if it was no longer the consumer's.
    pub(crate) fn release(&self, key: Key, number: u64, clock: &Clock) -> Option<()> {
        self.locked(|state, after| state.release(key, number, clock, after))
    }

    /// Renews a delivery's lease; `None` if it has none, or was no longer the consumer's.
    pub(crate) fn renew(&self, key: Key, number: u64) -> Option<Instant> {
        self.locked(|state, _| state.renew(key, number))
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
            let entries = state.waiting.in_order().filter(|entry| !entry.expired(clock));
            entries.take(max).map(|entry| entry.message.clone()).collect()
        })
    }

    /// Sets its alarms again, elsewhere.
    pub(crate) fn move_alarms(&self) {
        self.locked(|state, _| {
            let consumers = state.consumers.iter_mut();
            consumers.filter_map(|(_, consumer)| consumer.leases.as_mut()).for_each(|leases| leases.move_alarm());
            if let Some(expiry) = &mut state.expiry {
                expiry.move_alarm();
            }
        });
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
        let result = step(&mut self.lock(), &mut after);
        self.address(&mut after);
        (result, after)
    }

    /// Says what becomes of what expired in a step.
    fn address(&self, after: &mut After) {
        if let Some(dead_letters) = &self.dead_letters {
            after.address(dead_letters);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
