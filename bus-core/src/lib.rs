//! Everything of the bus that knows no broker: messages, consumers, the pipeline around them, and the
//! seam (`transport`) that brokers stand behind.
//!
//! Programs use the facade crate `bus`; this crate is for transports and for crates of message contracts. The latter
//! need [`message`] alone, and turn the feature `runtime` off, which brings everything else:
//!
//! ```toml
//! bus-core = { version = "0.1", default-features = false }
//! ```

// What the macros write names this crate; so does this crate itself.
#[allow(unused_extern_crates, reason = "used by expansions only")]
extern crate self as bus_core;

#[cfg(feature = "runtime")]
pub mod address;
#[cfg(feature = "runtime")]
pub mod bus;
#[cfg(feature = "runtime")]
pub mod clock;
#[cfg(feature = "runtime")]
mod codec;
#[cfg(feature = "config")]
pub mod configuration;
#[cfg(feature = "runtime")]
pub mod consumer;
#[cfg(feature = "runtime")]
mod endpoint;
#[cfg(feature = "runtime")]
pub mod envelope;
#[cfg(feature = "runtime")]
mod error;
#[cfg(feature = "runtime")]
pub mod extract;
#[cfg(feature = "runtime")]
pub mod fault;
#[cfg_attr(not(feature = "runtime"), allow(dead_code, reason = "the runtime uses it"))]
pub mod message;
#[cfg(feature = "runtime")]
pub mod naming;
#[cfg(feature = "runtime")]
pub mod observer;
#[cfg(feature = "runtime")]
pub mod persistence;
#[cfg(feature = "runtime")]
mod pipeline;
#[cfg(feature = "runtime")]
mod send;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "runtime")]
pub mod topology;
#[cfg(feature = "runtime")]
pub mod transport;

#[cfg(feature = "runtime")]
pub use bus::{Builder, Bus};
pub use bus_macros::Message;
#[cfg(feature = "runtime")]
pub use bus_macros::{consumer, handle};
#[cfg(feature = "runtime")]
pub use error::{BuildError, Error, Posted};
pub use message::{Message, MessageType};
#[cfg(feature = "runtime")]
pub use pipeline::{Retry, TimedOut, filter};
#[cfg(feature = "runtime")]
pub use send::{Header, IntoAddress, Outbound, Transmit};

/// Any error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
