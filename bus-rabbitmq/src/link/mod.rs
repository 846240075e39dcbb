//! One supervised connection. There are two: what publishes must not be held up by what consumes, and an
//! alarm that blocks publishing must not block acknowledgements.

pub(crate) mod backoff;
mod server_version;
mod state;
mod supervisor;

use std::{sync::Arc, time::Instant};

use bus_core::{clock::Clock, transport::TransportError};
use lapin::Connection;
use tokio::sync::watch;

pub(crate) use server_version::ServerVersion;
pub(crate) use state::State;
pub(crate) use supervisor::{OnConnected, Supervisor};

use crate::refusal::{Kind, Refusal};

/// What the rest of the crate sees of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// Host, port, virtual host.
    pub(crate) address: Arc<str>,
    status: watch::Receiver<Status>,
    wish: watch::Sender<Wish>,
    clock: Clock,
}

/// A snapshot of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) state: State,
    /// While it is ready or blocked.
    pub(crate) connection: Option<Arc<Connection>>,
    /// Why it is blocked, or what ended the last try or the last connection.
    pub(crate) why: Option<Refusal>,
    /// The last wish that this is an answer to.
    call: u64,
}

/// What the transport wants of a [`Supervisor`]. Counted, since the same may be wanted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Nothing(u64),
    Connection(u64),
    End,
}

impl Status {
    /// The connection and its number, if it can be used.
    pub(crate) fn usable(&self) -> Option<(u64, &Arc<Connection>)> {
        match self.state {
            State::Ready { generation } | State::Blocked { generation } => {
                self.connection.as_ref().map(|connection| (generation, connection))
            }
            _ => None,
        }
    }

    /// The broker takes publishes.
    pub(crate) fn open(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    /// It works, and those before it did not last: this one may not either.
    pub(crate) fn shaky(&self) -> bool {
        self.open() && self.why.is_some()
    }

    /// Trying again does not help.
    pub(crate) fn refused(&self) -> bool {
        self.state == State::Failed
    }

    /// Why it cannot be used, in words.
    pub(crate) fn reason(&self) -> String {
        let what = match self.state {
            State::Ready { .. } if self.why.is_none() => return "it is connected".to_owned(),
            State::Ready { .. } => "connections do not last",
            State::Blocked { .. } => "the broker takes no messages",
            State::Idle => "it is not connected",
            State::Connecting { .. } | State::BackingOff { .. } => "the connection is down",
            State::Failed => "the broker refused the connection",
            State::Closed => "the transport is closed",
        };
        match &self.why {
            Some(why) => format!("{what}: {why}"),
            None => what.to_owned(),
        }
    }

    pub(crate) fn refusal(&self) -> Refusal {
        self.why.clone().unwrap_or_else(|| Refusal::new(Kind::Disconnected, self.reason()))
    }
}

impl Link {
    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// To wait for changes with.
    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// The connection, or the error that it is not there.
    pub(crate) fn connection(&self) -> Result<(u64, Arc<Connection>), TransportError> {
        let status = self.status.borrow();
        match status.usable() {
            Some((generation, connection)) => Ok((generation, connection.clone())),
            None => Err(TransportError::Disconnected {
                address: self.address.to_string(),
                source: Refusal::new(Kind::Disconnected, status.reason()).boxed(),
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
            Ok(status) => Err(match status.refusal() {
                refusal if refusal.kind() == Kind::NoAccess => {
                    TransportError::AccessRefused { address, source: refusal.boxed() }
                }
                refusal => TransportError::Disconnected { address, source: refusal.boxed() },
            }),
            Err(_) => {
                let source = self.status.borrow().refusal().boxed();
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
        let refused = |call| Status { state: State::Failed, connection: None, why: None, call };
        let (told, status) = watch::channel(refused(0));
        let (wish, _wishes) = watch::channel(Wish::Nothing(0));
        let clock = Clock::default();
        let deadline = clock.after(std::time::Duration::from_secs(600));
        let link = Link { address: "rabbitmq://h".into(), status, wish, clock };
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
