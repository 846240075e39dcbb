//! A contract that is listed twice, or is the message itself.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct OrderEvent {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(OrderEvent, SubmitOrder))]
struct SubmitOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(OrderEvent, self::Wrapped<OrderEvent>, OrderEvent))]
struct CancelOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(Wrapped<T>))]
struct Wrapped<T> {
    inner: T,
}

fn main() {
    // All of them count as messages: no further errors here.
    Wrapped::<SubmitOrder>::message_type();
    CancelOrder::message_type();
}
