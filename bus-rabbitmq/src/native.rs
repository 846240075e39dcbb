use bus_core::envelope::Headers;
use lapin::BasicProperties;
use lapin::types::ShortString;

/// The header that keeps a message's `user_id` through a move; the property itself is compared with the
/// connection's user by the broker, which would refuse the copy.
const ORIGINAL_USER: &str = "Bus-Original-UserId";

/// AMQP properties that only RabbitMQ's messages have, in [`Extensions`](bus_core::transport::Extensions)
/// of deliveries and of outgoing messages. Everything is optional and empty by default. For code on the seam to
/// transports: handlers and sends do not show them, and a copy that the bus makes keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NativeProperties {
    /// `type`: what the sender's application calls the message.
    pub kind: Option<String>,
    /// `app_id`
    pub app_id: Option<String>,
    /// `reply_to`
    pub reply_to: Option<String>,
    /// `timestamp`, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// `content_encoding`
    pub content_encoding: Option<String>,
    /// `user_id`, of deliveries only. Sent on, it becomes the header `Bus-Original-UserId`.
    pub user_id: Option<String>,
}

impl NativeProperties {
    /// What a delivery has of them; none if it has none.
    pub(crate) fn of(properties: &BasicProperties) -> Option<Self> {
        let text = |value: &Option<ShortString>| value.as_ref().map(|text| text.as_str().to_owned());
        let native = Self {
            kind: text(properties.kind()),
            app_id: text(properties.app_id()),
            reply_to: text(properties.reply_to()),
            timestamp: *properties.timestamp(),
            content_encoding: text(properties.content_encoding()),
            user_id: text(properties.user_id()),
        };
        (native != Self::default()).then_some(native)
    }

    /// The texts that AMQP limits in length, with their names.
    pub(crate) fn short_texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("type", &self.kind),
            ("app_id", &self.app_id),
            ("reply_to", &self.reply_to),
            ("content_encoding", &self.content_encoding),
        ]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.as_deref()?)))
    }

    /// The header in place of `user_id`, unless the message has it already.
    pub(crate) fn original_user(&self, headers: &Headers) -> Option<(&'static str, &str)> {
        let user = self.user_id.as_deref()?;
        headers.get(ORIGINAL_USER).is_none().then_some((ORIGINAL_USER, user))
    }

    /// Sets them on an outgoing message.
    pub(crate) fn apply(&self, mut properties: BasicProperties) -> BasicProperties {
        let short = |text: &Option<String>| text.as_ref().and_then(|text| ShortString::try_new(text.as_str()).ok());
        if let Some(kind) = short(&self.kind) {
            properties = properties.with_type(kind);
        }
        if let Some(app_id) = short(&self.app_id) {
            properties = properties.with_app_id(app_id);
        }
        if let Some(reply_to) = short(&self.reply_to) {
            properties = properties.with_reply_to(reply_to);
        }
        if let Some(timestamp) = self.timestamp {
            properties = properties.with_timestamp(timestamp);
        }
        if let Some(encoding) = short(&self.content_encoding) {
            properties = properties.with_content_encoding(encoding);
        }
        properties
    }
}
