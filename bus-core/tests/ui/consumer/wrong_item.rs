//! `#[consumer]` on what can be none.
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

#[consumer]
struct Payments;

trait Submits {
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure>;
}

#[consumer]
impl Submits for Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer]
mod orders {}

impl Orders {
    #[consumer]
    async fn audit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
