//! A handler is not asynchronous.
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
    fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer]
fn audit(message: SubmitOrder, ctx: Context) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
