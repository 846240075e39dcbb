//! A closure as a filter.
use bus_core::{
    bus::EndpointBuilder,
    consumer::{Context, Failure},
    filter::Next,
};

fn configured(endpoint: EndpointBuilder) -> EndpointBuilder {
    endpoint.filter(|_: Context, next: Next| async move { Ok::<(), Failure>(next.run().await?) })
}

fn main() {}
