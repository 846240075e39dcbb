//! A type has two blocks with `#[consumer]`.
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

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct CancelOrder {}

struct Orders;

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, order: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer]
impl Orders {
    #[handle]
    async fn cancel(&self, order: CancelOrder) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
