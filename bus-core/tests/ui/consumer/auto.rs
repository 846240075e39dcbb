//! `auto` on what cannot make itself, or with a value.
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

struct Orders<R>(R);

#[consumer(auto)]
impl<R: Send + Sync + 'static> Orders<R> {
    #[handle]
    async fn submit(&self, _: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

struct Payments;

#[consumer(auto = true)]
impl Payments {
    #[handle]
    async fn submit(&self, _: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer(auto)]
async fn audit<M: Message>(_: M) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
