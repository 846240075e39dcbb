//! The closure that configures an endpoint keeps it.
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

async fn audit(_: SubmitOrder) -> Result<(), Failure> {
    Ok(())
}

fn configured(builder: bus_core::Builder) -> bus_core::Builder {
    builder.endpoint("audit", |e| {
        e.consumer(audit);
    })
}

fn main() {}
