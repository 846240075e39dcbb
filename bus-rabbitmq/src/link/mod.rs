//! One supervised connection. There are two: what publishes must not be held up by what consumes, and an
//! alarm that blocks publishing must not block acknowledgements.

pub(crate) mod backoff;
mod dial;
mod server_version;
mod state;
mod status;
mod supervisor;

use std::{sync::Arc, time::Instant};

use bus_core::{clock::Clock, transport::TransportError};
use lapin::Connection;
use tokio::sync::watch;

use state::State;

pub(crate) use dial::{dial, goodbye};
pub(crate) use server_version::ServerVersion;
pub(crate) use status::Status;
pub(crate) use supervisor::{OnConnected, Supervisor};

use crate::refusal::{Kind, Refusal};

/// What the rest of the crate sees of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// Host, port, virtual host.
    pub(crate) address: Arc<str>,
    status: watch::Receiver<Status>,
    wish: watch::Sender<Wish>,
    /// The connection that is of no use, and why.
    abandoned: Abandoning,
    clock: Clock,
}

/// Tells the supervisor of a connection that does not answer, by its number.
pub(crate) type Abandoning = watch::Sender<Option<(u64, Refusal)>>;

/// What the transport wants of a [`Supervisor`]. Counted, since the same may be wanted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Nothing(u64),
    Connection(u64),
    End,
}

impl Link {
    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// To wait for changes with.
    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    pub(crate) fn abandoning(&self) -> Abandoning {
        self.abandoned.clone()
    }

    /// The connection, or the error that it is not there.
    pub(crate) fn connection(&self) -> Result<(u64, Arc<Connection>), TransportError> {
        let status = self.status.borrow();
        match status.usable() {
            Some((generation, connection)) => Ok((generation, connection.clone())),
            None => Err(TransportError::Disconnected {
                address: self.address.to_string(),
                source: Refusal::new(Kind::Disconnected, status.reason(self.clock.now())).boxed(),
            }),
        }
    }

    /// Waits until it is connected, at most until the deadline.
    pub(crate) async fn connect(&self, deadline: Instant) -> Result<(), TransportError> {
        let mut status = self.status.clone();
        let mut call = 0;
        self.wish.send_modify(|wish| {
            *wish = wish.connection();
            call = wish.call();
        });
        let settled = async {
            let settled = status.wait_for(|status| match status.state {
                // What an earlier call ended with is no answer to this one.
                State::Failed => status.call >= call,
                state => status.usable().is_some() || state == State::Closed,
            });
            match settled.await {
                Ok(status) => status.clone(),
                Err(_) => self.status.borrow().clone(),
            }
        };
        let address = self.address.to_string();
        match self.clock.by(deadline, settled).await {
            Ok(status) if status.usable().is_some() => Ok(()),
            Ok(status) => Err(match status.refusal(self.clock.now()) {
                refusal if refusal.kind() == Kind::NoAccess => {
                    TransportError::AccessRefused { address, source: refusal.boxed() }
                }
                refusal => TransportError::Disconnected { address, source: refusal.boxed() },
            }),
            Err(_) => {
                let source = self.status.borrow().refusal(self.clock.now()).boxed();
                Err(TransportError::Unreachable { address, source })
            }
        }
    }

    /// Disconnects, or stops trying; may be asked to connect again.
    pub(crate) fn rest(&self) {
        self.wish.send_modify(|wish| *wish = wish.nothing());
    }

    /// Waits until there is no connection, and none is tried.
    pub(crate) async fn rested(&self) {
        let resting = |status: &Status| matches!(status.state, State::Idle | State::Failed | State::Closed);
        // An error says that the supervisor is gone without a word.
        let _ = self.status.clone().wait_for(resting).await;
    }

    /// Closes the connection, for good.
    pub(crate) fn end(&self) {
        self.wish.send_modify(|wish| *wish = Wish::End);
    }
}

impl Wish {
    fn call(self) -> u64 {
        match self {
            Self::Nothing(call) | Self::Connection(call) => call,
            Self::End => u64::MAX,
        }
    }

    fn connection(self) -> Self {
        match self {
            Self::Nothing(call) | Self::Connection(call) => Self::Connection(call + 1),
            Self::End => Self::End,
        }
    }

    fn nothing(self) -> Self {
        match self {
            Self::Nothing(call) | Self::Connection(call) => Self::Nothing(call + 1),
            Self::End => Self::End,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_refusal_that_was_told_before_the_call_was_seen_is_no_answer_to_it() {
        let clock = Clock::default();
        let refused = |call| {
            let mut status = Status::new(clock.now());
            (status.state, status.call) = (State::Failed, call);
            status
        };
        let (told, status) = watch::channel(refused(0));
        let (wish, _wishes) = watch::channel(Wish::Nothing(0));
        let deadline = clock.after(std::time::Duration::from_secs(600));
        let abandoned = watch::Sender::new(None);
        let link = Link { address: "rabbitmq://h".into(), status, wish, abandoned, clock: clock.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let mut call = Box::pin(link.connect(deadline));
        assert!((&mut call).now_or_never().is_none());
        // Published late: it belongs to an earlier call.
        told.send_replace(refused(0));
        assert!((&mut call).now_or_never().is_none());
        told.send_replace(refused(1));
        assert!(matches!((&mut call).now_or_never(), Some(Err(_))));
    }
}
