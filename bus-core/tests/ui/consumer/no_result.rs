//! A handler returns something else than a result.
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
impl Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> u32 {
        0
    }
}

#[consumer]
async fn audit(message: SubmitOrder) -> Option<()> {
    None
}

fn main() {}
