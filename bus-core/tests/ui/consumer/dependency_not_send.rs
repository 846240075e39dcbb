//! A trait behind a type parameter does not promise that its futures can change threads.
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

trait OrderRepo: Send + Sync + 'static {
    async fn insert(&self, order: &SubmitOrder) -> Result<(), std::io::Error>;
}

struct Orders<R> {
    repo: R,
}

#[consumer]
impl<R: OrderRepo> Orders<R> {
    #[handle]
    async fn submit(&self, order: SubmitOrder) -> Result<(), Failure> {
        self.repo.insert(&order).await?;
        Ok(())
    }
}

fn main() {}
