//! Something is published or sent that is no message.
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

struct Plain {}

async fn from_a_handler(ctx: &Context) -> Result<(), Failure> {
    ctx.publish(Plain {}).await?;
    Ok(())
}

async fn from_a_program(bus: &Bus) -> Result<(), bus_core::Error> {
    bus.send("queue:orders", "an order").await
}

fn main() {}
