//! A whole URN without a scheme.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", uri = "short-name")]
struct SubmitOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", uri = "my_scheme:submit")]
struct ShipOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", uri = "scheme:cancel", urn = "cancel")]
struct CancelOrder {}

fn main() {}
