//! The bus: built, started, used, stopped.

mod bindings;
mod builder;
#[cfg(feature = "config")]
mod configured;
mod consumer;
mod dead_letters;
mod description;
#[cfg(feature = "discover")]
mod discover;
mod doubts;
mod endpoint;
mod endpoint_checks;
mod endpoint_defaults;
mod from_env;
mod handle;
mod health;
#[cfg(feature = "tower")]
mod layer;
mod lifecycle;
mod plan;
mod problem;
mod rounds;
mod rules;
mod setting;
mod source;
mod timeouts;
mod twice;

pub use builder::{Builder, Catalog};
pub use consumer::ConsumerBuilder;
pub use dead_letters::DeadLetters;
pub use description::{
    ConsumerDescription, Description, EndpointDescription, HandlerDescription, OutboxMode, SubscriptionDescription,
    TransportDescription,
};
pub use endpoint::EndpointBuilder;
pub use handle::Bus;
pub use health::{EndpointHealth, Health};
pub use problem::Problem;
