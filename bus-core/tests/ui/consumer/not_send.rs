//! A consumer, or the work of a handler, cannot change threads.
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
async fn audit(message: SubmitOrder, ctx: Context) -> Result<(), Failure> {
    let shared = std::rc::Rc::new(message);
    std::future::ready(()).await;
    drop(shared);
    Ok(())
}

struct Counts {
    seen: std::cell::Cell<u32>,
}

#[consumer]
impl Counts {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        self.seen.set(self.seen.get() + 1);
        Ok(())
    }
}

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, message: SubmitOrder) -> Result<(), Failure> {
        let shared = std::rc::Rc::new(message);
        std::future::ready(()).await;
        drop(shared);
        Ok(())
    }
}

fn main() {}
