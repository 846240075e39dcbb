use std::{fmt::Debug, future::Future, pin::Pin, sync::Arc, time::Instant};

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
    pub prefetch: u16,
    /// What only one transport knows.
    pub extensions: Extensions,
}

impl ReceiverSettings {
    /// A receiver of `queue`.
    #[must_use]
    pub fn new(queue: Arc<str>, prefetch: u16) -> Self {
        Self { queue, prefetch, extensions: Extensions::new() }
    }
}

/// The stream of events of one queue.
///
/// It mends itself: after [`Event::Lost`] it goes on trying, and deliveries come again. Dropping it
/// releases what is not settled.
pub trait Receiver: Debug + Send + 'static {
    /// Waits for events and appends between one and `max` of them to `into`.
    ///
    /// Safe to cancel: an event that was not appended comes with the next call.
    fn next<'a>(&'a mut self, max: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// Asks the broker for no more deliveries. What was delivered can still be settled.
    fn pause(&mut self);

    /// Ends the subscription: gives settlements under way until the deadline, then returns the rest.
    fn close(self: Box<Self>, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// What a [`Receiver`] tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message. Boxed, since the other events are small.
    Delivery(Box<Delivery>),
    /// A lane is ours from now on.
    Assigned(Lane),
    /// A lane goes to another receiver at the deadline.
    Revoked(Lane, Instant),
    /// It goes on, but not well.
    Degraded(Cause),
    /// The subscription is gone; unsettled deliveries will come again. The receiver tries to come back.
    Lost(Cause),
    /// The subscription works (again).
    Restored,
}

/// Why a subscription is lost or degraded.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// One message, delivered to this process and not settled yet.
#[derive(Debug)]
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
    pub redelivered: bool,
    /// How often the broker says that it delivered it, where it counts.
    pub broker_deliveries: Option<u32>,
    /// The lane, where the broker has lanes.
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
            lane: None,
            lease: None,
            extensions: Extensions::new(),
            unsettled,
        }
    }
}

/// An ordered part of a queue: a session, a partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane(pub Arc<str>);

/// Until when a delivery is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The end, unless renewed.
    pub until: Instant,
}
