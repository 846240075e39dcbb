//! What the bus writes otherwise than MassTransit, with the reason; exact, see [`crate::same`]. The same table stands in
//! `docs/masstransit-differences.md`.

const DECIMAL: &str =
    "AMQP's decimal has no Rust type here: sent as text, which MassTransit itself makes of it at the next hop";
const OFFSET: &str = "a Rust point in time has no offset: the same instant in UTC";
const CHAIN: &str = "the whole chain of causes; MassTransit shows the innermost alone";
const PARSER: &str = "`serde_json` has one error for it, .NET's parser two in each other";
const DEFAULT_EXCHANGE: &str = "moves go through the default exchange, whose key is the queue";
const DURABLE: &str =
    "moves are durable, whatever the message was: what lies in an error queue has to survive a restart";
const TEMPORARY: &str = "a temporary endpoint is an option of the RabbitMQ crate, which the test's recorder has not: there the address shows `?temporary=true`";
const SOURCE: &str = "who raised an inner error is not known";

/// The captured message, its member, and why ours is another.
pub(crate) const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("10.1", "body.headers.Offset", OFFSET),
    ("10.1", "headers.Decimal", DECIMAL),
    ("10.2", "body.headers.Offset", OFFSET),
    ("10.2", "headers.Offset", OFFSET),
    ("16.3", "headers.MT-Fault-Message", CHAIN),
    ("17.3", "headers.MT-Fault-Message", CHAIN),
    ("20.2", "body.message.exceptions.0.innerException.innerException.exceptionType", PARSER),
    ("20.2", "body.message.exceptions.0.innerException.innerException.message", PARSER),
    ("20.2", "body.message.exceptions.0.innerException.innerException.source", PARSER),
    ("20.2", "body.message.exceptions.0.innerException.innerException.stackTrace", PARSER),
    ("20.2", "body.message.exceptions.0.innerException.source", SOURCE),
    ("20.3", "properties.delivery_mode", DURABLE),
    ("20.3", "routing_key", DEFAULT_EXCHANGE),
    ("35.6", "body.sourceAddress", TEMPORARY),
    ("35.9", "headers.MT-Fault-InputAddress", TEMPORARY),
];
