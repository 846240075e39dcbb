//! Values of the wrong kind.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = Acme.Orders)]
struct SubmitOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", names = "snake_case")]
struct CancelOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", correlate = "order_id")]
struct PayOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", urn)]
struct ShipOrder {}

fn main() {}
