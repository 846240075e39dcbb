//! The bus: built, started, used, stopped.

mod builder;
mod dead_letters;
mod endpoint;
mod endpoint_defaults;
mod handle;
mod health;
mod lifecycle;
mod plan;

pub use builder::{Builder, Catalog};
pub use dead_letters::DeadLetters;
pub use endpoint::EndpointBuilder;
pub use handle::Bus;
pub use health::{EndpointHealth, Health};
