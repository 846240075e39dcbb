use std::time::Instant;

use bus_core::{
    BoxError,
    address::Destination,
    transport::{Completer, EnsureQueue, Outgoing, Permit, PublishOutcome},
};

use crate::{encode, topology::Need};

/// A message that was handed over and is not done with.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) message: Outgoing,
    /// Taken when the outcome was told: at the deadline that is before the broker answered.
    completer: Option<Completer<PublishOutcome>>,
    _permit: Permit,
    /// How many were submitted before it.
    pub(crate) order: u64,
    /// lapin had it once: the broker may have it.
    pub(crate) handed: bool,
    /// It was under way when a channel was closed, or a connection over what was sent, and may be why.
    pub(crate) suspect: bool,
    /// How many connections the broker ended while it flew alone.
    pub(crate) ended: u32,
    /// The bytes of its headers.
    pub(crate) headers: usize,
    /// Its queue was made once more already.
    pub(crate) ensured_again: bool,
}

impl Entry {
    pub(crate) fn new(message: Outgoing, headers: usize, completer: Completer<PublishOutcome>, permit: Permit) -> Self {
        Self {
            message,
            completer: Some(completer),
            _permit: permit,
            order: 0,
            handed: false,
            suspect: false,
            ended: 0,
            headers,
            ensured_again: false,
        }
    }

    /// When to give up; none once the outcome was told.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.completer.as_ref().map(|_| self.message.deadline)
    }

    /// Tells the outcome. Only the first one counts.
    pub(crate) fn tell(&mut self, outcome: PublishOutcome) {
        if let Some(completer) = self.completer.take() {
            completer.complete(outcome);
        }
    }

    /// Tells that there is no answer: the broker may have it only if lapin had it.
    pub(crate) fn give_up(&mut self, why: impl Into<BoxError>) {
        let why = why.into();
        self.tell(if self.handed { PublishOutcome::Unknown(why) } else { PublishOutcome::NotSent(why) });
    }

    pub(crate) fn mandatory(&self) -> bool {
        encode::mandatory(&self.message)
    }

    /// What is to be made if it is missing: what delays the message, or its queue.
    pub(crate) fn ensured(&self) -> Option<Need> {
        match &self.message.to {
            Destination::Queue(name) if encode::delay(&self.message).is_some() => Some(Need::Delay(name.clone())),
            Destination::Queue(name) => {
                let EnsureQueue { like } = self.message.extensions.get()?;
                Some(Need::Queue { name: name.clone(), like: like.clone() })
            }
            Destination::Topic(_) => None,
        }
    }

    /// What has to exist before it can be sent.
    pub(crate) fn need(&self) -> Option<Need> {
        match &self.message.to {
            Destination::Topic(name) => Some(Need::Exchange(name.clone())),
            Destination::Queue(_) => self.ensured(),
        }
    }

    /// Where it goes: order counts among those that go to the same place.
    pub(crate) fn place(&self) -> &Destination {
        &self.message.to
    }
}
