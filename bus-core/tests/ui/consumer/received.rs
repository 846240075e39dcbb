//! What `Received` holds is no message, or it stands behind the message.
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

use bus_core::consumer::Received;

#[consumer]
async fn of_no_message(_: Received<String>) -> Result<(), Failure> {
    Ok(())
}

#[consumer]
async fn behind(_: SubmitOrder, around: Received<SubmitOrder>) -> Result<(), Failure> {
    Ok(())
}

fn main() {}
