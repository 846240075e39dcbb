//! Messages that are contracts of each other.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(Chicken))]
struct Egg {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(Egg))]
struct Chicken {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(Wrapped<Node>))]
struct Node {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct Wrapped<T> {
    inner: T,
}

fn main() {}
