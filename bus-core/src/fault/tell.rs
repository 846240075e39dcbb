use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use super::{ExceptionInfo, Reason, move_aside::REDELIVERED};
use crate::{
    MessageType,
    address::Address,
    consumer::EndpointContext,
    endpoint::{Stopped, Stopping, insist},
    envelope::{CONTENT_TYPE, Envelop, Host, Incoming, date},
    observer::Event,
    transport::{Outgoing, PublishOutcome},
};

/// The body of a [`Fault`](super::Fault), with the failed message as it arrived; or of MassTransit's
/// `ReceiveFault`, which has no message since it could not be read.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    fault_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    faulted_message_id: Option<Uuid>,
    #[serde(with = "date")]
    timestamp: std::time::SystemTime,
    exceptions: [ExceptionInfo; 1],
    host: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault_message_types: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a RawValue>,
}

/// A failure to be told of.
pub(crate) struct Told<'a> {
    /// Which fault it is.
    pub(crate) fault_type: &'static MessageType,
    pub(crate) reason: &'a Reason,
    pub(crate) retries: u32,
    /// Missing if the body was no envelope.
    pub(crate) incoming: Option<&'a Incoming>,
    /// The message as the failed consumer takes it.
    pub(crate) message: Option<Box<RawValue>>,
    /// Of a body that was no envelope.
    pub(crate) content_type: Option<&'a str>,
}

/// Tells others that a message failed: at its fault address, else at its response address, else everybody.
///
/// # Errors
/// [`Stopped`] if the endpoint stopped before the broker had it.
pub(crate) async fn tell(told: Told<'_>, endpoint: &EndpointContext, stopping: &Stopping) -> Result<(), Stopped> {
    let fault = told.fault_type.urn();
    let Some((outgoing, address, published)) = compose(&told, endpoint) else {
        return Ok(());
    };
    endpoint.outlet.observe(|| Event::Sent {
        published,
        message_type: told.fault_type,
        message: &outgoing,
        address: &address,
        by: Some(&endpoint.name),
    });
    match insist(outgoing, endpoint, stopping).await? {
        PublishOutcome::Confirmed => {}
        // Whoever wanted to know is gone. The message itself goes to `_error` all the same.
        outcome => tracing::warn!(endpoint = &*endpoint.name, fault, ?outcome, "nobody was told of a fault"),
    }
    Ok(())
}

/// The fault, its address, and whether it is published.
fn compose(told: &Told<'_>, endpoint: &EndpointContext) -> Option<(Outgoing, String, bool)> {
    let Told { fault_type, reason, retries, incoming, content_type, .. } = *told;
    let outlet = &endpoint.outlet;
    let envelope = incoming.map(|incoming| &incoming.envelope);
    let route = envelope
        .and_then(|envelope| envelope.fault_address.as_deref().or(envelope.response_address.as_deref()))
        .and_then(|address| outlet.resolve(&address.parse::<Address>().ok()?).ok());
    let published = route.is_none();
    let route = route.unwrap_or_else(|| outlet.topic(fault_type));
    let timestamp = outlet.clock.wall();
    let body = Body {
        fault_id: Uuid::now_v7(),
        faulted_message_id: envelope.and_then(|envelope| envelope.message_id),
        timestamp,
        exceptions: [reason.exception.clone()],
        host: Host::current_json(),
        fault_message_types: envelope.map(|envelope| &*envelope.message_type),
        content_type,
        // What does not fit the consumer's type is told of as it arrived.
        message: told
            .message
            .as_deref()
            .or_else(|| envelope.and_then(|envelope| serde_json::from_slice(&envelope.message).ok())),
    };
    let mut headers = incoming.map(crate::send::inherited_headers).unwrap_or_default();
    let redeliveries = incoming.map_or(0, Incoming::redeliveries);
    let counts = [("MT-Fault-RetryCount", retries), (REDELIVERED, redeliveries)].into_iter().filter(|(_, n)| *n > 0);
    headers.extend(counts.clone().map(|(name, count)| (name.to_owned(), Value::from(count))));
    let message_id = Uuid::now_v7();
    let correlation_id = envelope.and_then(|envelope| envelope.correlation_id);
    let written = Envelop {
        message_id,
        request_id: envelope.and_then(|envelope| envelope.request_id),
        correlation_id,
        conversation_id: envelope.and_then(|envelope| envelope.conversation_id).unwrap_or_else(Uuid::now_v7),
        initiator_id: envelope.and_then(|envelope| envelope.correlation_id.or(envelope.request_id)),
        source_address: &endpoint.address,
        destination_address: &route.address,
        response_address: None,
        fault_address: None,
        message_type: fault_type.urns(),
        message: &body,
        expiration_time: None,
        sent_time: timestamp,
        headers: &headers,
        host: Host::current_json(),
    }
    .to_bytes();
    let mut outgoing = match written {
        Ok(body) => Outgoing::new(route.destination.clone(), body, outlet.clock.after(outlet.timeout)),
        Err(error) => {
            // Nothing in it can fail to be written; if it does, `_error` still has the message.
            tracing::error!(endpoint = &*endpoint.name, %error, "a fault could not be written");
            return None;
        }
    };
    outgoing.content_type = Some(Arc::from(CONTENT_TYPE));
    outgoing.message_id = Some(message_id.to_string().into());
    outgoing.correlation_id = correlation_id.map(|id| id.to_string().into());
    outgoing.headers = crate::send::transport_headers(&headers);
    for (name, count) in counts {
        // MassTransit types these with 32 bits.
        outgoing.headers.set(name, i32::try_from(count).unwrap_or(i32::MAX));
    }
    Some((outgoing, route.address.clone(), published))
}
