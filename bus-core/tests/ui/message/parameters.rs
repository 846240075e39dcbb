//! A message that borrows; a generic message of one name.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder<'a> {
    customer: &'a str,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", urn = "Acme:Wrapped", entity_name = "wrapped")]
struct Wrapped<T> {
    inner: T,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", uri = "scheme:pair")]
struct Pair<A, B> {
    first: A,
    second: B,
}

fn main() {}
