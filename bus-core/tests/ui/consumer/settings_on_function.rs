//! Settings on a function that nobody would read.
#![allow(unused)]

use bus_core::{
    Message,
    consumer,
    consumer::{Context, Failure},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

struct Orders;

#[consumer(endpoint = "audit")]
async fn audit(message: SubmitOrder) -> Result<(), Failure> {
    Ok(())
}

#[consumer(prefetch = 16)]
async fn watch(message: SubmitOrder) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
