//! Everything of the bus that knows no broker: messages, consumers, the pipeline around them, and the
//! seam ([`transport`]) that brokers stand behind.
//!
//! Programs use the facade crate `bus`; this crate is for transports and for crates of message contracts.

pub mod address;
pub mod clock;
pub mod envelope;
pub mod message;
pub mod naming;
pub mod topology;
pub mod transport;

pub use bus_macros::{Message, consumer};
pub use message::{Message, MessageType};

/// Any error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
