//! A handler, or a function, that is generic.
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
    async fn submit<M: Message>(&self, message: M) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn any(&self, message: impl Message) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer]
async fn audit<M: Message>(message: M) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
