use std::{
    fmt::{self, Debug},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Class, Extensions, Lane, Outcome, Pending, Permit, Reserve, Window};
use crate::{BoxError, address::Destination, envelope::Headers, topology::Topology};

/// The way out of the process.
///
/// A message is handed over in two steps: [`ready`](Self::ready) waits for room in the window, and
/// [`submit`](Self::submit) takes the message without waiting, so that a caller can close over it.
pub trait Publisher: Debug + Send + Sync + 'static {
    /// The window that bounds what is under way.
    fn window(&self) -> &Arc<Window>;

    /// Waits for room for `bytes`.
    fn ready(&self, bytes: usize, class: Class) -> Reserve {
        self.window().reserve(bytes, class)
    }

    /// Says what publishing to a topic needs: it is brought about before the first message of each
    /// connection that goes there. Without a word the topic alone is made, as a fanout.
    fn announce(&self, topic: &Arc<str>, needs: Arc<Topology>);

    /// Takes the message. Its permit is held until the broker confirmed it or the connection that it was written to is
    /// gone; its deadline tells the caller, and frees only what was not written yet.
    ///
    /// Order of submission is order of sending. In an outage the message waits until its deadline.
    fn submit(&self, permit: Permit, message: Outgoing) -> Confirm;
}

/// The outcome of a [`Publisher::submit`].
pub type Confirm = Pending<PublishOutcome>;

/// A message on its way out.
#[derive(Clone)]
#[non_exhaustive]
pub struct Outgoing {
    /// Where to.
    pub to: Destination,
    /// The body.
    pub body: Bytes,
    /// The media type of the body.
    pub content_type: Option<Arc<str>>,
    /// The id that stays the same however often the message is sent.
    pub message_id: Option<Arc<str>>,
    /// The business id.
    pub correlation_id: Option<Arc<str>>,
    /// The transport's headers.
    pub headers: Headers,
    /// What bindings look at; empty unless somebody asked for it.
    pub routing_key: Option<Arc<str>>,
    /// 0 to 255, the higher the sooner, where a queue sorts by it.
    pub priority: Option<u8>,
    /// The ordered part of the queue that it belongs to, where queues have lanes: messages of one key keep their
    /// order. A broker may put many keys into one lane, and a message without a key into any.
    pub lane: Option<Lane>,
    /// How long the message is of use once the broker has it; with a delay, once that is over. Afterwards it is not
    /// delivered: where the broker keeps it all the same, the receiver leaves it out.
    pub time_to_live: Option<Duration>,
    /// How long the broker holds it back first. Longer than [`Capabilities::delay_max`](super::Capabilities::delay_max)
    /// is [`PublishOutcome::Rejected`].
    pub delay: Option<Duration>,
    /// Kept through a restart of the broker. The default is `true`.
    pub durable: bool,
    /// A message that reaches no queue is [`PublishOutcome::Unroutable`]; on a broker without queues, one that
    /// no group of receivers reads. The default is `false`.
    pub mandatory: bool,
    /// When to give up.
    pub deadline: Instant,
    /// What only one transport knows.
    pub extensions: Extensions,
}

impl Outgoing {
    /// A durable message without headers.
    #[must_use]
    pub fn new(to: Destination, body: Bytes, deadline: Instant) -> Self {
        Self {
            to,
            body,
            content_type: None,
            message_id: None,
            correlation_id: None,
            headers: Headers::new(),
            routing_key: None,
            priority: None,
            lane: None,
            time_to_live: None,
            delay: None,
            durable: true,
            mandatory: false,
            deadline,
            extensions: Extensions::new(),
        }
    }
}

/// What became of a message that was handed over.
#[derive(Debug)]
#[non_exhaustive]
pub enum PublishOutcome {
    /// The broker has it.
    Confirmed,
    /// No queue wanted it, and the message was mandatory. The broker does not have it.
    Unroutable,
    /// The broker refused it, and would refuse it again. It does not have it; but where a message for several queues
    /// was refused by one of them, the others may have it, and the reason says so. An answer all the same: sent again
    /// until it is taken, it would come to the others each time.
    Rejected(BoxError),
    /// It was never sent.
    NotSent(BoxError),
    /// It was sent, and nothing came back: the broker may or may not have it.
    Unknown(BoxError),
}

impl Outcome for PublishOutcome {
    fn abandoned() -> Self {
        Self::Unknown("the transport ended before the broker answered".into())
    }
}

impl fmt::Debug for Outgoing {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("to", &self.to)
            .field("bytes", &self.body.len())
            .field("content_type", &self.content_type)
            .field("message_id", &self.message_id)
            .field("headers", &self.headers)
            .field("lane", &self.lane)
            .field("delay", &self.delay)
            .field("mandatory", &self.mandatory)
            .finish_non_exhaustive()
    }
}
