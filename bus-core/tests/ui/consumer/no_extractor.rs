//! An argument that nobody can make.
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

struct PgPool;

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder, pool: PgPool) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer]
async fn audit(message: SubmitOrder, pool: PgPool) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
