//! A key that does not exist, is misspelled, or is given twice.
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

#[consumer(endpont = "orders")]
impl Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

struct Payments;

#[consumer(queue = "payments")]
impl Payments {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

struct Stock;

#[consumer(prefetch = 8, prefetch = 16)]
impl Stock {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
