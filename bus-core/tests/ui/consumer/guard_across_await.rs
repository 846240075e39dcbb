//! A lock of the standard library is held across an await.
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

struct Orders {
    count: std::sync::Mutex<u32>,
}

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, order: SubmitOrder, ctx: &Context) -> Result<(), Failure> {
        let mut count = self.count.lock().unwrap();
        ctx.publish(order).await?;
        *count += 1;
        Ok(())
    }
}

fn main() {}
