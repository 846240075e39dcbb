//! A key that does not exist, or is misspelled.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namspace = "Acme.Orders")]
struct SubmitOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", topic = "orders")]
struct CancelOrder {}

fn main() {}
