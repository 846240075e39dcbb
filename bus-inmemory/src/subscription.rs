use std::{
    sync::Arc,
    task::{Poll, Waker},
};

use bus_core::{
    clock::Clock,
    transport::{Lane, Lease, Pending, SettleOutcome, Settlement, Settler, Settling, Token},
};

use crate::{
    in_flight::InFlight,
    queue::{Key, Message, Queue, Taken},
};

/// One consumer of a queue, and the right to settle what it handed out.
#[derive(Debug)]
pub(crate) struct Subscription {
    queue: Arc<Queue>,
    key: Key,
    clock: Clock,
}

impl Subscription {
    pub(crate) fn new(queue: Arc<Queue>, prefetch: u16, in_flight: Arc<InFlight>, clock: Clock) -> Self {
        let key = queue.attach(prefetch, in_flight, &clock);
        Self { queue, key, clock }
    }

    pub(crate) fn token(&self, number: u64) -> Token {
        Token { generation: self.key.id, number }
    }

    pub(crate) fn take(&self, max: usize, waker: &Waker, taken: &mut Vec<Taken>) -> Poll<Option<()>> {
        self.queue.take(self.key, max, waker, &self.clock, taken)
    }

    /// The lane of a message, where the queue has lanes.
    pub(crate) fn lane(&self, message: &Message) -> Option<Lane> {
        if self.queue.options().lanes { message.lane.clone() } else { None }
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
        let key = Key { id: token.generation, ..self.key };
        let settled = match settlement {
            Settlement::Complete => self.queue.complete(key, token.number, &self.clock),
            Settlement::Release => self.queue.release(key, token.number, &self.clock),
            // The capabilities deny these. The copy is not sent, so that the original has to come again.
            _ => self.queue.release(key, token.number, &self.clock).and(None),
        };
        Pending::ready(settled.map_or(SettleOutcome::LeaseLost, |()| SettleOutcome::Settled))
    }

    fn renew(&self, token: Token) -> Pending<Option<Lease>> {
        let key = Key { id: token.generation, ..self.key };
        Pending::ready(self.queue.renew(key, token.number).map(|until| Lease { until }))
    }
}

#[cfg(test)]
mod tests {
    use bus_core::{address::Destination, transport::Outgoing};
    use bytes::Bytes;

    use super::*;
    use crate::{endpoint, queue::Home};

    #[tokio::test]
    async fn a_queue_forgets_a_closed_consumer_when_all_it_handed_out_is_settled() {
        let (queue, clock) = (Queue::new("q".into(), endpoint(), &Home::default()), Clock::real());
        let idle = Subscription::new(queue.clone(), 1, Arc::default(), clock.clone());
        idle.close();
        assert_eq!(queue.consumers(), 0);
        for settlement in [Settlement::Complete, Settlement::Release] {
            let outgoing = Outgoing::new(Destination::Queue("q".into()), Bytes::new(), clock.now());
            queue.push(Arc::new(Message::new(outgoing)), &clock);
            let busy = Subscription::new(queue.clone(), 1, Arc::default(), clock.clone());
            let mut taken = Vec::new();
            assert!(busy.take(1, Waker::noop(), &mut taken).is_ready());
            busy.close();
            assert_eq!(queue.consumers(), 1);
            assert_eq!(busy.settle(busy.token(taken[0].number), settlement).await, SettleOutcome::Settled);
            assert_eq!(queue.consumers(), 0);
        }
    }

    #[tokio::test]
    async fn a_move_is_not_done_in_one_step_and_the_original_comes_again() {
        let (queue, clock) = (Queue::new("q".into(), endpoint(), &Home::default()), Clock::real());
        let subscription = Subscription::new(queue.clone(), 1, Arc::default(), clock.clone());
        let copy = Outgoing::new(Destination::Queue("q".into()), Bytes::new(), clock.now());
        queue.push(Arc::new(Message::new(copy.clone())), &clock);
        let mut taken = Vec::new();
        assert!(subscription.take(1, Waker::noop(), &mut taken).is_ready());
        let token = subscription.token(taken[0].number);
        let outcome = subscription.settle(token, Settlement::Move { copy: Box::new(copy) }).await;
        assert_eq!(outcome, SettleOutcome::LeaseLost);
        taken.clear();
        assert!(subscription.take(1, Waker::noop(), &mut taken).is_ready());
        assert_eq!(taken[0].deliveries, 2);
    }
}
