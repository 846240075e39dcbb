use std::{collections::VecDeque, sync::Arc, task::Waker};

use slab::Slab;

use super::{
    chance::Chance,
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
    /// Its number among what the consumer holds.
    pub(crate) number: u64,
    /// How often it was handed out, this time included.
    pub(crate) deliveries: u32,
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
    pub(super) ready: VecDeque<Entry>,
    /// Counts what is `ready`.
    pub(super) in_flight: Arc<InFlight>,
    /// Handed out, and not settled yet.
    pub(super) held: Slab<Entry>,
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

impl Consumer {
    pub(super) fn new(id: u64, prefetch: u16, in_flight: Arc<InFlight>) -> Self {
        Self {
            id,
            prefetch: usize::from(prefetch.max(1)),
            intake: Intake::Open,
            in_line: false,
            ready: VecDeque::new(),
            in_flight,
            held: Slab::new(),
            waker: None,
        }
    }

    /// Whether it can take one more. What waits in the receiver's buffer counts, as on RabbitMQ.
    pub(super) fn has_room(&self) -> bool {
        self.intake == Intake::Open && self.ready.len() + self.held.len() < self.prefetch
    }

    /// Nothing can come from it or go to it any more.
    pub(super) fn is_over(&self) -> bool {
        self.intake == Intake::Closed && self.held.is_empty()
    }

    /// Puts a message into its buffer.
    pub(super) fn push(&mut self, entry: Entry) {
        self.in_flight.add(1);
        self.ready.push_back(entry);
    }

    /// The next message out of its buffer; by chance, any. It still counts as in flight.
    pub(super) fn pop(&mut self, chance: Option<&mut Chance>) -> Option<Entry> {
        match chance {
            Some(chance) if !self.ready.is_empty() => self.ready.remove(chance.below(self.ready.len())),
            _ => self.ready.pop_front(),
        }
    }

    /// Hands a message out.
    pub(super) fn hold(&mut self, mut entry: Entry) -> Taken {
        entry.deliveries = entry.deliveries.saturating_add(1);
        let (deliveries, message) = (entry.deliveries, entry.message.clone());
        Taken { number: self.held.insert(entry) as u64, deliveries, message }
    }

    /// Takes back a message that was handed out.
    pub(super) fn unhold(&mut self, number: u64) -> Option<Entry> {
        self.held.try_remove(usize::try_from(number).ok()?)
    }
}
