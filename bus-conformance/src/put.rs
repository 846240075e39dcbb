use std::{sync::Arc, time::Duration};

use bus_core::{
    address::Destination,
    clock::Clock,
    transport::{Class, Outgoing, PublishOutcome, Transport},
};
use bytes::Bytes;

/// A body for a queue, as a program that knows no bus sends it.
pub(crate) fn to(queue: &str, body: impl Into<Bytes>) -> Outgoing {
    let deadline = Clock::real().after(Duration::from_secs(30));
    let mut message = Outgoing::new(Destination::Queue(queue.into()), body.into(), deadline);
    message.mandatory = true;
    message
}

/// The same, of a media type.
pub(crate) fn of_type(media_type: &'static str, queue: &str, body: impl Into<Bytes>) -> Outgoing {
    let mut message = to(queue, body);
    message.content_type = Some(Arc::from(media_type));
    message
}

/// Sends a message past the bus.
///
/// # Panics
/// If the broker does not confirm it.
pub(crate) async fn put(transport: &dyn Transport, message: Outgoing) {
    let publisher = transport.publisher();
    let permit = publisher.ready(message.body.len(), Class::Application).await;
    let outcome = publisher.submit(permit, message).await;
    assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
}
