//! A contract that is no message.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Plain {}

#[derive(Serialize, Deserialize)]
struct PlainOf<T> {
    inner: T,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(Plain))]
struct SubmitOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(Plain))]
struct Wrapped<T> {
    inner: T,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(PlainOf<T>))]
struct Pair<T> {
    inner: T,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", implements(Missing))]
struct CancelOrder {}

fn main() {}
