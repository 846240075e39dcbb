use std::{collections::VecDeque, sync::Arc, task::Waker};

use slab::Slab;

use super::message::{Entry, Message};

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
    pub(crate) redelivered: bool,
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
    pub(super) fn new(id: u64, prefetch: u16) -> Self {
        Self {
            id,
            prefetch: usize::from(prefetch.max(1)),
            intake: Intake::Open,
            in_line: false,
            ready: VecDeque::new(),
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

    /// Hands a message out.
    pub(super) fn hold(&mut self, entry: Entry) -> Taken {
        let (redelivered, message) = (entry.redelivered, entry.message.clone());
        Taken { number: self.held.insert(entry) as u64, redelivered, message }
    }

    /// Takes back a message that was handed out.
    pub(super) fn unhold(&mut self, number: u64) -> Option<Entry> {
        self.held.try_remove(usize::try_from(number).ok()?)
    }
}
