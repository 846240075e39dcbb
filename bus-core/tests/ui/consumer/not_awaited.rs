//! A message that is published and not awaited, and a builder that is dropped, go nowhere.
#![deny(unused_must_use)]
#![allow(dead_code)]

use bus_core::{
    Bus, Message,
    consumer::{Context, Failure},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

async fn forgets(ctx: Context, bus: &Bus) {
    ctx.publish(SubmitOrder {});
    bus.send("queue:orders", SubmitOrder {});
    bus.start();
    bus.stop();
}

async fn audit(_: SubmitOrder) -> Result<(), Failure> {
    Ok(())
}

fn drops(builder: bus_core::Builder) {
    builder.endpoint("audit", |e| e.consumer(audit));
}

fn main() {}
