use std::{borrow::Cow, fmt, time::SystemTime};

use bytes::Bytes;
use serde::{
    Deserializer as _,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Host, date};

/// MassTransit's JSON envelope, parsed once; the payload stays raw and is decoded per consumer and attempt.
///
/// Member names are compared without regard to case; `null` is absent; the last of a repeated member
/// counts; unknown members are ignored. An id, date or address that cannot be read is absent.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Envelope {
    /// The message's id, the same however often it is sent.
    pub message_id: Option<Uuid>,
    /// The request that this is part of.
    pub request_id: Option<Uuid>,
    /// The business id.
    pub correlation_id: Option<Uuid>,
    /// Carried on from message to message, from the first one of a conversation.
    pub conversation_id: Option<Uuid>,
    /// The correlation id of the message whose handling sent this one.
    pub initiator_id: Option<Uuid>,
    /// Who sent it.
    pub source_address: Option<String>,
    /// Where it was sent.
    pub destination_address: Option<String>,
    /// Where replies go.
    pub response_address: Option<String>,
    /// Where faults go.
    pub fault_address: Option<String>,
    /// The URNs of the message and of the contracts it fulfils.
    pub message_type: Vec<String>,
    /// The payload, raw JSON.
    pub message: Bytes,
    /// When it stops being of use.
    pub expiration_time: Option<SystemTime>,
    /// When it was sent.
    pub sent_time: Option<SystemTime>,
    headers: Option<Bytes>,
    host: Option<Bytes>,
}

/// A body that is no envelope.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// It is no JSON object.
    #[error("the body is no MassTransit envelope: {0}")]
    Json(#[from] serde_json::Error),
    /// It has no payload.
    #[error("the envelope has no `message`")]
    NoMessage,
}

impl Envelope {
    /// Reads a body.
    ///
    /// # Errors
    /// [`EnvelopeError`] if it is no JSON object, or has no `message`.
    pub fn read(body: &Bytes) -> Result<Self, EnvelopeError> {
        let text = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let mut json = serde_json::Deserializer::from_slice(text);
        let envelope = json.deserialize_map(Members { body })?;
        json.end()?;
        if envelope.message.is_empty() { Err(EnvelopeError::NoMessage) } else { Ok(envelope) }
    }

    /// The application's headers and MassTransit's own, as JSON. Parsed at each call.
    pub fn headers(&self) -> serde_json::Map<String, serde_json::Value> {
        self.headers.as_deref().and_then(|raw| serde_json::from_slice(raw).ok()).unwrap_or_default()
    }

    /// Which process sent it. Parsed at each call.
    pub fn host(&self) -> Option<Host> {
        serde_json::from_slice(self.host.as_deref()?).ok()
    }
}

struct Members<'a> {
    body: &'a Bytes,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(member) = map.next_key_seed(MemberName)? {
            let Some(member) = member else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let raw: &RawValue = map.next_value()?;
            envelope.set(member, raw.get(), self.body);
        }
        Ok(envelope)
    }
}

impl Envelope {
    fn set(&mut self, member: Member, raw: &str, body: &Bytes) {
        match member {
            Member::MessageId => self.message_id = id(raw),
            Member::RequestId => self.request_id = id(raw),
            Member::CorrelationId => self.correlation_id = id(raw),
            Member::ConversationId => self.conversation_id = id(raw),
            Member::InitiatorId => self.initiator_id = id(raw),
            Member::SourceAddress => self.source_address = owned(raw),
            Member::DestinationAddress => self.destination_address = owned(raw),
            Member::ResponseAddress => self.response_address = owned(raw),
            Member::FaultAddress => self.fault_address = owned(raw),
            Member::MessageType => self.message_type = serde_json::from_str(raw).unwrap_or_default(),
            Member::Message => self.message = part(raw, body).unwrap_or_default(),
            Member::ExpirationTime => self.expiration_time = text(raw).and_then(|text| date::parse(&text)),
            Member::SentTime => self.sent_time = text(raw).and_then(|text| date::parse(&text)),
            Member::Headers => self.headers = part(raw, body).filter(|part| part.as_ref() != b"{}"),
            Member::Host => self.host = part(raw, body),
        }
    }
}

/// A part of the body, without a copy; `None` for `null`.
fn part(raw: &str, body: &Bytes) -> Option<Bytes> {
    (raw != "null").then(|| body.slice_ref(raw.as_bytes()))
}

/// A text, without a copy where it has no escapes; `None` for `null` and for what is no text.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

fn owned(raw: &str) -> Option<String> {
    text(raw).map(Cow::into_owned).filter(|text| !text.is_empty())
}

fn id(raw: &str) -> Option<Uuid> {
    Uuid::parse_str(text(raw)?.trim()).ok()
}

#[derive(Clone, Copy)]
enum Member {
    MessageId,
    RequestId,
    CorrelationId,
    ConversationId,
    InitiatorId,
    SourceAddress,
    DestinationAddress,
    ResponseAddress,
    FaultAddress,
    MessageType,
    Message,
    ExpirationTime,
    SentTime,
    Headers,
    Host,
}

const MEMBERS: [(&str, Member); 15] = [
    ("messageId", Member::MessageId),
    ("requestId", Member::RequestId),
    ("correlationId", Member::CorrelationId),
    ("conversationId", Member::ConversationId),
    ("initiatorId", Member::InitiatorId),
    ("sourceAddress", Member::SourceAddress),
    ("destinationAddress", Member::DestinationAddress),
    ("responseAddress", Member::ResponseAddress),
    ("faultAddress", Member::FaultAddress),
    ("messageType", Member::MessageType),
    ("message", Member::Message),
    ("expirationTime", Member::ExpirationTime),
    ("sentTime", Member::SentTime),
    ("headers", Member::Headers),
    ("host", Member::Host),
];

struct MemberName;

impl<'de> DeserializeSeed<'de> for MemberName {
    type Value = Option<Member>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Option<Member>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberName {
    type Value = Option<Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<Member>, E> {
        Ok(MEMBERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, member)| *member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Envelope, EnvelopeError> {
        Envelope::read(&Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn the_smallest_envelope_and_names_in_any_case_are_read() {
        let envelope = read(r#"{"messageType":["urn:message:A:B"],"message":{"x":1}}"#).unwrap();
        assert_eq!(envelope.message_type, ["urn:message:A:B"]);
        assert_eq!(envelope.message.as_ref(), br#"{"x":1}"#);
        assert_eq!(envelope.message_id, None);

        let id = "0193b1e2-7c5e-7d3a-9f00-aabbccddeeff";
        let body = format!(r#"{{"MESSAGE":1,"Message":{{}},"MessageId":"{id}","nope":[{{}}],"SourceAddress":"a\/b"}}"#);
        let envelope = read(&body).unwrap();
        assert_eq!(envelope.message.as_ref(), b"{}", "the last one counts");
        assert_eq!(envelope.message_id, Some(id.parse().unwrap()));
        assert_eq!(envelope.source_address.as_deref(), Some("a/b"));
    }

    #[test]
    fn a_bad_optional_member_is_absent() {
        let envelope =
            read(r#"{"message":{},"messageId":"x","sentTime":5,"messageType":"one","headers":null,"host":7}"#).unwrap();
        assert_eq!((envelope.message_id, envelope.sent_time), (None, None));
        assert!(envelope.message_type.is_empty() && envelope.headers().is_empty() && envelope.host().is_none());
    }

    #[test]
    fn what_is_no_envelope_says_so() {
        let check = |body: &str, expected: &str| assert_eq!(read(body).unwrap_err().to_string(), expected);
        check("not-json", "the body is no MassTransit envelope: expected ident at line 1 column 2");
        check("", "the body is no MassTransit envelope: EOF while parsing a value at line 1 column 0");
        check(
            "[]",
            "the body is no MassTransit envelope: invalid type: sequence, expected a JSON object at line 1 column 0",
        );
        check("{}", "the envelope has no `message`");
        check(r#"{"message":null}"#, "the envelope has no `message`");
        check(r#"{"message":{}} x"#, "the body is no MassTransit envelope: trailing characters at line 1 column 16");
    }
}
