//! The first argument is no message.
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

struct Ping {}

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, message: Ping) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer]
async fn audit(message: Ping) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
