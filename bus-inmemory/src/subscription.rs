use std::{
    sync::Arc,
    task::{Poll, Waker},
};

use bus_core::{
    clock::Clock,
    transport::{Lease, Pending, SettleOutcome, Settlement, Settler, Settling, Token},
};

use crate::queue::{Key, Queue, Taken};

/// One consumer of a queue, and the right to settle what it handed out.
#[derive(Debug)]
pub(crate) struct Subscription {
    queue: Arc<Queue>,
    key: Key,
    clock: Clock,
}

impl Subscription {
    pub(crate) fn new(queue: Arc<Queue>, prefetch: u16, clock: Clock) -> Self {
        let key = queue.attach(prefetch, &clock);
        Self { queue, key, clock }
    }

    pub(crate) fn token(&self, number: u64) -> Token {
        Token { generation: self.key.id, number }
    }

    pub(crate) fn take(&self, max: usize, waker: &Waker, taken: &mut Vec<Taken>) -> Poll<Option<()>> {
        self.queue.take(self.key, max, waker, &self.clock, taken)
    }

    /// Gets nothing more.
    pub(crate) fn pause(&self) {
        self.queue.pause(self.key, &self.clock);
    }

    /// Gets nothing more, for good; what was handed out can still be settled.
    pub(crate) fn close(&self) {
        self.queue.close(self.key, &self.clock);
    }

    /// Gives back everything that is not settled.
    pub(crate) fn end(&self) {
        self.queue.end(self.key, &self.clock);
    }
}

impl Settler for Subscription {
    fn settle(&self, token: Token, settlement: Settlement) -> Settling {
        let ours = (token.generation == self.key.id).then_some(token.number);
        let settled = ours.and_then(|number| match settlement {
            Settlement::Complete => self.queue.complete(self.key, number, &self.clock),
            Settlement::Release => self.queue.release(self.key, number, &self.clock),
            // The capabilities deny these. The copy is not sent, so that the original has to come again.
            _ => self.queue.release(self.key, number, &self.clock).and(None),
        });
        Pending::ready(settled.map_or(SettleOutcome::LeaseLost, |()| SettleOutcome::Settled))
    }

    fn renew(&self, _: Token) -> Pending<Option<Lease>> {
        Pending::ready(None)
    }
}
