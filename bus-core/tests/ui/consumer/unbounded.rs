//! A generic consumer does not say that its parameter can be shared.
#![allow(unused)]

use bus_core::{
    Bus, Message,
    consumer,
    consumer::{Context, Failure},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

struct Orders<R> {
    repo: R,
}

#[consumer]
impl<R> Orders<R> {
    #[handle]
    async fn submit(&self, _: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

fn configured(builder: bus_core::Builder) -> bus_core::Builder {
    builder.consumer(Orders { repo: std::rc::Rc::new(1) })
}

fn main() {}
