use std::{fmt, sync::Arc, time::Duration};

use uuid::Uuid;

use crate::{
    Error, MessageType,
    envelope::Incoming,
    transport::{Outgoing, PublishOutcome, SettleOutcome},
};

/// What happens on a bus. There will be more of them, and more in each.
///
/// Times are measured by the bus's [clock](crate::clock::Clock).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The bus receives, and messages can be sent.
    #[non_exhaustive]
    BusStarted {},
    /// A start failed; nothing of it is left, and it may be called again.
    #[non_exhaustive]
    BusStartFailed {
        /// What `start()` returns.
        error: &'a Error,
    },
    /// The handlers are done, or were cancelled at the deadline, and the rest is back in its queues.
    #[non_exhaustive]
    BusStopped {},
    /// An endpoint receives.
    #[non_exhaustive]
    EndpointStarted {
        /// Its name.
        endpoint: &'a str,
    },
    /// An endpoint does not do its work: its subscription is lost, or messages are held because of the broker or the
    /// store. It goes on trying. Told again only after it [recovered](Self::EndpointRecovered).
    #[non_exhaustive]
    EndpointDegraded {
        /// Its name.
        endpoint: &'a str,
        /// Why.
        why: &'a str,
    },
    /// It works again.
    #[non_exhaustive]
    EndpointRecovered {
        /// Its name.
        endpoint: &'a str,
        /// How long it did not.
        after: Duration,
    },
    /// An endpoint's handlers are done or cancelled, and it receives no more.
    #[non_exhaustive]
    EndpointStopped {
        /// Its name.
        endpoint: &'a str,
    },
    /// A message of the program's, or a fault, was handed to the transport. Exactly one
    /// [`Sent`](Self::Sent) or [`SendFailed`](Self::SendFailed) follows.
    #[non_exhaustive]
    Sending {
        /// The message.
        message: SentMessage<'a>,
    },
    /// The broker confirmed that it has the message.
    #[non_exhaustive]
    Sent {
        /// The message.
        message: SentMessage<'a>,
        /// How long that took.
        took: Duration,
    },
    /// The broker did not confirm the message. Without a [`Sending`](Self::Sending) before it there was no room in
    /// the window until its deadline.
    #[non_exhaustive]
    SendFailed {
        /// The message.
        message: SentMessage<'a>,
        /// How long that took.
        took: Duration,
        /// What became of it; [`PublishOutcome::Unknown`] also if its sender stopped waiting: it was cancelled, or
        /// the attempt that sent it failed first.
        outcome: &'a PublishOutcome,
    },
    /// A message arrived at an endpoint, and it is its turn. Exactly one [`Completed`](Self::Completed),
    /// [`Moved`](Self::Moved), [`Redelivered`](Self::Redelivered) or [`Returned`](Self::Returned) follows.
    #[non_exhaustive]
    Received {
        /// The message.
        message: ReceivedMessage<'a>,
    },
    /// A consumer handled a message: its attempt succeeded, or discarded the message, and what it sent is confirmed.
    /// The message itself is not acknowledged yet.
    #[non_exhaustive]
    Consumed {
        /// The message, at its consumer.
        handling: Handling<'a>,
        /// Which attempt it was; the first is 0.
        attempt: u32,
        /// How long that attempt took, with its filters and confirms.
        took: Duration,
    },
    /// A message came again that this consumer had handled; with an outbox. It does not run.
    #[non_exhaustive]
    Duplicate {
        /// The message, at its consumer.
        handling: Handling<'a>,
    },
    /// An attempt failed. The last one of a delivery is told when all consumers are done with it, for what comes next
    /// depends on each of them; and not at all if the endpoint stops before that, for then the message comes again.
    #[non_exhaustive]
    AttemptFailed {
        /// The message, at its consumer.
        handling: Handling<'a>,
        /// Which attempt it was; the first is 0.
        attempt: u32,
        /// How long it took, with its filters and confirms.
        took: Duration,
        /// What the error says, and what is behind it.
        error: &'a str,
        /// The Rust type of the error; `panic` for one.
        error_type: &'static str,
        /// What comes next.
        next: Next,
    },
    /// The message was acknowledged.
    #[non_exhaustive]
    Completed {
        /// The message.
        message: ReceivedMessage<'a>,
        /// How long it was at work, with pauses between attempts.
        took: Duration,
    },
    /// The message lies in the queue beside its endpoint's, `_error` or `_skipped`.
    #[non_exhaustive]
    Moved {
        /// The message.
        message: ReceivedMessage<'a>,
        /// The queue's name.
        queue: &'a str,
        /// Why, as the message's own header says it.
        why: &'a str,
        /// How long it was at work, with pauses between attempts.
        took: Duration,
    },
    /// The message comes again after a delay, as a new one: a consumer failed, and the endpoint has
    /// [`redeliver`](crate::bus::EndpointBuilder::redeliver).
    #[non_exhaustive]
    Redelivered {
        /// The message.
        message: ReceivedMessage<'a>,
        /// Which round of redelivery begins; the first is 1.
        round: u32,
        /// How long the delay is.
        after: Duration,
        /// Why: what the first error says.
        why: &'a str,
        /// How long it was at work, with pauses between attempts.
        took: Duration,
    },
    /// The message goes back to its queue, or is there already, and comes again: the endpoint stops, its handler was
    /// cancelled, or the broker did not take its settlement.
    #[non_exhaustive]
    Returned {
        /// The message.
        message: ReceivedMessage<'a>,
        /// What the broker said of its settlement, if there was one.
        outcome: Option<SettleOutcome>,
        /// How long it was at work, with pauses between attempts.
        took: Duration,
    },
}

/// What comes after an attempt that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Another attempt, after a pause.
    Retry {
        /// How long the pause is.
        after: Duration,
    },
    /// Another attempt, which is not counted: the broker, or the store, is not reachable.
    Held,
    /// Nothing: the error says that the message counts as handled. [`Event::Consumed`] follows.
    Discarded,
    /// The message comes again: its next round of redelivery.
    Redeliver {
        /// How long the delay is.
        after: Duration,
        /// Which round it is; the first is 1.
        round: u32,
    },
    /// The message goes to `_error`.
    Error,
}

/// A message that leaves. Its body is not shown.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct SentMessage<'a> {
    /// It was published; else it was sent to one address.
    pub published: bool,
    /// The URN of its type.
    pub message_type: &'a str,
    /// Where to: an absolute address, without credentials.
    pub address: &'a str,
    /// Its id.
    pub message_id: Uuid,
    /// The business id.
    pub correlation_id: Option<Uuid>,
    /// The conversation that it is part of.
    pub conversation_id: Uuid,
    /// The endpoint whose handler sent it; none outside of handlers.
    pub endpoint: Option<&'a str>,
    /// The size of its body.
    pub bytes: usize,
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "the harness alone looks at it"))]
    pub(crate) kind: &'static MessageType,
    /// While it is handed over.
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "the harness alone looks at it"))]
    pub(crate) outgoing: Option<&'a Outgoing>,
}

/// A message that arrived. Its body is not shown.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ReceivedMessage<'a> {
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// The URNs of its type and its contracts; none if its body could not be read.
    pub message_types: &'a [String],
    /// Its id, if its sender gave it one.
    pub message_id: Option<Uuid>,
    /// The business id.
    pub correlation_id: Option<Uuid>,
    /// The conversation that it is part of.
    pub conversation_id: Option<Uuid>,
    /// The size of its body.
    pub bytes: usize,
    /// It was delivered before, here or elsewhere, or is redelivered.
    pub redelivered: bool,
}

/// A message at one of its consumers.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Handling<'a> {
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// The consumer's name.
    pub consumer: &'a str,
    /// The URN of the type that the consumer takes.
    pub message_type: &'a str,
    /// The message's id, if its sender gave it one.
    pub message_id: Option<Uuid>,
    /// The business id.
    pub correlation_id: Option<Uuid>,
    /// The conversation that it is part of.
    pub conversation_id: Option<Uuid>,
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "the harness alone looks at it"))]
    pub(crate) kind: &'static MessageType,
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "the harness alone looks at it"))]
    pub(crate) incoming: &'a Arc<Incoming>,
}

impl<'a> Handling<'a> {
    pub(crate) fn new(
        endpoint: &'a str,
        consumer: &'a str,
        kind: &'static MessageType,
        incoming: &'a Arc<Incoming>,
    ) -> Self {
        let envelope = &incoming.envelope;
        Self {
            endpoint,
            consumer,
            message_type: kind.urn(),
            message_id: envelope.message_id,
            correlation_id: envelope.correlation_id,
            conversation_id: envelope.conversation_id,
            kind,
            incoming,
        }
    }
}

impl fmt::Debug for SentMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentMessage")
            .field("published", &self.published)
            .field("message_type", &self.message_type)
            .field("address", &self.address)
            .field("message_id", &self.message_id)
            .field("correlation_id", &self.correlation_id)
            .field("conversation_id", &self.conversation_id)
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Handling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handling")
            .field("endpoint", &self.endpoint)
            .field("consumer", &self.consumer)
            .field("message_type", &self.message_type)
            .field("message_id", &self.message_id)
            .field("correlation_id", &self.correlation_id)
            .field("conversation_id", &self.conversation_id)
            .finish_non_exhaustive()
    }
}
