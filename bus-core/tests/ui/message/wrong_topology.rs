//! Wrong values of the keys about exchanges and contracts.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", exchange_type = "headers")]
struct SubmitOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", topology = "none")]
struct OrderEvent {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", topology)]
struct OrderPaid {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements = [OrderEvent])]
struct CancelOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements("OrderEvent"))]
struct PayOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements())]
struct ShipOrder {}

fn main() {}
