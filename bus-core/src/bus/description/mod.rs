//! What `build()` made of a program, as data, as text and as a diagram. Nothing here decides anything.

mod mermaid;
mod of_plan;
mod text;

use std::{collections::BTreeMap, time::Duration};

use serde::{Serialize, Serializer};

use crate::topology::TopicKind;

/// The effective configuration of a bus, after all defaults: see [`Bus::describe`](super::Bus::describe).
///
/// It prints as a text for operators, turns into a Mermaid diagram by [`to_mermaid`](Self::to_mermaid), and serializes
/// with names in camelCase and times as texts such as `30s`. There are no credentials in it, and no values of states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Description {
    /// The broker.
    pub transport: TransportDescription,
    /// How long a start may take.
    #[serde(serialize_with = "as_text")]
    pub start_timeout: Duration,
    /// How long a stop lets handlers finish.
    #[serde(serialize_with = "as_text")]
    pub stop_timeout: Duration,
    /// How long a send tries, unless it says otherwise.
    #[serde(serialize_with = "as_text")]
    pub send_timeout: Duration,
    /// Which of these a configuration says, and where: `bus.toml:7:1`, or the name of a variable.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub configured: BTreeMap<String, String>,
    /// The types of the states that were given, in that order.
    pub states: Vec<String>,
    /// The endpoints, in the order in which they were added.
    pub endpoints: Vec<EndpointDescription>,
    /// What works, and may work otherwise than expected: [`Bus::warnings`](super::Bus::warnings).
    pub warnings: Vec<String>,
}

/// The broker that a bus is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TransportDescription {
    /// What people call it: `RabbitMQ`.
    pub name: String,
    /// Its URL, without credentials and parameters.
    pub address: String,
}

/// A receive endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EndpointDescription {
    /// The name of the endpoint, and of its queue.
    pub name: String,
    /// The queue of messages that failed for good.
    pub error_queue: String,
    /// The queue of messages that no consumer takes.
    pub skipped_queue: String,
    /// How many unsettled messages it holds.
    pub prefetch: u16,
    /// How many messages are handled at once.
    pub concurrency: u16,
    /// When a failed message is tried again, in words.
    pub retry: String,
    /// After which delays it comes again from the broker, before it goes to `_error`.
    #[serde(serialize_with = "as_texts")]
    pub redeliver: Vec<Duration>,
    /// How long each attempt may take; nothing means for ever.
    #[serde(serialize_with = "as_text_if_any")]
    pub timeout: Option<Duration>,
    /// Whether a handler's work is made one with what it sends.
    pub outbox: OutboxMode,
    /// Whether JSON without an envelope is read.
    pub raw_json: bool,
    /// The largest body that is read, in bytes.
    pub max_body: usize,
    /// Which settings a configuration says, by their keys, and where. Those that it says of all endpoints count.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub configured: BTreeMap<String, String>,
    /// The filters and layers around every consumer, outermost first.
    pub filters: Vec<String>,
    /// The options that only the transport knows, as it tells them.
    pub options: BTreeMap<String, String>,
    /// Its consumers.
    pub consumers: Vec<ConsumerDescription>,
    /// What its queue gets copies of.
    pub subscriptions: Vec<SubscriptionDescription>,
}

/// A consumer of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConsumerDescription {
    /// The type, or the function with its path.
    pub name: String,
    /// When a message that it failed on is tried again, in words.
    pub retry: String,
    /// How long each of its attempts may take; nothing means for ever.
    #[serde(serialize_with = "as_text_if_any")]
    pub timeout: Option<Duration>,
    /// How many of its attempts run at once; nothing means as many as its endpoint handles messages.
    pub concurrency: Option<u16>,
    /// Which of these a configuration says, and where.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub configured: BTreeMap<String, String>,
    /// Its own filters and layers, inside of the endpoint's, outermost first.
    pub filters: Vec<String>,
    /// Its handlers.
    pub handlers: Vec<HandlerDescription>,
}

/// A handler of one message type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HandlerDescription {
    /// Its name with its path, as logs and faults have it.
    pub name: String,
    /// The URN of the message type that it takes.
    pub message: String,
}

/// A binding of an endpoint's queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SubscriptionDescription {
    /// The topic or exchange that gives copies.
    pub topic: String,
    /// Whether it looks at routing keys.
    #[serde(serialize_with = "as_name")]
    pub kind: TopicKind,
    /// Which messages, where its kind asks for it.
    pub routing_key: String,
}

/// Whether a handler's work is made one with what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum OutboxMode {
    /// What it sends leaves at once.
    Off,
    /// What it sends leaves after it succeeded.
    On,
    /// The same, in a store that survives the process.
    EffectivelyOnce,
}

fn as_text<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&text::time(*time))
}

fn as_texts<S: Serializer>(times: &[Duration], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(|time| text::time(*time)))
}

fn as_text_if_any<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => as_text(time, serializer),
        None => serializer.serialize_none(),
    }
}

fn as_name<S: Serializer>(kind: &TopicKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}
