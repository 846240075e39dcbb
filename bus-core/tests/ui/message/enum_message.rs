//! An enum as a message.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
enum OrderEvent {
    Submitted,
    Paid { cents: i64 },
}

fn main() {}
