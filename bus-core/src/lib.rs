//! Everything of the bus that knows no broker: messages, consumers, the pipeline around them, and the
//! seam ([`transport`]) that brokers stand behind.
//!
//! Programs use the facade crate `bus`; this crate is for transports and for crates of message contracts.

// What the macros write names this crate; so does this crate itself.
#[allow(unused_extern_crates, reason = "used by expansions only")]
extern crate self as bus_core;

pub mod address;
pub mod bus;
pub mod clock;
mod codec;
#[cfg(feature = "config")]
pub mod configuration;
pub mod consumer;
mod endpoint;
pub mod envelope;
mod error;
pub mod extract;
pub mod fault;
pub mod message;
pub mod naming;
mod observer;
pub mod persistence;
mod pipeline;
mod send;
#[cfg(feature = "testing")]
pub mod testing;
pub mod topology;
pub mod transport;

pub use bus::{Builder, Bus};
pub use bus_macros::{Message, consumer};
pub use error::{BuildError, Error, Posted};
pub use message::{Message, MessageType};
pub use pipeline::{Retry, TimedOut, filter};
pub use send::{Header, IntoAddress, Outbound, Transmit};

/// Any error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
