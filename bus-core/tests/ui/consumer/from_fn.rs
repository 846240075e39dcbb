//! A filter's function does not take a context and what follows, or is not asynchronous.
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

use bus_core::{bus::EndpointBuilder, filter, filter::Next};

fn configured(endpoint: EndpointBuilder) -> EndpointBuilder {
    endpoint
        .filter(filter::from_fn(|ctx: Context| async move { Ok::<(), Failure>(()) }))
        .filter(filter::from_fn(|ctx: Context, next: Next| Ok::<(), Failure>(())))
}

fn main() {}
