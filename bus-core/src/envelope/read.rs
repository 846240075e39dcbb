use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Range, time::SystemTime};

use bytes::Bytes;
use serde::{
    Deserializer as _,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    Host, date,
    depth::{DEPTH, is_deep},
    member::{Member, MemberName},
};

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
    unreadable: Vec<&'static str>,
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
    /// Its payload is a number, text or list.
    #[error("the envelope's `message` is no object")]
    NoObject,
    /// Objects and lists stand in each other too deep.
    #[error("the body is nested deeper than {DEPTH} levels")]
    TooDeep,
}

impl Envelope {
    /// Reads a body.
    ///
    /// # Errors
    /// [`EnvelopeError`] if it is no JSON object, or has no `message`.
    pub fn read(body: &Bytes) -> Result<Self, EnvelopeError> {
        let text = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        if is_deep(text) {
            return Err(EnvelopeError::TooDeep);
        }
        let mut json = serde_json::Deserializer::from_slice(text);
        let envelope = json.deserialize_map(Members { body })?;
        json.end()?;
        match envelope.message.first() {
            None => Err(EnvelopeError::NoMessage),
            Some(b'{') => Ok(envelope),
            Some(_) => Err(EnvelopeError::NoObject),
        }
    }

    /// The application's headers and MassTransit's own, as JSON. Parsed at each call.
    pub fn headers(&self) -> serde_json::Map<String, serde_json::Value> {
        self.headers.as_deref().and_then(|raw| serde_json::from_slice(raw).ok()).unwrap_or_default()
    }

    pub(crate) fn set_headers(&mut self, headers: &serde_json::Map<String, serde_json::Value>) {
        self.headers = (!headers.is_empty()).then(|| serde_json::to_vec(headers).unwrap_or_default().into());
    }

    /// The body that this was read from, with a header set to a number. All else stays as it was written.
    pub(crate) fn with_header(&self, body: &Bytes, name: &str, value: u32) -> Bytes {
        let number = RawValue::from_string(value.to_string()).unwrap_or_default();
        let known = self.headers.as_deref().and_then(|raw| serde_json::from_slice(raw).ok());
        let mut headers: BTreeMap<String, &RawValue> = known.unwrap_or_default();
        headers.retain(|known, _| !known.eq_ignore_ascii_case(name));
        headers.insert(name.to_owned(), &number);
        // Texts, and JSON that was read before: it can be written.
        let headers = serde_json::to_vec(&headers).unwrap_or_default();
        match self.headers.as_ref().and_then(|old| place(old, body)) {
            Some(old) => [&body[..old.start], &headers, &body[old.end..]].concat().into(),
            None => {
                let end = body.iter().rposition(|byte| *byte == b'}').unwrap_or_default();
                [&body[..end], b",\"headers\":", &headers, &body[end..]].concat().into()
            }
        }
    }

    /// The optional members that are there and cannot be read: `messageId` with a text that is no id. They
    /// count as absent, and the message is handled all the same.
    pub fn unreadable(&self) -> &[&'static str] {
        &self.unreadable
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
        let readable = match member {
            Member::MessageId => put(&mut self.message_id, raw, id),
            Member::RequestId => put(&mut self.request_id, raw, id),
            Member::CorrelationId => put(&mut self.correlation_id, raw, id),
            Member::ConversationId => put(&mut self.conversation_id, raw, id),
            Member::InitiatorId => put(&mut self.initiator_id, raw, id),
            Member::SourceAddress => put(&mut self.source_address, raw, owned),
            Member::DestinationAddress => put(&mut self.destination_address, raw, owned),
            Member::ResponseAddress => put(&mut self.response_address, raw, owned),
            Member::FaultAddress => put(&mut self.fault_address, raw, owned),
            Member::ExpirationTime => put(&mut self.expiration_time, raw, date),
            Member::SentTime => put(&mut self.sent_time, raw, date),
            Member::MessageType => {
                let urns = urns(raw);
                let readable = urns.is_some();
                self.message_type = urns.unwrap_or_default();
                readable
            }
            Member::Message => {
                self.message = part(raw, body).unwrap_or_default();
                true
            }
            Member::Headers => {
                self.headers = Some(body.slice_ref(raw.as_bytes()));
                raw.starts_with('{') || raw == "null"
            }
            Member::Host => {
                self.host = part(raw, body);
                raw.starts_with('{') || raw == "null"
            }
        };
        // Of a repeated member the last one counts here too, and the list stays as short as the members are few.
        self.unreadable.retain(|known| *known != member.name());
        if !readable {
            self.unreadable.push(member.name());
        }
    }
}

/// Reads a member; whether it could be read. `null` and a blank text are absent.
fn put<T>(field: &mut Option<T>, raw: &str, read: impl Fn(&str) -> Option<T>) -> bool {
    *field = match text(raw) {
        Some(text) if text.trim().is_empty() => None,
        Some(text) => match read(text.trim()) {
            None => return mark(field),
            value => value,
        },
        None if raw == "null" => None,
        None => return mark(field),
    };
    true
}

fn mark<T>(field: &mut Option<T>) -> bool {
    *field = None;
    false
}

/// The URNs; one alone may stand without brackets.
fn urns(raw: &str) -> Option<Vec<String>> {
    if let Some(one) = text(raw) {
        return Some(vec![one.into_owned()]);
    }
    let urns: Option<Vec<Option<String>>> = serde_json::from_str(raw).ok()?;
    Some(urns.unwrap_or_default().into_iter().flatten().collect())
}

/// A part of the body, without a copy; `None` for `null`.
fn part(raw: &str, body: &Bytes) -> Option<Bytes> {
    (raw != "null").then(|| body.slice_ref(raw.as_bytes()))
}

/// Where in the body a part of it stands.
fn place(part: &Bytes, body: &Bytes) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
    (start + part.len() <= body.len()).then_some(start..start + part.len())
}

/// A text, without a copy where it has no escapes; `None` for `null` and for what is no text.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

fn owned(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn date(text: &str) -> Option<SystemTime> {
    date::parse(text)
}

/// An id in any form that .NET reads: with hyphens or without, in braces or parentheses.
fn id(text: &str) -> Option<Uuid> {
    let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
    Uuid::parse_str(inner).ok()
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
        let envelope = read(
            r#"{"message":{},"messageId":"x","requestId":" ","sentTime":5,"messageType":7,"headers":null,"host":7}"#,
        )
        .unwrap();
        assert_eq!((envelope.message_id, envelope.request_id, envelope.sent_time), (None, None, None));
        assert!(envelope.message_type.is_empty() && envelope.headers().is_empty() && envelope.host().is_none());
        assert_eq!(envelope.unreadable(), ["messageId", "sentTime", "messageType", "host"]);
        let repeated = r#"{"message":{},"messageId":"x","sentTime":5,"sentTime":6,"messageId":null}"#;
        assert_eq!(read(repeated).unwrap().unreadable(), ["sentTime"], "the last one counts");
    }

    #[test]
    fn a_header_is_set_in_the_body_and_the_rest_stays_as_it_was_written() {
        let set = |body: &str| {
            let body = Bytes::copy_from_slice(body.as_bytes());
            let written = Envelope::read(&body).unwrap().with_header(&body, "Round", 2);
            assert_eq!(Envelope::read(&written).unwrap().headers()["Round"], 2);
            String::from_utf8(written.to_vec()).unwrap()
        };
        assert_eq!(set(r#" {"message": {"x":1.10} } "#), r#" {"message": {"x":1.10} ,"headers":{"Round":2}} "#);
        assert_eq!(set(r#"{"headers":{},"message":{}}"#), r#"{"headers":{"Round":2},"message":{}}"#);
        assert_eq!(set(r#"{"message":{},"Headers":null}"#), r#"{"message":{},"Headers":{"Round":2}}"#);
        assert_eq!(
            set(r#"{"headers":5,"message":{},"headers":{"round":1,"a":12345678901234567890.10}}"#),
            r#"{"headers":5,"message":{},"headers":{"Round":2,"a":12345678901234567890.10}}"#
        );
    }

    #[test]
    fn ids_are_read_in_every_form_that_dotnet_reads() {
        let id = "0193b1e2-7c5e-7d3a-9f00-aabbccddeeff";
        let forms = [
            id.to_owned(),
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!("({id})"),
            format!(" {id} "),
        ];
        for form in forms {
            let envelope = read(&format!(r#"{{"message":{{}},"messageId":"{form}"}}"#)).unwrap();
            assert_eq!(envelope.message_id, Some(id.parse().unwrap()), "{form}");
        }
    }

    #[test]
    fn nesting_is_limited_to_64_levels_wherever_it_stands() {
        let nested = |levels: usize| {
            let inside = format!("{}{}", "[".repeat(levels - 2), "]".repeat(levels - 2));
            format!(r#"{{"text":"[[[[{{{{\"[","message":{{"a":{inside}}}}}"#)
        };
        assert!(read(&nested(64)).is_ok());
        assert_eq!(read(&nested(65)).unwrap_err().to_string(), "the body is nested deeper than 64 levels");
        let wide = format!(r#"{{"message":{{"a":[{}0]}}}}"#, "[],".repeat(1000));
        assert!(read(&wide).is_ok());
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
        check(r#"{"message":[1]}"#, "the envelope's `message` is no object");
        check(r#"{"message":{}} x"#, "the body is no MassTransit envelope: trailing characters at line 1 column 16");
    }
}
