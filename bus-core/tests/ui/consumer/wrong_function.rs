//! A function without `#[consumer]` that is none, given to the builder.
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

fn not_async(_: SubmitOrder) -> Result<(), Failure> {
    Ok(())
}

async fn borrows(_: SubmitOrder, _: &Context) -> Result<(), Failure> {
    Ok(())
}

async fn no_extractor(_: SubmitOrder, _: PgPool) -> Result<(), Failure> {
    Ok(())
}

async fn no_result(_: SubmitOrder) {}

fn configured(builder: bus_core::Builder) -> bus_core::Builder {
    builder
        .endpoint("1", |e| e.consumer(not_async))
        .endpoint("2", |e| e.consumer(borrows))
        .endpoint("3", |e| e.consumer(no_extractor))
        .endpoint("4", |e| e.consumer(no_result))
}

fn main() {}
