//! A wrong argument of a consumer that is found shows one error.
#![allow(unused)]

use bus_core::{Message, consumer, consumer::Failure};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

struct Orders;
struct PgPool;

#[consumer(auto)]
impl Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder, pool: PgPool) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer(auto)]
async fn audit(message: SubmitOrder, pool: PgPool) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
