//! The contracts of the captured service, as a Rust program writes them.

use bus_core::Message;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct SubmitOrder {
    pub(crate) order_id: Uuid,
    pub(crate) customer: String,
    pub(crate) total: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct OrderEvent {
    pub(crate) order_id: Uuid,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct OrderAudited {
    pub(crate) by: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts", implements(OrderEvent, OrderAudited))]
pub(crate) struct OrderSubmitted {
    pub(crate) order_id: Uuid,
    pub(crate) by: String,
    pub(crate) customer: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts", implements(OrderSubmitted))]
pub(crate) struct OrderSubmittedV2 {
    pub(crate) order_id: Uuid,
    pub(crate) by: String,
    pub(crate) customer: String,
    pub(crate) lines: i32,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", name = "Outer+Inner")]
pub(crate) struct Inner {
    pub(crate) text: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct Line {
    pub(crate) sku: String,
    pub(crate) count: i32,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct Wrapped<T> {
    pub(crate) value: T,
    pub(crate) version: i32,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct Pair<A, B> {
    pub(crate) first: A,
    pub(crate) second: B,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", entity_name = "renamed-orders")]
pub(crate) struct RenamedEntity {
    pub(crate) text: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", uri = "scheme:renamed-urn")]
pub(crate) struct RenamedUrn {
    pub(crate) text: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", urn = "short-name")]
pub(crate) struct ShortUrn {
    pub(crate) text: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", topology = false)]
pub(crate) struct HiddenBase {
    pub(crate) text: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", implements(HiddenBase))]
pub(crate) struct OverHidden {
    pub(crate) text: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct BaseEvent {
    pub(crate) id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", implements(BaseEvent))]
pub(crate) struct MiddleEvent {
    pub(crate) id: Uuid,
    pub(crate) name: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", implements(MiddleEvent))]
pub(crate) struct LeafEvent {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) leaf: i32,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts", correlate = correlation_id)]
pub(crate) struct Correlated {
    pub(crate) correlation_id: Uuid,
    pub(crate) text: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct WithCorrelationProperty {
    pub(crate) correlation_id: Uuid,
    pub(crate) text: String,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct WithCommandId {
    pub(crate) command_id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct WithEventId {
    pub(crate) event_id: Uuid,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", exchange_type = "direct")]
pub(crate) struct DirectRouted {
    pub(crate) region: String,
}
