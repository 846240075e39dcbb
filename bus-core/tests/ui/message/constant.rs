//! A generic message with a constant.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct Page<const SIZE: usize> {
    lines: Vec<String>,
}

fn main() {}
