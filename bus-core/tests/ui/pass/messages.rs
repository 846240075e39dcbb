#![deny(warnings)]
#![allow(dead_code)]

use bus_core::{Message, topology::TopicKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders", correlate = order_id)]
struct SubmitOrder {
    order_id: Uuid,
    total_cents: i64,
}

// MassTransit's convention: `correlationId` before `eventId`, by the name on the wire.
#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders", name = "Order+Submitted")]
struct OrderSubmitted {
    event_id: Uuid,
    #[serde(rename = "correlationId")]
    order: Option<uuid::Uuid>,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", urn = "orders:cancel", entity_name = "cancel-order", names = "as_written")]
struct CancelOrder {
    #[serde(rename = "eventId")]
    not_an_id: String,
    #[serde(rename = "CommandId")]
    command_id: Uuid,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct Wrapped<T> {
    inner: T,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Shop")]
struct Pair<A, B> {
    left: A,
    right: B,
}

mod r#type {
    #[derive(serde::Serialize, serde::Deserialize, bus_core::Message)]
    #[message(namespace = "Acme")]
    pub struct r#Ref {
        pub r#type: String,
    }
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", topology = false)]
struct Audited {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", topology = true, implements(Audited, r#type::Ref))]
struct OrderEvent {}

// A contract may be private, though the message is not, and may depend on the parameter.
pub mod api {
    #[derive(serde::Serialize, serde::Deserialize, bus_core::Message)]
    #[message(namespace = "Acme.Orders", uri = "orders:paid", exchange_type = "topic", implements(super::OrderEvent))]
    pub struct OrderPaid {}

    #[derive(serde::Serialize, serde::Deserialize, bus_core::Message)]
    #[message(
        namespace = "Acme.Orders",
        exchange_type = "direct",
        implements(super::Wrapped<T>, super::OrderEvent, super::Wrapped<OrderPaid>,),
    )]
    pub struct Stamped<T> {
        pub inner: T,
    }
}

fn main() {
    let id = Uuid::from_u128(7);
    let submit = SubmitOrder { order_id: id, total_cents: 1 };
    assert_eq!(SubmitOrder::message_type().urn(), "urn:message:Acme.Orders:SubmitOrder");
    assert_eq!(submit.correlation_id(), Some(id));

    let submitted = OrderSubmitted { event_id: Uuid::nil(), order: Some(id) };
    assert_eq!(OrderSubmitted::message_type().urn(), "urn:message:Acme.Orders:Order+Submitted");
    assert_eq!(OrderSubmitted::message_type().entity_name(), "Acme.Orders:Order-Submitted");
    assert_eq!(submitted.correlation_id(), Some(id));

    let cancel = CancelOrder { not_an_id: String::new(), command_id: id };
    assert_eq!(CancelOrder::message_type().urn(), "urn:message:orders:cancel");
    assert_eq!(CancelOrder::message_type().entity_name(), "cancel-order");
    assert_eq!(cancel.correlation_id(), Some(id));

    assert_eq!(
        Pair::<SubmitOrder, Wrapped<OrderSubmitted>>::message_type().urn(),
        "urn:message:Acme.Shop:Pair[[Acme.Orders:SubmitOrder],[Acme.Orders:Wrapped[[Acme.Orders:Order+Submitted]]]]"
    );
    let wrapped = Wrapped { inner: r#type::Ref { r#type: "x".to_owned() } };
    assert_eq!(wrapped.correlation_id(), None);
    assert_eq!(Wrapped::<r#type::Ref>::message_type().entity_name(), "Acme.Orders:Wrapped--Acme:Ref--");

    assert_eq!(
        api::OrderPaid::message_type().urns(),
        [
            "orders:paid",
            "urn:message:Acme.Orders:OrderEvent",
            "urn:message:Acme.Orders:Audited",
            "urn:message:Acme:Ref",
        ]
    );
    assert_eq!(api::OrderPaid::message_type().entity_name(), "Acme.Orders:OrderPaid");
    assert_eq!(api::OrderPaid::message_type().topic_kind(), TopicKind::Topic);
    assert!(!Audited::message_type().is_in_topology());
    assert!(OrderEvent::message_type().is_in_topology());

    let stamped = api::Stamped::<CancelOrder>::message_type();
    assert_eq!(stamped.topic_kind(), TopicKind::Direct);
    assert_eq!(
        stamped.urns(),
        [
            "urn:message:Acme.Orders:Stamped[[orders:cancel]]",
            "urn:message:Acme.Orders:Wrapped[[orders:cancel]]",
            "urn:message:Acme.Orders:OrderEvent",
            "urn:message:Acme.Orders:Audited",
            "urn:message:Acme:Ref",
            "urn:message:Acme.Orders:Wrapped[[orders:paid]]",
        ]
    );
}
