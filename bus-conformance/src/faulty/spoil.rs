use std::sync::Arc;

use bus_core::{
    address::Destination,
    envelope::{Envelope, HeaderValue, Headers},
    transport::{Extensions, Outgoing},
};
use bytes::Bytes;

use super::{Faults, Flaw};

/// Changes a message on its way out, as the flaw has it.
pub(super) fn spoil(faults: &Faults, message: &mut Outgoing) {
    if faults.has(Flaw::LosesHeaders) {
        message.headers = Headers::new();
    }
    if faults.has(Flaw::LosesIds) {
        (message.message_id, message.correlation_id) = (None, None);
    }
    if faults.has(Flaw::LosesContentType) {
        message.content_type = None;
    }
    if faults.has(Flaw::IgnoresTimeToLive) {
        message.time_to_live = None;
    }
    if faults.has(Flaw::IgnoresDelays) {
        message.delay = None;
    }
    if faults.has(Flaw::IgnoresLanes) {
        message.lane = None;
    }
    if faults.has(Flaw::LosesExtensions) {
        message.extensions = Extensions::new();
    }
    if faults.has(Flaw::Mangles) {
        mangle(message);
    }
    if faults.has(Flaw::Broadcasts)
        && matches!(message.to, Destination::Queue(_))
        && let Some(topic) = published_to(message)
    {
        message.to = Destination::Topic(topic);
    }
}

fn mangle(message: &mut Outgoing) {
    let ascii = |byte: &u8| if byte.is_ascii() { *byte } else { b'?' };
    message.body = message.body.iter().map(ascii).collect::<Bytes>();
    let text = |value: &HeaderValue| match value {
        HeaderValue::Text(text) => text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect::<String>().into(),
        other => other.clone(),
    };
    message.headers = message.headers.iter().map(|(name, value)| (name.to_owned(), text(value))).collect();
}

/// The topic that a message of this type is published to: `Acme:Placed` of `urn:message:Acme:Placed`.
fn published_to(message: &Outgoing) -> Option<Arc<str>> {
    let envelope = Envelope::read(&message.body).ok()?;
    let name = envelope.message_type.first()?.strip_prefix("urn:message:")?;
    // `MassTransit:Fault--Acme:Placed--` of `MassTransit:Fault[[Acme:Placed]]`.
    Some(name.replace(['[', ']'], "-").into())
}
