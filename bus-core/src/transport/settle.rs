use std::{fmt, sync::Arc, time::Duration};

use super::{Lease, Outcome, Outgoing, Pending};

/// The transport's end of settling: what an [`Unsettled`] calls.
///
/// A lane goes on when the outcome is there: it must not wait for settlements to come.
pub trait Settler: Send + Sync + 'static {
    /// Takes the settlement without waiting. Called once per token.
    fn settle(&self, token: Token, settlement: Settlement) -> Settling;

    /// Asks for a longer lease; `None` where there is no lease, or it is lost.
    fn renew(&self, token: Token) -> Pending<Option<Lease>>;
}

/// Names a delivery to its [`Settler`]: the subscription it came from, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// Which life of the subscription; a number from before a reconnection means nothing after it.
    pub generation: u64,
    /// The delivery's number in that life.
    pub number: u64,
}

/// What to do with a delivery.
#[derive(Debug)]
#[non_exhaustive]
pub enum Settlement {
    /// It is done: take it out of the queue. A broker that knows no more than how far a lane is done is told
    /// what is done without a gap; the rest the transport remembers.
    Complete,
    /// Give it back; it comes again, here or elsewhere. Of a lane, it comes before what is behind it: the bus
    /// releases that too, or the transport takes it back, and settling it is [`SettleOutcome::LeaseLost`]. What was
    /// delivered before it can still be settled.
    Release,
    /// Take it out and bring the copy back later, in one step. Only with `Capabilities::atomic_move`.
    RetryLater {
        /// How much later.
        delay: Duration,
        /// What comes back.
        copy: Box<Outgoing>,
    },
    /// Take it out and put the copy elsewhere, in one step. Only with `Capabilities::atomic_move`.
    Move {
        /// What goes there.
        copy: Box<Outgoing>,
    },
}

/// The outcome of a settlement to come.
pub type Settling = Pending<SettleOutcome>;

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettleOutcome {
    /// The broker was told, or the transport will tell it with others; what a crash forgets in between comes
    /// again.
    Settled,
    /// The delivery was no longer ours; it comes again. So does what waits behind it in its lane: the bus gives
    /// that back.
    LeaseLost,
    /// The connection went away meanwhile; it may come again, and what waits behind it in its lane is given back.
    Unknown,
}

impl Outcome for SettleOutcome {
    fn abandoned() -> Self {
        Self::Unknown
    }
}

impl Outcome for Option<Lease> {
    fn abandoned() -> Self {
        None
    }
}

/// The right to settle one delivery, once. Dropped unused, it releases the delivery.
#[must_use = "a delivery that is dropped is released"]
pub struct Unsettled(Option<(Arc<dyn Settler>, Token)>);

impl Unsettled {
    /// For transports: the right to settle `token`.
    pub fn new(settler: Arc<dyn Settler>, token: Token) -> Self {
        Self(Some((settler, token)))
    }

    /// Settles the delivery. The settlement is handed over when this returns; the outcome can be awaited.
    pub fn settle(mut self, settlement: Settlement) -> Settling {
        match self.0.take() {
            Some((settler, token)) => settler.settle(token, settlement),
            None => Pending::ready(SettleOutcome::Unknown),
        }
    }

    /// Asks for a longer lease.
    pub fn renew(&self) -> Pending<Option<Lease>> {
        match &self.0 {
            Some((settler, token)) => settler.renew(*token),
            None => Pending::ready(None),
        }
    }

    /// Asks for a longer lease while somebody else settles.
    pub fn renewer(&self) -> Option<Renewer> {
        self.0.as_ref().map(|(settler, token)| Renewer { settler: settler.clone(), token: *token })
    }
}

/// Renews the lease of a delivery, and has no right to settle it.
#[derive(Clone)]
pub struct Renewer {
    settler: Arc<dyn Settler>,
    token: Token,
}

impl Renewer {
    /// Asks for a longer lease; `None` where there is none, or it is lost, or the delivery is settled.
    pub fn renew(&self) -> Pending<Option<Lease>> {
        self.settler.renew(self.token)
    }
}

impl fmt::Debug for Renewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Renewer").field(&self.token).finish()
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        if let Some((settler, token)) = self.0.take() {
            drop(settler.settle(token, Settlement::Release));
        }
    }
}

impl fmt::Debug for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unsettled").field(&self.0.as_ref().map(|(_, token)| token)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Book(Mutex<Vec<String>>);

    impl Settler for Book {
        fn settle(&self, token: Token, settlement: Settlement) -> Settling {
            self.0.lock().unwrap().push(format!("{} {settlement:?}", token.number));
            Pending::ready(SettleOutcome::Settled)
        }

        fn renew(&self, _: Token) -> Pending<Option<Lease>> {
            Pending::ready(None)
        }
    }

    #[tokio::test]
    async fn a_delivery_is_settled_once_and_released_when_dropped() {
        let book = Arc::new(Book::default());
        let unsettled = |number| Unsettled::new(book.clone(), Token { generation: 1, number });
        assert_eq!(unsettled(1).settle(Settlement::Complete).await, SettleOutcome::Settled);
        drop(unsettled(2));
        assert_eq!(*book.0.lock().unwrap(), ["1 Complete", "2 Release"]);
    }
}
