#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder<'a> {
    customer: &'a str,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", urn = "Acme:Wrapped")]
struct Wrapped<T> {
    inner: T,
}

fn main() {}
