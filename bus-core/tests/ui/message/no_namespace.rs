//! A message without a namespace.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
struct SubmitOrder {}

fn main() {
    // Counts as a message all the same: no further error here.
    SubmitOrder::message_type();
}
