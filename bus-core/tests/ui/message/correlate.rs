//! The field of the correlation id is not there, or is no id.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", correlate = order)]
struct SubmitOrder {
    number: String,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", correlate = number)]
struct CancelOrder {
    number: String,
}

fn main() {}
