use std::fmt;

use serde::de::{DeserializeSeed, Visitor};

/// A member of an envelope.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
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

impl Member {
    pub(super) fn name(self) -> &'static str {
        MEMBERS.iter().find(|(_, member)| *member == self).map_or("", |(name, _)| name)
    }
}

/// Reads a member's name, without regard to case; none if it is no member of an envelope.
pub(super) struct MemberName;

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
