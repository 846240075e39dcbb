//! What is wrong with a handler is shown once, and not again where its consumer is registered.
#![allow(unused)]

use bus_core::{Message, consumer, consumer::Failure};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

struct PgPool;
struct Orders;

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder, pool: PgPool) -> Result<(), Failure> {
        Ok(())
    }
}

fn configured(builder: bus_core::Builder) -> bus_core::Builder {
    builder.consumer(Orders)
}

fn main() {}
