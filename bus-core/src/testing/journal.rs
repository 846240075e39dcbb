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
    observer::{Event, Handling, Next, Observer, SentMessage},
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
        let Handling { endpoint, consumer, kind, incoming, .. } = handling;
        Entry {
            endpoint: Some(endpoint.into()),
            consumer: Some(consumer.into()),
            message_type: Some(kind),
            envelope: Some(Arc::new(incoming.envelope.clone())),
            attempt,
            ..self.entry(what)
        }
    }

    fn note(&self, event: &Event<'_>) -> Option<Entry> {
        Some(match *event {
            Event::Sending { message: SentMessage { published, endpoint, kind, address, outgoing, .. } } => {
                let outgoing = outgoing?;
                Entry {
                    endpoint: endpoint.map(Arc::from),
                    message_type: Some(kind),
                    envelope: Some(Arc::new(envelope(outgoing.content_type.as_deref(), &outgoing.body))),
                    address: Some(address.to_owned()),
                    ..self.entry(if published { What::Published } else { What::Sent })
                }
            }
            Event::Consumed { handling, attempt, .. } => self.handled(What::Consumed, handling, attempt),
            Event::AttemptFailed { handling, attempt, error, error_type, next, .. } => {
                let what = match next {
                    Next::Retry { .. } | Next::Redeliver { .. } => What::Retried,
                    Next::Error => What::Faulted,
                    Next::Held | Next::Discarded => return None,
                };
                Entry {
                    error: Some(error.to_owned()),
                    error_type: Some(error_type),
                    ..self.handled(what, handling, attempt)
                }
            }
            Event::Redelivered { message, round, why, .. } => Entry {
                endpoint: Some(message.endpoint.into()),
                attempt: round,
                error: Some(why.to_owned()),
                ..self.entry(What::Redelivered)
            },
            Event::Moved { message, queue, why, .. } => Entry {
                endpoint: Some(message.endpoint.into()),
                address: Some(queue.to_owned()),
                error: Some(why.to_owned()),
                ..self.entry(What::Moved)
            },
            _ => return None,
        })
    }
}

/// The observer that writes the journal.
pub(super) struct Listening(pub(super) Arc<Journal>);

impl Observer for Listening {
    fn observe(&self, event: &Event<'_>) {
        if let Some(entry) = self.0.note(event) {
            self.0.entries().push(entry);
        }
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
