//! The attribute of a message without its derive.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

fn main() {}
