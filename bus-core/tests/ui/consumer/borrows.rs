//! A consumer or an argument that borrows.
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

struct Borrowing<'a> {
    name: &'a str,
}

#[consumer]
impl<'a> Borrowing<'a> {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder, ctx: &mut Context) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn cancel(&self, message: SubmitOrder, name: &str) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer]
async fn audit(message: SubmitOrder, ctx: &Context) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
