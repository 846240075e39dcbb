//! `#[handle]` stands where no `#[consumer]` is.
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

use bus_core::handle;

struct Orders;

impl Orders {
    #[handle]
    async fn submit(&self, order: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

#[handle]
async fn audit(order: SubmitOrder) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
