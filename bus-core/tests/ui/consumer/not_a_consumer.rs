//! Something that is no consumer is given to the builder: a type without handlers, a call, a value.
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

struct Orders;

async fn audit(_: SubmitOrder) -> Result<(), Failure> {
    Ok(())
}

fn configured(builder: bus_core::Builder) -> bus_core::Builder {
    builder
        .consumer(Orders)
        .endpoint("audit", |e| e.consumer(audit(SubmitOrder {})))
        .endpoint("text", |e| e.consumer("audit"))
}

fn main() {}
