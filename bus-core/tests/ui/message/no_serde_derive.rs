//! A message without the derives of serde.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

#[derive(Serialize, Message)]
#[message(namespace = "Acme.Orders")]
struct CancelOrder {}

fn main() {}
