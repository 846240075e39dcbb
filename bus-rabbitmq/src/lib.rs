//! RabbitMQ under the bus: MassTransit topology, confirms, reconnection.
//!
//! [`DRIVER`] is the entry; everything else is reached through `bus_core`'s transport traits. What only
//! RabbitMQ knows travels in extensions: [`EndpointOptions`] on endpoints (`.with(bus_rabbitmq::endpoint().quorum())`),
//! [`NativeProperties`] on messages.
//!
//! ```
//! use bus_core::{address::Destination, transport::{Driver, Environment}};
//!
//! let transport = bus_rabbitmq::DRIVER.open("amqp://localhost/shop", Environment::default())?;
//! let orders = transport.absolute(&Destination::Queue("orders".into()));
//! assert_eq!(orders, "rabbitmq://localhost/shop/orders?bind=true");
//! # Ok::<(), bus_core::transport::TransportError>(())
//! ```
//!
//! The connections live on a thread of their own, one for publishing and one for consuming, each kept by a
//! supervisor that reconnects for ever. lapin speaks the protocol; its own recovery is off.
//!
//! # Logs
//!
//! lapin logs messages that come back, bodies included, at WARN, and at TRACE the handshake with user and
//! password. Filter it: `RUST_LOG=info,lapin=error`.
//!
//! # Known limits
//!
//! Two kinds of messages that only foreign senders make are more than lapin can read. One with a short text
//! (message id, type, ...) that is no UTF-8 closes the connection each time it is delivered; health says "a message
//! that the client cannot read" until somebody removes it. One with headers nested thousands of levels deep
//! overflows the stack of lapin's thread, which ends the process. Messages sent from here have at most 16 levels.

mod address;
mod browse;
mod credentials;
mod decode;
mod delay;
mod driver;
mod encode;
mod endpoint;
mod headers;
mod link;
mod native;
mod publish;
mod receive;
mod refusal;
mod runtime;
mod settings;
mod topology;
mod transport;

pub use credentials::{Credentials, CredentialsCallback, credentials};
pub use driver::{DRIVER, RabbitMq};
pub use endpoint::{EndpointOptions, endpoint, generated_name};
pub use native::NativeProperties;
