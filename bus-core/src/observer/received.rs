use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{Event, Observers, ReceivedMessage};
use crate::{
    clock::Clock,
    envelope::Incoming,
    transport::{Delivery, SettleOutcome},
};

/// A message at work, until observers know what became of it; nothing if there are none. Dropped before, it goes
/// back to its queue.
#[derive(Debug)]
pub(crate) struct Receiving(Option<Box<Told>>);

#[derive(Debug)]
struct Told {
    endpoint: Arc<str>,
    /// Missing if the body could not be read.
    incoming: Option<Arc<Incoming>>,
    message_id: Option<Uuid>,
    bytes: usize,
    redelivered: bool,
    observers: Observers,
    clock: Clock,
    begun: Instant,
}

impl Told {
    fn message(&self) -> ReceivedMessage<'_> {
        let envelope = self.incoming.as_ref().map(|incoming| &incoming.envelope);
        ReceivedMessage {
            endpoint: &self.endpoint,
            message_types: envelope.map(|envelope| &*envelope.message_type).unwrap_or_default(),
            message_id: self.message_id,
            correlation_id: envelope.and_then(|envelope| envelope.correlation_id),
            conversation_id: envelope.and_then(|envelope| envelope.conversation_id),
            bytes: self.bytes,
            redelivered: self.redelivered,
        }
    }
}

impl Receiving {
    /// It is the message's turn.
    pub(crate) fn begin(
        observers: &Observers,
        clock: &Clock,
        endpoint: &Arc<str>,
        delivery: &Delivery,
        incoming: Option<&Arc<Incoming>>,
    ) -> Self {
        if observers.is_empty() {
            return Self(None);
        }
        let id = || delivery.message_id.as_deref()?.parse().ok();
        let told = Box::new(Told {
            endpoint: endpoint.clone(),
            message_id: incoming.and_then(|incoming| incoming.envelope.message_id).or_else(id),
            incoming: incoming.cloned(),
            bytes: delivery.body.len(),
            redelivered: incoming
                .map_or(delivery.redelivered, |incoming| incoming.redelivered || incoming.redeliveries() > 0),
            observers: observers.clone(),
            clock: clock.clone(),
            begun: clock.now(),
        });
        told.observers.tell(|| Event::Received { message: told.message() });
        Self(Some(told))
    }

    /// The broker was told that the message is handled, and said this.
    pub(crate) fn settled(&mut self, outcome: SettleOutcome) {
        let Some(told) = self.0.take() else { return };
        let took = told.clock.now().saturating_duration_since(told.begun);
        let message = told.message();
        told.observers.tell(|| match outcome {
            SettleOutcome::Settled => Event::Completed { message, took },
            _ => Event::Returned { message, outcome: Some(outcome), took },
        });
    }

    /// It comes again after a delay, in that round.
    pub(crate) fn put_off(&mut self, round: u32, after: Duration, why: &str) {
        let Some(told) = self.0.take() else { return };
        let took = told.clock.now().saturating_duration_since(told.begun);
        told.observers.tell(|| Event::Redelivered { message: told.message(), round, after, why, took });
    }

    /// It lies in another queue.
    pub(crate) fn moved(&mut self, queue: &str, why: &str) {
        let Some(told) = self.0.take() else { return };
        let took = told.clock.now().saturating_duration_since(told.begun);
        told.observers.tell(|| Event::Moved { message: told.message(), queue, why, took });
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        if let Some(told) = self.0.take() {
            let took = told.clock.now().saturating_duration_since(told.begun);
            told.observers.tell(|| Event::Returned { message: told.message(), outcome: None, took });
        }
    }
}
