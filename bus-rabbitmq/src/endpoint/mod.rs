//! What only RabbitMQ knows of a receive endpoint: how its queue is declared.

mod argument_values;
mod aside;
#[cfg(feature = "config")]
mod configured;
mod conflicts;
mod generated_name;
mod options;

pub(crate) use aside::aside;
#[cfg(feature = "config")]
pub(crate) use configured::configure;
pub(crate) use conflicts::conflicts;
pub use generated_name::generated_name;
pub(crate) use generated_name::named_for;
pub use options::{EndpointOptions, endpoint};
pub(crate) use options::{Lifetime, arguments};
