use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use futures_util::FutureExt;
use uuid::Uuid;

use super::{Event, Observers, SentMessage};
use crate::{
    MessageType,
    clock::Clock,
    transport::{Confirm, Outgoing, PublishOutcome},
};

/// What observers are told of a message that leaves.
#[derive(Debug)]
pub(crate) struct Departure {
    pub(crate) published: bool,
    pub(crate) message_type: &'static MessageType,
    pub(crate) address: String,
    pub(crate) message_id: Uuid,
    pub(crate) correlation_id: Option<Uuid>,
    pub(crate) conversation_id: Uuid,
    pub(crate) endpoint: Option<Arc<str>>,
    pub(crate) bytes: usize,
}

/// A message that leaves, until observers know what became of it; nothing if there are none. Dropped after it was
/// handed over and before that, its sender stopped waiting.
#[derive(Debug, Default)]
pub(crate) struct Sending(Option<Box<Told>>);

#[derive(Debug)]
struct Told {
    departure: Departure,
    observers: Observers,
    clock: Clock,
    begun: Instant,
    handed_over: bool,
}

impl Departure {
    fn message<'a>(&'a self, outgoing: Option<&'a Outgoing>) -> SentMessage<'a> {
        SentMessage {
            published: self.published,
            message_type: self.message_type.urn(),
            address: &self.address,
            message_id: self.message_id,
            correlation_id: self.correlation_id,
            conversation_id: self.conversation_id,
            endpoint: self.endpoint.as_deref(),
            bytes: self.bytes,
            kind: self.message_type,
            outgoing,
        }
    }
}

impl Sending {
    /// Nobody is told yet.
    pub(crate) fn new(observers: &Observers, clock: &Clock, departure: impl FnOnce() -> Departure) -> Self {
        Self((!observers.is_empty()).then(|| {
            let (observers, clock) = (observers.clone(), clock.clone());
            Box::new(Told { departure: departure(), begun: clock.now(), handed_over: false, observers, clock })
        }))
    }

    pub(crate) fn is_observed(&self) -> bool {
        self.0.is_some()
    }

    /// The message was handed over.
    pub(crate) fn begin(&mut self, outgoing: &Outgoing) {
        if let Some(told) = &mut self.0 {
            (told.begun, told.handed_over) = (told.clock.now(), true);
            told.observers.tell(|| Event::Sending { message: told.departure.message(Some(outgoing)) });
        }
    }

    /// This became of it.
    pub(crate) fn end(&mut self, outcome: &PublishOutcome) {
        let Some(told) = self.0.take() else { return };
        let took = told.clock.now().saturating_duration_since(told.begun);
        let message = told.departure.message(None);
        told.observers.tell(|| match outcome {
            PublishOutcome::Confirmed => Event::Sent { message, took },
            outcome => Event::SendFailed { message, took, outcome },
        });
    }

    /// With the confirm that its sender waits for.
    pub(crate) fn watch(self, confirm: Confirm) -> Watched {
        Watched { confirm, sending: self }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if self.0.as_ref().is_some_and(|told| told.handed_over) {
            self.end(&PublishOutcome::Unknown("nobody waited for the broker's answer any more".into()));
        }
    }
}

/// A confirm that somebody waits for, and what observers are told of it.
#[derive(Debug)]
pub(crate) struct Watched {
    confirm: Confirm,
    pub(crate) sending: Sending,
}

impl Future for Watched {
    type Output = PublishOutcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<PublishOutcome> {
        Pin::new(&mut self.confirm).poll(cx)
    }
}

impl Drop for Watched {
    /// Nobody waits; what is known is told all the same.
    fn drop(&mut self) {
        if self.sending.is_observed()
            && let Some(outcome) = (&mut self.confirm).now_or_never()
        {
            self.sending.end(&outcome);
        }
    }
}
