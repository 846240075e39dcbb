//! What only this broker knows of a receive endpoint: how its queue is declared.

#[cfg(feature = "config")]
mod configured;
mod conflicts;
mod options;

#[cfg(feature = "config")]
pub(crate) use configured::configure;
pub(crate) use conflicts::conflicts;
pub use options::{EndpointOptions, endpoint};
