//! The bus: built, started, used, stopped.

mod builder;
#[cfg(feature = "config")]
mod configured;
mod consumer;
mod dead_letters;
mod endpoint;
mod endpoint_defaults;
mod handle;
mod health;
#[cfg(feature = "tower")]
mod layer;
mod lifecycle;
mod outlasting;
mod plan;
mod setting;

pub use builder::{Builder, Catalog};
pub use consumer::ConsumerBuilder;
pub use dead_letters::DeadLetters;
pub use endpoint::EndpointBuilder;
pub use handle::Bus;
pub use health::{EndpointHealth, Health};
