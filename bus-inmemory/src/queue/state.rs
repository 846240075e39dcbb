use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
};

use bus_core::clock::Clock;
use slab::Slab;

use super::{
    after::After,
    backlog::Backlog,
    chance::Chance,
    consumer::{Consumer, Intake, Key, Taken},
    message::{Entry, Message},
};
use crate::in_flight::InFlight;

/// What the queue's lock guards.
///
/// After each of these steps the backlog is empty or no consumer has room.
#[derive(Debug)]
pub(super) struct State {
    pub(super) backlog: Backlog,
    pub(super) consumers: Slab<Consumer>,
    /// The consumers with room, next in turn first. One that lost its room meanwhile is passed over.
    pub(super) line: VecDeque<usize>,
    arrived: u64,
    /// What goes before what, on a broker without an order of its own.
    pub(super) chance: Option<Chance>,
}

impl State {
    pub(super) fn new(chance: Option<Chance>) -> Self {
        Self { backlog: Backlog::default(), consumers: Slab::new(), line: VecDeque::new(), arrived: 0, chance }
    }

    pub(super) fn push(&mut self, message: Arc<Message>, clock: &Clock, after: &mut After) {
        self.arrived += 1;
        self.backlog.push(Entry::new(self.arrived, message, clock), clock, after);
        self.deal(clock, after);
    }

    pub(super) fn attach(&mut self, prefetch: u16, in_flight: Arc<InFlight>, clock: &Clock, after: &mut After) -> Key {
        static ID: AtomicU64 = AtomicU64::new(1);
        let id = ID.fetch_add(1, Ordering::Relaxed);
        let slot = self.consumers.insert(Consumer::new(id, prefetch, in_flight));
        self.line_up(slot);
        self.deal(clock, after);
        Key { slot, id }
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
            let mut expired = 0;
            while taken.len() < max
                && let Some(entry) = consumer.pop(self.chance.as_mut())
            {
                if entry.expired(clock) {
                    expired += 1;
                    after.drop_expired(entry);
                } else {
                    taken.push(consumer.hold(entry));
                }
            }
            if !taken.is_empty() {
                consumer.in_flight.remove(taken.len());
            } else if expired == 0 {
                match &consumer.waker {
                    Some(known) if known.will_wake(waker) => {}
                    _ => after.drop_waker(consumer.waker.replace(waker.clone())),
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

    /// Ends a delivery; nothing if it is no longer the consumer's. The caller drops it without the lock.
    pub(super) fn complete(&mut self, key: Key, number: u64, clock: &Clock, after: &mut After) -> Option<Entry> {
        let entry = self.consumer(key)?.unhold(number)?;
        self.freed(key.slot, clock, after);
        Some(entry)
    }

    /// Puts a delivery back; nothing if it is no longer the consumer's.
    pub(super) fn release(&mut self, key: Key, number: u64, clock: &Clock, after: &mut After) -> Option<()> {
        let entry = self.consumer(key)?.unhold(number)?;
        self.backlog.put_back_one(entry);
        self.freed(key.slot, clock, after);
        Some(())
    }

    /// No more for this consumer; what it did not hand out goes back.
    pub(super) fn shut(&mut self, key: Key, intake: Intake, clock: &Clock, after: &mut After) {
        let Some(consumer) = self.consumer(key) else { return };
        consumer.intake = intake;
        let ready = std::mem::take(&mut consumer.ready);
        let (in_flight, returned) = (consumer.in_flight.clone(), ready.len());
        let over = consumer.is_over();
        if over {
            self.remove(key.slot);
        }
        self.backlog.put_back(ready.into());
        self.deal(clock, after);
        in_flight.remove(returned);
    }

    /// The consumer is gone, and with it the right to settle: everything it had goes back.
    pub(super) fn end(&mut self, key: Key, clock: &Clock, after: &mut After) {
        if self.consumer(key).is_none() {
            return;
        }
        let mut consumer = self.remove(key.slot);
        if let Some(waker) = consumer.waker.take() {
            after.wake(waker);
        }
        let returned = consumer.ready.len();
        self.backlog.put_back(consumer.held.drain().chain(consumer.ready).collect());
        self.deal(clock, after);
        consumer.in_flight.remove(returned);
    }

    pub(super) fn remove(&mut self, slot: usize) -> Consumer {
        // Another consumer may get the slot, and must not stand in the line twice.
        self.line.retain(|other| *other != slot);
        self.consumers.remove(slot)
    }

    fn consumer(&mut self, key: Key) -> Option<&mut Consumer> {
        Self::named(&mut self.consumers, key)
    }

    fn named(consumers: &mut Slab<Consumer>, key: Key) -> Option<&mut Consumer> {
        consumers.get_mut(key.slot).filter(|consumer| consumer.id == key.id)
    }
}
