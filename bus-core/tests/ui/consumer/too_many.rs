//! More arguments than six after the message.
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
    async fn submit(
        &self,
        message: SubmitOrder,
        a: Context,
        b: Context,
        c: Context,
        d: Context,
        e: Context,
        f: Context,
        g: Context,
    ) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
