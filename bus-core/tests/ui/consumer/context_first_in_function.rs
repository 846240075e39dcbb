// A function whose first argument is its context.

use bus_core::{
    Message, consumer,
    consumer::{Context, Failure},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", crate = bus_core)]
struct SubmitOrder {}

#[consumer]
async fn submit(ctx: Context, order: SubmitOrder) -> Result<(), Failure> {
    let _ = (ctx, order);
    Ok(())
}

fn main() {}
