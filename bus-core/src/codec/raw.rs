use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    endpoint::REDELIVERIES,
    envelope::{Envelope, HeaderValue, Headers, Host},
    transport::Delivery,
};

/// The media type of raw JSON: the body is the payload, everything else stands in transport headers.
pub(crate) const RAW: &str = "application/json";

/// The transport headers that carry what an envelope would (MassTransit's raw JSON serializer).
const MESSAGE_ID: &str = "MessageId";
const CORRELATION_ID: &str = "CorrelationId";
const CONVERSATION_ID: &str = "ConversationId";
const REQUEST_ID: &str = "RequestId";
const INITIATOR_ID: &str = "MT-InitiatorId";
const MESSAGE_TYPE: &str = "MT-MessageType";
const SOURCE: &str = "MT-Source-Address";
const RESPONSE: &str = "MT-Response-Address";
const FAULT: &str = "MT-Fault-Address";
const HOST: &str = "MT-Host-Info";

/// A raw JSON body and its headers as the envelope they stand for. An empty body is `{}`; ids fall back to
/// the transport's own; all other headers are the message's.
pub(crate) fn read_raw(delivery: &Delivery) -> Envelope {
    let headers = &delivery.headers;
    let text = |name: &str| headers.text(name).filter(|text| !text.is_empty());
    let id = |name: &str| text(name).and_then(|text| Uuid::parse_str(text.trim()).ok());
    let own = |id: &Option<Arc<str>>| id.as_deref().and_then(|text| Uuid::parse_str(text.trim()).ok());
    let mut envelope = Envelope::default();
    envelope.message = if delivery.body.is_empty() { Bytes::from_static(b"{}") } else { delivery.body.clone() };
    envelope.message_id = id(MESSAGE_ID).or_else(|| own(&delivery.message_id));
    envelope.correlation_id = id(CORRELATION_ID).or_else(|| own(&delivery.correlation_id));
    envelope.conversation_id = id(CONVERSATION_ID);
    envelope.request_id = id(REQUEST_ID);
    envelope.initiator_id = id(INITIATOR_ID);
    envelope.source_address = text(SOURCE).map(str::to_owned);
    envelope.response_address = text(RESPONSE).map(str::to_owned);
    envelope.fault_address = text(FAULT).map(str::to_owned);
    envelope.message_type =
        text(MESSAGE_TYPE).map(|urns| urns.split(';').map(|urn| urn.trim().to_owned()).collect()).unwrap_or_default();
    envelope.set_headers(&message_headers(headers));
    envelope
}

fn message_headers(headers: &Headers) -> Map<String, Value> {
    const OURS: [&str; 6] = [MESSAGE_ID, CORRELATION_ID, CONVERSATION_ID, REQUEST_ID, "Content-Type", "ContentType"];
    // What an envelope would have among its headers, too.
    const KEPT: [&str; 2] = [REDELIVERIES, "MT-OriginalMessageId"];
    let of_the_message = |name: &str| {
        let transports = ["MT-", "x-dotnet-", "Bus-"];
        !OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name))
            && (KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(name))
                || !transports
                    .iter()
                    .any(|prefix| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))))
    };
    let simple = headers.iter().filter(|(name, _)| of_the_message(name));
    simple.filter_map(|(name, value)| Some((name.to_owned(), json(value)?))).collect()
}

/// A transport header as JSON; none for what JSON has no simple form of.
fn json(value: &HeaderValue) -> Option<Value> {
    Some(match value {
        HeaderValue::Bool(value) => Value::from(*value),
        HeaderValue::Int8(value) => Value::from(*value),
        HeaderValue::Int16(value) => Value::from(*value),
        HeaderValue::Int32(value) => Value::from(*value),
        HeaderValue::Int64(value) => Value::from(*value),
        HeaderValue::UInt8(value) => Value::from(*value),
        HeaderValue::UInt16(value) => Value::from(*value),
        HeaderValue::UInt32(value) => Value::from(*value),
        HeaderValue::Float(value) => Value::from(*value),
        HeaderValue::Double(value) => Value::from(*value),
        HeaderValue::Text(text) => Value::from(text.as_ref()),
        HeaderValue::Bytes(bytes) => Value::from(std::str::from_utf8(bytes).ok()?),
        HeaderValue::Time(time) => Value::from(crate::envelope::date::trimmed(*time)),
        _ => return None,
    })
}

/// What an envelope would say of a message, for [`write_raw_headers`].
pub(crate) struct Around<'a> {
    pub(crate) message_id: Uuid,
    pub(crate) correlation_id: Option<Uuid>,
    pub(crate) conversation_id: Uuid,
    pub(crate) request_id: Option<Uuid>,
    pub(crate) initiator_id: Option<Uuid>,
    pub(crate) message_type: &'a [String],
    pub(crate) source_address: &'a str,
    pub(crate) response_address: Option<&'a str>,
    pub(crate) fault_address: Option<&'a str>,
}

/// Adds MassTransit's headers of a raw message; what is missing is left out.
pub(crate) fn write_raw_headers(around: &Around<'_>, headers: &mut Headers) {
    let mut set = |name: &'static str, value: Option<String>| {
        if let Some(value) = value {
            headers.set(name, value);
        }
    };
    let id = |id: Option<Uuid>| id.map(|id| id.to_string());
    set(MESSAGE_ID, id(Some(around.message_id)));
    set(CORRELATION_ID, id(around.correlation_id));
    set(CONVERSATION_ID, id(Some(around.conversation_id)));
    set(REQUEST_ID, id(around.request_id));
    set(INITIATOR_ID, id(around.initiator_id));
    set(MESSAGE_TYPE, Some(around.message_type.join(";")));
    set(SOURCE, Some(around.source_address.to_owned()));
    set(RESPONSE, around.response_address.map(str::to_owned));
    set(FAULT, around.fault_address.map(str::to_owned));
    set(HOST, Some(Host::current_pascal_json().to_owned()));
}
