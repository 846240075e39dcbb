//! A state is taken apart without its `State`, or may be missing.
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

use bus_core::extract::State;

#[derive(Clone)]
struct PgPool;

#[consumer]
async fn unwraps(_: SubmitOrder, State(pool): PgPool) -> Result<(), Failure> {
    Ok(())
}

#[consumer]
async fn may_be_missing(_: SubmitOrder, pool: Option<State<PgPool>>) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
