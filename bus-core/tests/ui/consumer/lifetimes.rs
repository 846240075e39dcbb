//! A consumer has a lifetime, or borrows for less than ever.
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

struct Borrowing<'a>(&'a str);

#[consumer]
impl Borrowing<'_> {
    #[handle]
    async fn submit(&self, _: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

struct Orders<T>(T);

#[consumer]
impl<'a> Orders<&'a str> {
    #[handle]
    async fn submit(&self, _: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
