//! A state that cannot be cloned.
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

struct PgPool;

#[consumer]
async fn audit(_: SubmitOrder, bus_core::extract::State(_): bus_core::extract::State<PgPool>) -> Result<(), Failure> {
    Ok(())
}

fn configured(builder: bus_core::Builder) -> bus_core::Builder {
    builder.state(PgPool)
}

fn main() {}
