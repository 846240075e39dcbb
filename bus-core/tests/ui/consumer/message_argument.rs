//! The first argument is missing, borrowed, or the context.
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
    async fn nothing(&self) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn borrowed(&self, message: &SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn context_first(&self, ctx: &Context, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer]
async fn audit() -> Result<(), Failure> {
    Ok(())
}

fn main() {}
