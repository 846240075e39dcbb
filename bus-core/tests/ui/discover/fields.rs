//! A consumer with fields cannot be found: nobody would give it their values.
#![allow(unused)]

use bus_core::{Message, consumer, consumer::Failure};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

struct Orders {
    warehouse: String,
}

#[consumer(auto)]
impl Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

struct Limits(u32);

#[consumer(auto)]
impl Limits {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
