use std::{fmt, time::Instant};

use bus_core::transport::{Cause, Completer, Lease, Pending, SettleOutcome, Settlement, Settler, Settling, Token};
use lapin::{Channel, Consumer};
use tokio::sync::{mpsc, oneshot};

/// What a subscription's worker is told.
pub(crate) enum Command {
    Settle(Token, Settlement, Completer<SettleOutcome>),
    /// The stream of that life ended.
    Ended(u64, bool),
    Pause,
    /// Settle what comes until then, then end.
    Close(Instant, oneshot::Sender<()>),
    /// Nobody receives any more.
    Dropped,
}

/// What the receiver is told.
pub(crate) enum Feed {
    Life(Box<NewLife>),
    /// The life that was told last is none: the broker gives it nothing.
    Forgotten(Cause),
    /// There is none yet, and it is tried again.
    Failing(Cause),
}

/// A new life of the subscription.
pub(crate) struct NewLife {
    pub(crate) generation: u64,
    pub(crate) channel: Channel,
    pub(crate) consumer: Consumer,
    /// Why the life before it ended.
    pub(crate) lost: Option<Cause>,
}

/// Hands settlements to the worker.
pub(crate) struct Hand {
    pub(crate) commands: mpsc::UnboundedSender<Command>,
}

impl Settler for Hand {
    fn settle(&self, token: Token, settlement: Settlement) -> Settling {
        let (completer, settling) = Pending::new();
        // A worker that is gone drops the completer, whose outcome is `Unknown` then.
        let _ = self.commands.send(Command::Settle(token, settlement, completer));
        settling
    }

    /// A delivery belongs to its channel until that ends.
    fn renew(&self, _: Token) -> Pending<Option<Lease>> {
        Pending::ready(None)
    }
}

impl fmt::Debug for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hand").finish_non_exhaustive()
    }
}
