//! A namespace that .NET could not have.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "acme-orders")]
struct SubmitOrder {}

fn main() {}
