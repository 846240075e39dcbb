//! A closure that does not say which message it takes.
#![allow(unused)]

use bus_core::{
    Bus, Message,
    consumer,
    consumer::{Context, Failure},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

fn configured(builder: bus_core::Builder) -> bus_core::Builder {
    builder.endpoint("orders", |e| e.consumer(|order| async move { Ok::<(), Failure>(()) }))
}

fn main() {}
