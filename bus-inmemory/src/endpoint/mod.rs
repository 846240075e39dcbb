//! What only this broker knows of a receive endpoint: how its queue is declared.

mod conflicts;
mod options;

pub(crate) use conflicts::conflicts;
pub use options::{EndpointOptions, endpoint};
