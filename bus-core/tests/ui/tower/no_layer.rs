//! Something is given to `.layer(..)` that is no layer, or a layer whose service is not one for a consumer.
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

use bus_core::bus::EndpointBuilder;

struct Timeouts;

fn configured(endpoint: EndpointBuilder) -> EndpointBuilder {
    endpoint.layer(Timeouts)
}

fn main() {}
