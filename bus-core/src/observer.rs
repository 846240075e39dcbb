use std::{fmt::Debug, sync::Arc};

use crate::{MessageType, envelope::Incoming, transport::Outgoing};

/// Is told what happens on a bus, where it happens: it must not wait.
pub(crate) trait Observer: Debug + Send + Sync + 'static {
    fn observe(&self, event: Event<'_>);
}

/// What happens on a bus.
#[derive(Debug)]
#[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only the harness looks yet"))]
pub(crate) enum Event<'a> {
    /// A message of the program's, or a fault, is handed to the transport.
    Sent {
        /// Else it was sent to one address.
        published: bool,
        message_type: &'static MessageType,
        message: &'a Outgoing,
        address: &'a str,
        /// The endpoint whose handler sent it.
        by: Option<&'a Arc<str>>,
    },
    /// A consumer handled a message.
    Consumed { handling: Handling<'a>, attempt: u32 },
    /// An attempt failed; the last one, or another one follows.
    Failed { handling: Handling<'a>, attempt: u32, error: &'a str, error_type: &'static str, last: bool },
    /// A message comes again later, in that round.
    Redelivered { endpoint: &'a Arc<str>, round: u32, why: &'a str },
    /// A message lies in the queue beside its endpoint's.
    Moved { endpoint: &'a Arc<str>, queue: &'a str, why: &'a str },
}

/// A message at a consumer.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only the harness looks yet"))]
pub(crate) struct Handling<'a> {
    pub(crate) endpoint: &'a Arc<str>,
    pub(crate) consumer: &'a Arc<str>,
    pub(crate) message_type: &'static MessageType,
    pub(crate) incoming: &'a Arc<Incoming>,
}
