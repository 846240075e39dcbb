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

mod address;
mod browse;
mod decode;
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

pub use driver::{DRIVER, RabbitMq};
pub use endpoint::{EndpointOptions, endpoint, generated_name};
pub use native::NativeProperties;
