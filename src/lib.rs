//! A service bus for Rust in the style of MassTransit.
//!
//! Application code says *what* a message is and *what* happens when it arrives; the bus does routing,
//! retries and error queues. The transport under it is a cargo feature and a URL:
//!
//! | URL | feature | |
//! |---|---|---|
//! | `memory://NAME` | `inmemory` (on by default) | a broker inside the process |
//! | `amqp://`, `amqps://` (also `rabbitmq://`, `rabbitmqs://`) | `rabbitmq` | RabbitMQ, wire-compatible with MassTransit v8 |
//!
//! ```
//! use bus::prelude::*;
//!
//! #[derive(Debug, Serialize, Deserialize, Message)]
//! #[serde(rename_all = "camelCase")]
//! #[message(namespace = "Acme.Orders")]
//! struct SubmitOrder {
//!     order_id: u32,
//! }
//!
//! struct Orders;
//!
//! #[consumer]
//! impl Orders {
//!     #[handle]
//!     async fn submit(&self, order: SubmitOrder, _ctx: &Context) -> Result<(), Failure> {
//!         assert_eq!(order.order_id, 7);
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), bus::Error> {
//! let bus = bus::builder("memory://shop").consumer(Orders).build()?;
//! bus.start().await?;
//! bus.send("queue:orders", SubmitOrder { order_id: 7 }).await?;
//! bus.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! The pages of `docs/` in the repository are guides: the first hour, messages, consumers and errors, testing,
//! transports, RabbitMQ, defaults, and coming from MassTransit or lapin.

// What the macros write names this crate; so does this crate itself.
#[allow(unused_extern_crates, reason = "used by expansions only")]
extern crate self as bus;

#[cfg(all(doctest, feature = "inmemory", feature = "rabbitmq", feature = "testing", feature = "tower"))]
mod guide;
pub mod prelude;
#[cfg(feature = "testing")]
pub mod testing;

#[doc(inline)]
pub use bus_core::bus::{
    Catalog, ConsumerBuilder, ConsumerDescription, DeadLetters, Description, EndpointBuilder, EndpointDescription,
    EndpointHealth, HandlerDescription, Health, OutboxMode, Problem, SubscriptionDescription, TransportDescription,
};
#[doc(inline)]
pub use bus_core::{
    BoxError, BuildError, Builder, Bus, Error, Header, IntoAddress, Message, MessageType, Outbound, Posted, Retry,
    TimedOut, Transmit, address, clock, consumer, envelope, extract, fault, filter, handle, message, naming, observer,
    persistence, topology, transport,
};

/// Settings from TOML, JSON and environment variables, and filters by name.
#[cfg(feature = "config")]
#[doc(inline)]
pub use bus_core::configuration;

/// What only the broker in memory knows, such as `.with(inmemory::endpoint().lanes())` on an endpoint.
#[cfg(feature = "inmemory")]
pub use bus_inmemory as inmemory;

/// What only RabbitMQ knows, such as `.with(rabbitmq::endpoint().quorum())` on an endpoint.
#[cfg(feature = "rabbitmq")]
pub use bus_rabbitmq as rabbitmq;

/// Puts a bus together; the URL's scheme picks one of the transports that are compiled in.
///
/// `build()` on the result says what is wrong with the URL, an unknown scheme or one whose feature is off
/// included.
///
/// ```
/// use bus::prelude::*;
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(namespace = "Acme.Orders")]
/// struct SubmitOrder {}
///
/// async fn submit(_order: SubmitOrder) -> Result<(), Failure> {
///     Ok(())
/// }
///
/// let url = std::env::var("BUS_URL").unwrap_or_else(|_| "memory://shop".to_owned());
/// let bus = bus::builder(url).endpoint("orders", |e| e.consumer(submit)).build()?;
/// assert!(!bus.health().healthy, "it is not started");
/// # Ok::<(), bus::Error>(())
/// ```
#[must_use]
#[track_caller]
pub fn builder(url: impl Into<String>) -> Builder {
    Builder::new(url, catalog())
}

/// The same at the URL in the environment variable `BUS_URL`, so that one program runs on memory and on a broker. A URL
/// that is given to [`builder`] is not looked up anywhere.
///
/// If the variable is missing or empty, `build()` says so, and what to set.
///
/// ```no_run
/// # use bus::prelude::*;
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders")]
/// # struct Paid {}
/// # async fn book(_: Paid) -> Result<(), Failure> { Ok(()) }
/// # #[tokio::main]
/// # async fn main() -> Result<(), bus::Error> {
/// // BUS_URL=amqp://user:password@host/vhost
/// let bus = bus::from_env().endpoint("books", |e| e.consumer(book)).build()?;
/// bus.run().await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
#[track_caller]
pub fn from_env() -> Builder {
    Builder::from_env(catalog())
}

/// The transports that are compiled in, and the ones that a cargo feature would bring; for programs that put a
/// [`Builder`] together themselves.
///
/// ```
/// let schemes: Vec<_> = bus::catalog().drivers.iter().flat_map(|driver| driver.schemes()).copied().collect();
/// assert!(schemes.contains(&"memory"));
/// ```
#[must_use]
pub fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    #[cfg(feature = "inmemory")]
    catalog.drivers.push(&bus_inmemory::DRIVER);
    #[cfg(not(feature = "inmemory"))]
    catalog.missing.push(("memory", "inmemory"));
    #[cfg(feature = "rabbitmq")]
    catalog.drivers.push(&bus_rabbitmq::DRIVER);
    #[cfg(not(feature = "rabbitmq"))]
    catalog.missing.extend(["amqp", "amqps", "rabbitmq", "rabbitmqs"].map(|scheme| (scheme, "rabbitmq")));
    catalog
}
