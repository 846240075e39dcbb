//! A handler takes no `&self`.
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

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct CancelOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct PayOrder {}

#[consumer]
impl Orders {
    #[handle]
    async fn submit(message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn cancel(&mut self, message: CancelOrder) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn pay(self, message: PayOrder) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
