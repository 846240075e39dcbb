//! Two handlers take one message, under two names.
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

type Submitted = SubmitOrder;

struct Orders;

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, order: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn submitted(&self, order: Submitted) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
