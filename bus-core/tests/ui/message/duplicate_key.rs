//! A key is given twice.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
#[message(namespace = "Acme.Billing")]
struct SubmitOrder {}

fn main() {}
