use std::{
    fmt::{self, Debug},
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Extensions, Unsettled};
use crate::envelope::Headers;

/// What to receive, and how much at once.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReceiverSettings {
    /// The queue's name.
    pub queue: Arc<str>,
    /// How many unsettled deliveries the receiver may hold. At least 1.
    ///
    /// Where there are lanes, the transport shares it out among those of the receiver: the bus handles a lane's
    /// messages one after the other, and a slow lane that may have all places gets them all in the end.
    pub prefetch: u16,
    /// Messages come back to the queue after delays of up to this; none if it has no redelivery.
    pub redelivers: Option<Duration>,
    /// What only one transport knows.
    pub extensions: Extensions,
}

impl ReceiverSettings {
    /// A receiver of `queue`.
    #[must_use]
    pub fn new(queue: Arc<str>, prefetch: u16) -> Self {
        Self { queue, prefetch, redelivers: None, extensions: Extensions::new() }
    }
}

/// The stream of events of one queue.
///
/// It mends itself: after [`Event::Lost`] it goes on trying, and deliveries come again. Dropping it
/// releases what is not settled.
///
/// It is asked for after [`Transport::apply`](super::Transport::apply), from which the transport knows what is bound
/// to the queue: a broker without queues subscribes to that.
pub trait Receiver: Debug + Send + 'static {
    /// Waits for events and appends between one and `max` of them to `into`.
    ///
    /// Safe to cancel: an event that was not appended comes with the next call.
    fn next<'a>(&'a mut self, max: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// Asks the broker for no more deliveries. What was delivered can still be settled: lanes stay ours until
    /// [`close`](Self::close). It holds over a reconnection. The bus still calls [`next`](Self::next), and releases
    /// what was on its way.
    fn pause(&mut self);

    /// Ends the subscription: gives settlements under way until the deadline, then returns the rest. What is
    /// settled after that is [`LeaseLost`](super::SettleOutcome::LeaseLost), unless the broker still takes it.
    fn close(self: Box<Self>, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// What a [`Receiver`] tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message. Boxed, since the other events are small.
    Delivery(Box<Delivery>),
    /// A lane is ours from now on, and its deliveries follow, from the first that is not settled. Where lanes
    /// belong to nobody between their messages, it need not be told.
    Assigned(Lane),
    /// A lane goes to another receiver at the deadline; none of its deliveries follows, unless it is assigned again.
    ///
    /// The bus releases what waits, and cancels what is still at work at the deadline. Until then it can be
    /// settled; afterwards that is [`LeaseLost`](super::SettleOutcome::LeaseLost). A transport may give the lane away
    /// as soon as nothing of it is unsettled.
    Revoked(Lane, Instant),
    /// It goes on, but not well.
    Degraded(Cause),
    /// The subscription is gone, and all lanes with it; unsettled deliveries will come again, and cannot be settled
    /// here. The receiver tries to come back.
    Lost(Cause),
    /// The same, since the broker did not wait longer for a delivery to be settled. The bus cancels the handlers that
    /// took most of that time, and counts it: after five times their message goes to `_error`.
    Overdue(Cause),
    /// The broker ended the subscription, as it does when the queue is deleted: unsettled deliveries may never come
    /// again. The bus handles them to their end, although they cannot be settled here. The receiver tries to come
    /// back.
    Cancelled(Cause),
    /// The subscription works (again).
    Restored,
}

/// Why a subscription is lost or degraded.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// One message, delivered to this process and not settled yet.
#[non_exhaustive]
pub struct Delivery {
    /// The body.
    pub body: Bytes,
    /// The media type, if the sender said one.
    pub content_type: Option<Arc<str>>,
    /// The transport's message id.
    pub message_id: Option<Arc<str>>,
    /// The transport's correlation id.
    pub correlation_id: Option<Arc<str>>,
    /// The transport's headers.
    pub headers: Headers,
    /// What its sender addressed it with, beside the destination.
    pub routing_key: Option<Arc<str>>,
    /// The priority that its sender gave it.
    pub priority: Option<u8>,
    /// Whether it survives a restart of the broker.
    pub durable: bool,
    /// It was delivered before, here or elsewhere, and not settled.
    ///
    /// A broker that does not know may say so too often of what is in a lane. Without a lane each time counts as a
    /// start that may have ended its process: after five the message goes to `_error`.
    pub redelivered: bool,
    /// How often the broker says that it delivered it, where it counts.
    pub broker_deliveries: Option<u32>,
    /// After how many deliveries the broker itself takes it away, or may; none if it never does. At half of it, by
    /// [`broker_deliveries`](Self::broker_deliveries), the bus puts a copy in its place, which to the broker is new.
    /// What has a lane has no copy: it would be the last.
    pub delivery_limit: Option<u32>,
    /// The lane, where the broker has lanes. Its name need not be what the sender wrote in
    /// [`Outgoing::lane`](super::Outgoing::lane): many keys share a partition.
    pub lane: Option<Lane>,
    /// Until when it is ours, where that ends.
    pub lease: Option<Lease>,
    /// What only the transport knows.
    pub extensions: Extensions,
    /// The right to settle it.
    pub unsettled: Unsettled,
}

impl Delivery {
    /// A delivery with nothing but a body.
    #[must_use]
    pub fn new(body: Bytes, unsettled: Unsettled) -> Self {
        Self {
            body,
            content_type: None,
            message_id: None,
            correlation_id: None,
            headers: Headers::new(),
            routing_key: None,
            priority: None,
            durable: true,
            redelivered: false,
            broker_deliveries: None,
            delivery_limit: None,
            lane: None,
            lease: None,
            extensions: Extensions::new(),
            unsettled,
        }
    }
}

/// An ordered part of a queue: a session, a partition. Its messages are handled one after the other: the next one
/// when the one before is settled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane(pub Arc<str>);

/// Until when a delivery is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The end, unless renewed.
    pub until: Instant,
}

impl fmt::Debug for Delivery {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("bytes", &self.body.len())
            .field("content_type", &self.content_type)
            .field("message_id", &self.message_id)
            .field("headers", &self.headers)
            .field("redelivered", &self.redelivered)
            .field("lane", &self.lane)
            .field("lease", &self.lease)
            .field("unsettled", &self.unsettled)
            .finish_non_exhaustive()
    }
}
