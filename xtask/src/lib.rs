//! Chores of the workspace, and the servers that its tests start.
//!
//! The binary is `cargo xtask`. The library exists because tests that kill and restart a broker need
//! the same launcher: they take this crate as a dev-dependency.
#![allow(clippy::disallowed_methods, reason = "starts and times other processes; the bus's clock has no part in that")]

pub mod rabbitmq;
mod relay;

pub use relay::{Relay, Side};
