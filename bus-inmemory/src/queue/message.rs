use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{
    clock::Clock,
    envelope::Headers,
    transport::{Lane, Outgoing},
};
use bytes::Bytes;

/// A message as the broker keeps it; shared by all queues that have a copy.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<Arc<str>>,
    pub(crate) message_id: Option<Arc<str>>,
    pub(crate) correlation_id: Option<Arc<str>>,
    pub(crate) headers: Headers,
    pub(crate) routing_key: Option<Arc<str>>,
    pub(crate) priority: Option<u8>,
    pub(crate) lane: Option<Lane>,
    pub(crate) durable: bool,
    /// Counts from when it enters a queue.
    pub(crate) time_to_live: Option<Duration>,
}

impl Message {
    /// What is kept of a message that is handed over.
    #[inline]
    pub(crate) fn new(outgoing: Outgoing) -> Self {
        Self {
            body: outgoing.body,
            content_type: outgoing.content_type,
            message_id: outgoing.message_id,
            correlation_id: outgoing.correlation_id,
            headers: outgoing.headers,
            routing_key: outgoing.routing_key,
            priority: outgoing.priority,
            lane: outgoing.lane,
            durable: outgoing.durable,
            time_to_live: outgoing.time_to_live,
        }
    }
}

/// A message's place in one queue.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its position: the queue's count of messages when it arrived.
    pub(crate) sequence: u64,
    /// How often a receiver handed it out.
    pub(crate) deliveries: u32,
    /// Tells what a consumer was handed out apart.
    pub(super) tag: u32,
    /// When it is no longer of use.
    pub(super) expires: Option<Instant>,
    /// Until when it is the consumer's that has it, if that ends.
    pub(super) lease: Option<Instant>,
    pub(crate) message: Arc<Message>,
}

impl Entry {
    /// A message that enters a queue. Its time to live begins now; it may be shorter there.
    #[inline]
    pub(crate) fn new(sequence: u64, message: Arc<Message>, at_most: Option<Duration>, clock: &Clock) -> Self {
        let time_to_live = message.time_to_live.into_iter().chain(at_most).min();
        // A time that no clock reaches is no limit.
        let expires = time_to_live.and_then(|time| clock.now().checked_add(time));
        Self { sequence, deliveries: 0, tag: 0, expires, lease: None, message }
    }

    /// Whether its time is over. Reads the clock only for a message that has a limit.
    #[inline]
    pub(crate) fn expired(&self, clock: &Clock) -> bool {
        self.expires.is_some_and(|at| at <= clock.now())
    }
}
