//! The error of a handler, or behind its `?`, is no error.
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

struct Plain;

fn insert() -> Result<(), Plain> {
    Err(Plain)
}

#[consumer]
async fn returns(_: SubmitOrder) -> Result<(), Plain> {
    insert()
}

#[consumer]
async fn passes_on(_: SubmitOrder) -> Result<(), Failure> {
    insert()?;
    Ok(())
}

fn main() {}
