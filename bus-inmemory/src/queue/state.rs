use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use bus_core::clock::Clock;
use slab::Slab;

use super::{
    after::After,
    chance::Chance,
    consumer::{Consumer, Key, Taken},
    expiry::Expiry,
    leases::Leases,
    message::{Entry, Message},
    waiting::Waiting,
};
use crate::{endpoint::EndpointOptions, in_flight::InFlight};

/// What the queue's lock guards.
///
/// After each of these steps no consumer with room may have any of what waits.
#[derive(Debug)]
pub(super) struct State {
    pub(super) waiting: Waiting,
    pub(super) consumers: Slab<Consumer>,
    /// The consumers with room, next in turn first. One that lost its room meanwhile is passed over.
    pub(super) line: VecDeque<usize>,
    arrived: u64,
    /// How long a message lives here at most.
    time_to_live: Option<Duration>,
    pub(super) expiry: Option<Box<Expiry>>,
    /// What goes before what, on a broker without an order of its own.
    pub(super) chance: Option<Chance>,
}

impl State {
    pub(super) fn new(options: &EndpointOptions, expiry: Option<Expiry>, chance: Option<Chance>) -> Self {
        Self {
            waiting: Waiting::new(options.lanes),
            consumers: Slab::new(),
            line: VecDeque::new(),
            arrived: 0,
            time_to_live: options.time_to_live,
            expiry: expiry.map(Box::new),
            chance,
        }
    }

    pub(super) fn push(&mut self, message: Arc<Message>, clock: &Clock, after: &mut After) {
        self.arrived += 1;
        let entry = Entry::new(self.arrived, message, self.time_to_live, clock);
        if let Some(expiry) = &mut self.expiry {
            expiry.expect(&entry, clock);
        }
        self.arrive(entry, clock, after);
    }

    pub(super) fn attach(
        &mut self,
        prefetch: u16,
        in_flight: Arc<InFlight>,
        leases: impl FnOnce(Key) -> Option<Leases>,
        clock: &Clock,
        after: &mut After,
    ) -> Key {
        static ID: AtomicU64 = AtomicU64::new(1);
        let key = Key { slot: self.consumers.vacant_key(), id: ID.fetch_add(1, Ordering::Relaxed) };
        self.consumers.insert(Consumer::new(key.id, prefetch, in_flight, leases(key)));
        self.line_up(key.slot);
        self.deal(clock, after);
        key
    }

    /// Hands out up to `max` messages, or notes whom to wake; nothing if the consumer is gone.
    pub(super) fn take(
        &mut self,
        key: Key,
        max: usize,
        waker: &Waker,
        clock: &Clock,
        taken: &mut Vec<Taken>,
        after: &mut After,
    ) -> Poll<Option<()>> {
        loop {
            let Some(consumer) = Self::named(&mut self.consumers, key) else { return Poll::Ready(None) };
            let (mut expired, lanes) = (0, self.waiting.has_lanes());
            while taken.len() < max
                && let Some(mut entry) = consumer.pop(self.chance.as_mut(), lanes)
            {
                if entry.expired(clock) {
                    expired += 1;
                    consumer.leave(&mut entry);
                    self.waiting.left(&entry);
                    after.drop_expired(entry, clock);
                } else {
                    taken.push(consumer.hold(entry));
                }
            }
            if !taken.is_empty() {
                consumer.in_flight.remove(taken.len());
            } else if expired == 0 {
                match &consumer.waker {
                    Some(known) if known.will_wake(waker) => {}
                    _ => {
                        if let Some(stale) = consumer.waker.replace(waker.clone()) {
                            after.drop_waker(stale);
                        }
                    }
                }
                return Poll::Pending;
            }
            if expired > 0 {
                // Their room goes to the next in the backlog, which may be for this very consumer.
                self.line_up(key.slot);
                self.deal(clock, after);
                self.consumers[key.slot].in_flight.remove(expired);
            }
            if !taken.is_empty() {
                return Poll::Ready(Some(()));
            }
        }
    }

    /// Ends a delivery; nothing if it is no longer the consumer's. The caller drops the message without the lock.
    pub(super) fn complete(&mut self, key: Key, number: u64, clock: &Clock, after: &mut After) -> Option<Arc<Message>> {
        let entry = self.consumer(key)?.unhold(number)?;
        self.waiting.left(&entry);
        if let Some(expiry) = &mut self.expiry {
            expiry.forget(&entry);
        }
        self.freed(key.slot, clock, after);
        Some(entry.message)
    }

    /// Renews a delivery's lease; nothing if it is no longer the consumer's.
    pub(super) fn renew(&mut self, key: Key, number: u64) -> Option<Instant> {
        self.consumer(key)?.renew(number)
    }

    /// Forgets a consumer that has nothing.
    pub(super) fn remove(&mut self, slot: usize) {
        // Another consumer may get the slot, and must not stand in the line twice.
        self.line.retain(|other| *other != slot);
        self.consumers.remove(slot);
    }

    pub(super) fn consumer(&mut self, key: Key) -> Option<&mut Consumer> {
        Self::named(&mut self.consumers, key)
    }

    fn named(consumers: &mut Slab<Consumer>, key: Key) -> Option<&mut Consumer> {
        consumers.get_mut(key.slot).filter(|consumer| consumer.id == key.id)
    }
}
