use std::{collections::VecDeque, sync::Arc, task::Waker, time::Instant};

use slab::Slab;

use super::{
    chance::Chance,
    leases::Leases,
    message::{Entry, Message},
};
use crate::in_flight::InFlight;

/// Names a consumer to its queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// Where the queue keeps it.
    pub(crate) slot: usize,
    /// Another one for each consumer of the process: the slot may have passed to somebody else.
    pub(crate) id: u64,
}

/// A message that a receiver hands out.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Names it to its consumer.
    pub(crate) number: u64,
    /// How often it was handed out, this time included.
    pub(crate) deliveries: u32,
    /// Until when it is the consumer's, if that ends.
    pub(crate) lease: Option<Instant>,
    pub(crate) message: Arc<Message>,
}

/// What a queue knows of one consumer.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) id: u64,
    prefetch: usize,
    /// Whether it wants more.
    pub(super) intake: Intake,
    /// It stands in the queue's line of consumers with room.
    pub(super) in_line: bool,
    /// Pushed to it, and not handed out yet.
    ready: VecDeque<Entry>,
    /// Counts what is `ready`.
    pub(super) in_flight: Arc<InFlight>,
    /// Handed out, and not settled yet.
    held: Slab<Entry>,
    /// How many messages were handed out.
    handed_out: u32,
    pub(super) leases: Option<Box<Leases>>,
    /// Who waits for a message.
    pub(super) waker: Option<Waker>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Intake {
    Open,
    Paused,
    /// Its receiver is closed; it is there for what is still held.
    Closed,
}

/// A number has so many bits for the place among what is held, and the others tell those of one place apart.
const PLACE: u32 = 32;

impl Consumer {
    pub(super) fn new(id: u64, prefetch: u16, in_flight: Arc<InFlight>, leases: Option<Leases>) -> Self {
        Self {
            id,
            prefetch: usize::from(prefetch.max(1)),
            intake: Intake::Open,
            in_line: false,
            ready: VecDeque::new(),
            in_flight,
            held: Slab::new(),
            handed_out: 0,
            leases: leases.map(Box::new),
            waker: None,
        }
    }

    /// Whether it can take one more. What waits in the receiver's buffer counts, as on RabbitMQ.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.intake == Intake::Open && self.ready.len() + self.held.len() < self.prefetch
    }

    /// Nothing can come from it or go to it any more.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.intake == Intake::Closed && self.held.is_empty()
    }

    /// Puts a message into its buffer.
    #[inline]
    pub(super) fn push(&mut self, mut entry: Entry) {
        if let Some(leases) = &mut self.leases {
            leases.begin(&mut entry);
        }
        self.in_flight.add(1);
        self.ready.push_back(entry);
    }

    /// The next message out of its buffer; by chance, any, or the first of its lane. It still counts as in flight.
    #[inline]
    pub(super) fn pop(&mut self, chance: Option<&mut Chance>, lanes: bool) -> Option<Entry> {
        let Some(chance) = chance.filter(|_| !self.ready.is_empty()) else { return self.ready.pop_front() };
        let mut at = chance.below(self.ready.len());
        let lane = self.ready[at].message.lane.as_ref().filter(|_| lanes);
        if lane.is_some() {
            at = self.ready.iter().position(|entry| entry.message.lane.as_ref() == lane).unwrap_or(at);
        }
        self.ready.remove(at)
    }

    /// Hands a message out.
    #[inline]
    pub(super) fn hold(&mut self, mut entry: Entry) -> Taken {
        entry.deliveries = entry.deliveries.saturating_add(1);
        self.handed_out = self.handed_out.wrapping_add(1);
        entry.tag = self.handed_out;
        let Entry { deliveries, tag, lease, .. } = entry;
        let message = entry.message.clone();
        let number = u64::from(tag) << PLACE | self.held.insert(entry) as u64;
        Taken { number, deliveries, lease, message }
    }

    /// Takes back a message that was handed out.
    #[inline]
    pub(super) fn unhold(&mut self, number: u64) -> Option<Entry> {
        let place = self.place(number)?;
        let mut entry = self.held.try_remove(place)?;
        self.leave(&mut entry);
        Some(entry)
    }

    /// Where it is, if it is the same that was handed out under this number: a lease may be over, and the place
    /// another's.
    #[inline]
    fn place(&self, number: u64) -> Option<usize> {
        let (place, tag) = ((number & ((1 << PLACE) - 1)) as usize, (number >> PLACE) as u32);
        self.held.get(place).filter(|entry| entry.tag == tag).map(|_| place)
    }

    /// A message that was in its buffer, or handed out, is not its own any more.
    #[inline]
    pub(super) fn leave(&mut self, entry: &mut Entry) {
        if let Some(leases) = &mut self.leases {
            leases.end(entry);
        }
    }

    /// Begins the lease of a message that was handed out anew; nothing if it has none.
    pub(super) fn renew(&mut self, number: u64) -> Option<Instant> {
        let place = self.place(number)?;
        let entry = self.held.get_mut(place)?;
        Some(self.leases.as_mut()?.begin(entry))
    }

    /// Takes these out of its buffer.
    pub(super) fn drain(&mut self, wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let (mut drained, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.ready).into_iter().partition(wanted);
        self.ready = kept.into();
        drained.iter_mut().for_each(|entry| self.leave(entry));
        drained
    }

    /// Takes these back that were handed out.
    pub(super) fn unhold_all(&mut self, wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let places: Vec<_> = self.held.iter().filter(|(_, entry)| wanted(entry)).map(|(place, _)| place).collect();
        let mut entries: Vec<_> = places.into_iter().map(|place| self.held.remove(place)).collect();
        entries.iter_mut().for_each(|entry| self.leave(entry));
        entries
    }
}
