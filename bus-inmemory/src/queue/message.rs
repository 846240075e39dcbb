use std::{sync::Arc, time::Instant};

use bus_core::{clock::Clock, envelope::Headers, transport::Outgoing};
use bytes::Bytes;

/// A message as the broker keeps it; shared by all queues that have a copy.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<Arc<str>>,
    pub(crate) message_id: Option<Arc<str>>,
    pub(crate) correlation_id: Option<Arc<str>>,
    pub(crate) headers: Headers,
    pub(crate) durable: bool,
    expires: Option<Instant>,
}

impl Message {
    /// What is kept of a message that is handed over. Its time to live begins now.
    pub(crate) fn new(outgoing: Outgoing, clock: &Clock) -> Self {
        Self {
            body: outgoing.body,
            content_type: outgoing.content_type,
            message_id: outgoing.message_id,
            correlation_id: outgoing.correlation_id,
            headers: outgoing.headers,
            durable: outgoing.durable,
            // A time that no clock reaches is no limit.
            expires: outgoing.time_to_live.and_then(|ttl| clock.now().checked_add(ttl)),
        }
    }

    /// Whether its time is over. Reads the clock only for a message that has a limit.
    pub(crate) fn expired(&self, clock: &Clock) -> bool {
        self.expires.is_some_and(|at| at <= clock.now())
    }
}

/// A message's place in one queue.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its position: the queue's count of messages when it arrived.
    pub(crate) sequence: u64,
    /// A receiver had it and gave it back.
    pub(crate) redelivered: bool,
    pub(crate) message: Arc<Message>,
}
