//! A handler answers its sender by what it returns.
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
struct OrderAccepted {}

struct Orders;

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, _: SubmitOrder) -> Result<OrderAccepted, Failure> {
        Ok(OrderAccepted {})
    }
}

fn main() {}
