//! An extractor of the program's own cannot change threads while it is made.
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

use bus_core::extract::Extract;

struct Tenant;

impl Extract for Tenant {
    async fn extract(ctx: &Context) -> Result<Self, Failure> {
        let name = std::rc::Rc::new("acme");
        std::future::ready(()).await;
        drop(name);
        Ok(Self)
    }
}

fn main() {}
