use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    MessageType,
    clock::Clock,
    codec::RAW,
    envelope::Envelope,
    observer::{Event, Handling, Observer},
};

/// Everything that happened on a bus, in order.
#[derive(Debug)]
pub(super) struct Journal {
    clock: Clock,
    start: Instant,
    entries: Mutex<Vec<Entry>>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// How long after the start.
    pub(super) after: Duration,
    pub(super) what: What,
    /// The endpoint where it happened; none for the program outside of handlers.
    pub(super) endpoint: Option<Arc<str>>,
    pub(super) consumer: Option<Arc<str>>,
    /// Nothing for a body that was no envelope.
    pub(super) message_type: Option<&'static MessageType>,
    pub(super) envelope: Option<Arc<Envelope>>,
    pub(super) address: Option<String>,
    pub(super) attempt: u32,
    pub(super) error: Option<String>,
    pub(super) error_type: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Published,
    Sent,
    Consumed,
    /// An attempt failed, and another one follows.
    Retried,
    Faulted,
    Redelivered,
    Moved,
}

impl Journal {
    pub(super) fn new(clock: Clock) -> Self {
        Self { start: clock.now(), clock, entries: Mutex::default() }
    }

    pub(super) fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, what: What) -> Entry {
        Entry {
            after: self.clock.now().saturating_duration_since(self.start),
            what,
            endpoint: None,
            consumer: None,
            message_type: None,
            envelope: None,
            address: None,
            attempt: 0,
            error: None,
            error_type: None,
        }
    }

    fn handled(&self, what: What, handling: Handling<'_>, attempt: u32) -> Entry {
        let Handling { endpoint, consumer, message_type, incoming } = handling;
        Entry {
            endpoint: Some(endpoint.clone()),
            consumer: Some(consumer.clone()),
            message_type: Some(message_type),
            envelope: Some(Arc::new(incoming.envelope.clone())),
            attempt,
            ..self.entry(what)
        }
    }
}

impl Observer for Journal {
    fn observe(&self, event: Event<'_>) {
        let entry = match event {
            Event::Sent { published, message_type, message, address, by } => Entry {
                endpoint: by.cloned(),
                message_type: Some(message_type),
                envelope: Some(Arc::new(envelope(message.content_type.as_deref(), &message.body))),
                address: Some(address.to_owned()),
                ..self.entry(if published { What::Published } else { What::Sent })
            },
            Event::Consumed { handling, attempt } => self.handled(What::Consumed, handling, attempt),
            Event::Failed { handling, attempt, error, error_type, last } => Entry {
                error: Some(error.to_owned()),
                error_type: Some(error_type),
                ..self.handled(if last { What::Faulted } else { What::Retried }, handling, attempt)
            },
            Event::Redelivered { endpoint, round, why } => Entry {
                endpoint: Some(endpoint.clone()),
                attempt: round,
                error: Some(why.to_owned()),
                ..self.entry(What::Redelivered)
            },
            Event::Moved { endpoint, queue, why } => Entry {
                endpoint: Some(endpoint.clone()),
                address: Some(queue.to_owned()),
                error: Some(why.to_owned()),
                ..self.entry(What::Moved)
            },
        };
        self.entries().push(entry);
    }
}

/// The envelope as it goes out; a message without one is its payload.
fn envelope(content_type: Option<&str>, body: &Bytes) -> Envelope {
    let raw = content_type == Some(RAW);
    let read = if raw { None } else { Envelope::read(body).ok() };
    read.unwrap_or_else(|| {
        let mut payload = Envelope::default();
        payload.message = body.clone();
        payload
    })
}
