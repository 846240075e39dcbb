use std::time::Duration;

use bus_core::{
    BoxError,
    address::Destination,
    clock::Clock,
    envelope::{HeaderValue, Headers},
    transport::{EnsureQueue, Moved, Outgoing},
};
use lapin::{
    BasicProperties,
    options::BasicPublishOptions,
    types::{AMQPValue, LongString, ShortString},
};

use crate::{
    NativeProperties,
    address::SHORT,
    delay::{Route, expires_at, route},
    headers::{DEEPEST, SEQUENCE, size, to_table},
};

/// Properties travel in one frame, and a broker that gets a larger one closes the connection, with every
/// other message on it. RabbitMQ's default frame is 128 KiB; what is left is for the other properties.
const HEADERS: usize = 120 * 1024;
/// What a frame of properties has beside its headers and texts, and the headers of our own that a message gets here.
const BESIDE: usize = 64 + 512;

/// What lapin is given for a message.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) exchange: ShortString,
    pub(crate) routing_key: ShortString,
    pub(crate) options: BasicPublishOptions,
    pub(crate) properties: BasicProperties,
}

/// Whether the sender wants to know that no queue took it. A queue that is addressed is always meant.
pub(crate) fn mandatory(message: &Outgoing) -> bool {
    message.mandatory || matches!(message.to, Destination::Queue(_))
}

/// How long the broker holds it back, if it does.
pub(crate) fn delay(message: &Outgoing) -> Option<Duration> {
    message.delay.filter(|delay| !delay.is_zero())
}

/// Finds what the broker, or lapin, would only answer by closing the channel or worse; says how many bytes the headers
/// take.
pub(crate) fn validate(message: &Outgoing) -> Result<usize, BoxError> {
    if let Some(delay) = delay(message) {
        match &message.to {
            Destination::Queue(queue) => drop(route(delay, queue)?),
            Destination::Topic(_) => return Err("only a message to a queue can be delayed".into()),
        }
    }
    let texts = [
        ("name of the destination", Some(message.to.name())),
        ("content type", message.content_type.as_ref()),
        ("message id", message.message_id.as_ref()),
        ("correlation id", message.correlation_id.as_ref()),
        ("routing key", message.routing_key.as_ref()),
    ];
    for (what, text) in texts.into_iter().filter_map(|(what, text)| Some((what, text?))) {
        fits(what, text)?;
    }
    if message.to.name().is_empty() {
        return Err("the name of the destination is empty".into());
    }
    if let Some(native) = message.extensions.get::<NativeProperties>() {
        for (what, text) in native.short_texts() {
            fits(what, text)?;
        }
    }
    if message.extensions.get::<EnsureQueue>().is_some() && matches!(message.to, Destination::Topic(_)) {
        return Err("only a queue can be ensured; the destination is a topic".into());
    }
    carbon_copies(message)?;
    // What is moved was read by lapin at that depth, and has nowhere else to go.
    match size(&message.headers, if is_moved(message) { usize::MAX } else { DEEPEST })? {
        bytes if bytes <= HEADERS => Ok(bytes),
        bytes => Err(format!("the headers take {bytes} bytes; {HEADERS} are allowed").into()),
    }
}

/// Whether a message with so many bytes of headers has properties that fit into a frame of that connection.
pub(crate) fn fits_frame(headers: usize, properties: &BasicProperties, frame_max: usize) -> Result<(), BoxError> {
    let texts = [
        properties.content_type(),
        properties.content_encoding(),
        properties.correlation_id(),
        properties.reply_to(),
        properties.expiration(),
        properties.message_id(),
        properties.kind(),
        properties.app_id(),
    ];
    let texts: usize = texts.into_iter().flatten().map(|text| text.as_str().len() + 1).sum();
    match BESIDE + texts + headers {
        bytes if bytes <= frame_max => Ok(()),
        _ => Err(format!(
            "the headers take {headers} bytes, and do not fit into a frame with the other properties: the broker has a \
             frame_max of {frame_max} bytes, which it could raise"
        )
        .into()),
    }
}

/// The message as AMQP has it. `sequence` names this attempt of a mandatory one.
pub(crate) fn encode(message: &Outgoing, sequence: u64, clock: &Clock) -> Publication {
    let mandatory = mandatory(message);
    let delay = delay(message);
    // What was noted on an earlier way through the levels would look like a circle, and end this one.
    let mut table = match is_moved(message) || delay.is_some() {
        true => to_table(&moved(&message.headers)),
        false => to_table(&message.headers),
    };
    let native = message.extensions.get::<NativeProperties>();
    if let Some((name, user)) = native.and_then(|native| native.original_user(&message.headers)) {
        table.insert(name.into(), AMQPValue::LongString(LongString::from(user)));
    }
    if mandatory {
        table.insert(SEQUENCE.into(), AMQPValue::LongLongInt(sequence.cast_signed()));
    }
    if let Some((name, end)) = delay.zip(message.time_to_live).and_then(|(delay, life)| expires_at(delay, life, clock))
    {
        table.insert(name.into(), AMQPValue::LongLongInt(end));
    }
    let durable = message.durable || delay.is_some();
    let mut properties = BasicProperties::default().with_delivery_mode(if durable { 2 } else { 1 });
    if !table.inner().is_empty() {
        properties = properties.with_headers(table);
    }
    if let Some(text) = message.content_type.as_deref() {
        properties = properties.with_content_type(short(text));
    }
    if let Some(text) = message.message_id.as_deref() {
        properties = properties.with_message_id(short(text));
    }
    if let Some(text) = message.correlation_id.as_deref() {
        properties = properties.with_correlation_id(short(text));
    }
    if let Some(time_to_live) = message.time_to_live.filter(|_| delay.is_none()) {
        properties = properties.with_expiration(short(&expiration(time_to_live)));
    }
    if let Some(priority) = message.priority {
        properties = properties.with_priority(priority);
    }
    if let Some(native) = native {
        properties = native.apply(properties);
    }
    let (exchange, routing_key) = match &message.to {
        Destination::Queue(queue)
            if let Some(Ok(Route { exchange, routing_key })) = delay.map(|delay| route(delay, queue)) =>
        {
            (short(&exchange), short(&routing_key))
        }
        Destination::Queue(queue) => (ShortString::default(), short(queue)),
        Destination::Topic(topic) => (short(topic), message.routing_key.as_deref().map(short).unwrap_or_default()),
    };
    Publication { exchange, routing_key, options: BasicPublishOptions { mandatory, immediate: false }, properties }
}

/// Whole milliseconds; the broker would refuse less than one, MassTransit sends a second then.
fn expiration(time_to_live: Duration) -> String {
    // RabbitMQ counts in 32 bits, and closes the channel above.
    match time_to_live.as_millis().min(u32::MAX.into()) {
        0 => "1000".to_owned(),
        milliseconds => milliseconds.to_string(),
    }
}

fn fits(what: &str, text: &str) -> Result<(), BoxError> {
    match text.len() {
        length if length <= SHORT => Ok(()),
        length => Err(format!("the {what} has {length} bytes; AMQP allows {SHORT}").into()),
    }
}

/// It was in a queue before, and is moved to one that is made for it (`orders_error`), or back.
fn is_moved(message: &Outgoing) -> bool {
    message.extensions.get::<EnsureQueue>().is_some() || message.extensions.get::<Moved>().is_some()
}

/// RabbitMQ reads these two itself: it closes the channel over anything but lists of texts, and sends the message
/// to the queues that are named there. A confirm would say no more than that one of those has it.
fn carbon_copies(message: &Outgoing) -> Result<(), BoxError> {
    if is_moved(message) {
        // They are renamed on the way.
        return Ok(());
    }
    for (name, value) in message.headers.iter().filter(|(name, _)| matches!(*name, "CC" | "BCC")) {
        if let Destination::Queue(queue) = &message.to {
            return Err(format!(
                "the header {name} would have RabbitMQ send it to other queues than `{queue}`; \
                 leave it out, or send to an exchange"
            )
            .into());
        }
        let texts = matches!(value, HeaderValue::List(values)
            if values.iter().all(|value| matches!(value, HeaderValue::Text(_))));
        if !texts {
            return Err(format!("the header {name} has to be a list of texts").into());
        }
    }
    Ok(())
}

/// The headers of a message that is moved: what the broker would act on is renamed, and what it noted about the
/// queue that the message was in is left there.
fn moved(headers: &Headers) -> Headers {
    const NOTES: [&str; 4] = ["x-death", "x-first-death", "x-last-death", "x-delivery-count"];
    headers
        .iter()
        .filter(|(name, _)| !NOTES.iter().any(|note| name.starts_with(note)))
        .map(|(name, value)| {
            let name = match name {
                "CC" => "Bus-Original-CC",
                "BCC" => "Bus-Original-BCC",
                name => name,
            };
            (name.to_owned(), value.clone())
        })
        .collect()
}

/// [`validate`] let it through.
fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Instant};

    use bytes::Bytes;

    use super::*;

    fn message(to: Destination) -> Outgoing {
        #[allow(clippy::disallowed_methods, reason = "any time will do")]
        Outgoing::new(to, Bytes::from_static(b"{}"), Instant::now())
    }

    #[test]
    fn a_queue_is_reached_through_the_default_exchange_and_a_topic_is_an_exchange() {
        let queue = encode(&message(Destination::Queue("orders".into())), 7, &Clock::manual(1));
        assert_eq!((queue.exchange.as_str(), queue.routing_key.as_str()), ("", "orders"));
        assert!(queue.options.mandatory);
        let sequence = queue.properties.headers().as_ref().and_then(|table| table.inner().get(SEQUENCE).cloned());
        assert_eq!(sequence, Some(AMQPValue::LongLongInt(7)));
        let topic = encode(&message(Destination::Topic("A:B".into())), 8, &Clock::manual(1));
        assert_eq!((topic.exchange.as_str(), topic.routing_key.as_str()), ("A:B", ""));
        assert!(!topic.options.mandatory && topic.properties.headers().is_none());
    }

    #[test]
    fn properties_are_masstransits() {
        let mut outgoing = message(Destination::Topic("t".into()));
        outgoing.content_type = Some("application/vnd.masstransit+json".into());
        outgoing.message_id = Some("m".into());
        outgoing.time_to_live = Some(Duration::from_micros(1_500));
        outgoing.durable = false;
        let native =
            NativeProperties { timestamp: Some(4), user_id: Some("eve".into()), ..NativeProperties::default() };
        outgoing.extensions.insert(native);
        let properties = encode(&outgoing, 1, &Clock::manual(1)).properties;
        assert_eq!(properties.delivery_mode(), &Some(1));
        assert_eq!(properties.expiration().as_ref().map(ShortString::as_str), Some("1"));
        assert_eq!(properties.timestamp(), &Some(4));
        assert_eq!(properties.user_id(), &None);
        assert!(properties.headers().as_ref().unwrap().contains_key("Bus-Original-UserId"));
        assert_eq!(expiration(Duration::from_micros(999)), "1000");
        assert_eq!(expiration(Duration::MAX), u32::MAX.to_string());
    }

    #[test]
    fn what_would_close_the_channel_is_refused_first() {
        let refused = |change: &dyn Fn(&mut Outgoing)| {
            let mut outgoing = message(Destination::Queue("q".into()));
            validate(&outgoing).unwrap();
            change(&mut outgoing);
            validate(&outgoing).unwrap_err().to_string()
        };
        let long: Arc<str> = "x".repeat(256).into();
        assert!(refused(&|m| m.to = Destination::Queue(long.clone())).contains("256 bytes"));
        assert!(refused(&|m| m.message_id = Some(long.clone())).contains("message id"));
        assert!(refused(&|m| m.content_type = Some(long.clone())).contains("content type"));
        assert!(refused(&|m| m.headers.set(long.to_string(), "x")).contains("header"));
        assert!(refused(&|m| m.headers.set("a", "x".repeat(HEADERS))).contains("the headers take"));
        assert!(refused(&|m| m.headers.set("CC", list("x"))).contains("other queues than `q`"));
        assert!(
            refused(&|m| {
                m.to = Destination::Topic("T".into());
                m.headers.set("BCC", "x");
            })
            .contains("a list of texts")
        );
        assert!(refused(&|m| m.headers.set("a", nested(17))).contains("nested"));
        assert!(refused(&|m| m.delay = Some(Duration::MAX)).contains("the longest"));
        assert!(
            refused(&|m| {
                m.to = Destination::Topic("T".into());
                m.delay = Some(Duration::from_secs(1));
            })
            .contains("to a queue")
        );
        assert!(refused(&|m| m.to = Destination::Topic("".into())).contains("empty"));
    }

    #[test]
    fn a_moved_message_goes_nowhere_else_and_leaves_the_notes_of_its_queue_behind() {
        let mut aside = message(Destination::Queue("q_error".into()));
        aside.extensions.insert(EnsureQueue { like: "q".into() });
        check_moved(aside);
        let mut back = message(Destination::Queue("q".into()));
        back.extensions.insert(Moved);
        check_moved(back);
    }

    fn check_moved(mut outgoing: Outgoing) {
        outgoing.headers.set("CC", list("other"));
        outgoing.headers.set("BCC", "no list");
        outgoing.headers.set("x-death", list("q"));
        outgoing.headers.set("x-first-death-queue", "q");
        outgoing.headers.set("x-last-death-reason", "rejected");
        outgoing.headers.set("x-delivery-count", 12_i64);
        outgoing.headers.set("mine", "kept");
        validate(&outgoing).unwrap();
        let properties = encode(&outgoing, 1, &Clock::manual(1)).properties;
        let headers = crate::headers::from_table(properties.headers().as_ref().unwrap());
        let names: std::collections::BTreeSet<_> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["Bus-Original-BCC", "Bus-Original-CC", "mine"]);
        assert_eq!(headers.get("Bus-Original-CC"), Some(&list("other")));
        outgoing.headers.set("deep", nested(17));
        validate(&outgoing).unwrap();
    }

    #[test]
    fn headers_may_be_nested_as_deep_as_readers_can_follow() {
        let mut outgoing = message(Destination::Queue("q".into()));
        outgoing.headers.set("a", nested(16));
        validate(&outgoing).unwrap();
    }

    fn list(text: &str) -> HeaderValue {
        HeaderValue::List(vec![text.to_owned().into()])
    }

    fn nested(levels: usize) -> HeaderValue {
        (0..levels).fold(HeaderValue::Null, |value, _| HeaderValue::List(vec![value]))
    }
}
