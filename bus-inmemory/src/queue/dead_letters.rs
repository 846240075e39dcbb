use std::sync::{Arc, Weak};

use bus_core::clock::Clock;

use super::message::Message;
use crate::broker::Broker;

/// Where the messages go that expire in a queue.
#[derive(Debug)]
pub(super) struct DeadLetters {
    pub(super) from: Arc<str>,
    pub(super) to: Arc<str>,
    pub(super) broker: Weak<Broker>,
}

impl DeadLetters {
    /// Sends a copy that says why, and lives for ever. Takes the lock of another queue, so none may be held.
    pub(super) fn send(&self, message: &Message, clock: &Clock) {
        // Without a broker there is no queue either.
        if let Some(broker) = self.broker.upgrade() {
            let mut copy = message.clone();
            copy.time_to_live = None;
            copy.headers.set("Bus-Dead-Letter-Reason", "expired");
            copy.headers.set("Bus-Dead-Letter-Queue", self.from.to_string());
            broker.dead_letter(&self.to, Arc::new(copy), clock);
        }
    }
}
