//! The name of a message contains its namespace.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", name = "Acme.Orders.SubmitOrder")]
struct SubmitOrder {}

fn main() {}
