//! Values of the wrong kind, or out of range.
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

#[consumer(concurrency = 0)]
impl Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

struct Payments;

#[consumer(prefetch = 70000)]
impl Payments {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

struct Stock;

#[consumer(prefetch = "16")]
impl Stock {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

struct Parcels;

#[consumer(endpoint = parcels)]
impl Parcels {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
