//! The parameter of a generic message is no message.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct Wrapped<T> {
    inner: T,
}

async fn publish(bus: &bus_core::Bus) -> Result<(), bus_core::Error> {
    bus.publish(Wrapped { inner: 1 }).await
}

fn main() {}
