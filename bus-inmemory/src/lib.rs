//! A whole broker in process, for programs and tests: `memory://NAME`.
//!
//! Every transport of one name in one process stands before the same broker; brokers of other names know
//! nothing of it. A broker, and what lies in its queues, lives as long as some transport of its name does:
//! the last one dropped takes it along, and the name begins anew. Nothing survives the process, and the
//! backlog of a queue that nobody reads is bounded by memory only, unless it has a
//! [`max_length`](EndpointOptions::max_length).
//!
//! ```
//! use bus_core::{address::Destination, transport::{Driver, Environment}};
//!
//! let transport = bus_inmemory::DRIVER.open("memory://shop", Environment::default())?;
//! let orders = transport.absolute(&Destination::Queue("orders".into()));
//! assert_eq!(orders, "memory://shop/orders?bind=true");
//! # Ok::<(), bus_core::transport::TransportError>(())
//! ```
//!
//! # Routing
//!
//! It routes as RabbitMQ does under the bus, so that a program can change its URL and keep its topology:
//!
//! - Every queue has an exchange of its name in front. Topics are exchanges. An exchange gives a copy to
//!   every queue it leads to, once, over however many paths.
//! - `queue:orders` is the queue itself; `exchange:orders` goes through its exchange, where taps see it.
//!
//! # Receiving
//!
//! Consumers of a queue get messages pushed by turns, each up to its prefetch. A message that is released goes
//! back to where it was in the queue. Each delivery says how often its message was handed out, itself included.
//!
//! A receiver that is paused or closed puts back at once what it did not hand out; what it handed out can
//! still be settled, also after it was closed, and is released when it is dropped. A receiver that is
//! dropped, and a transport that is closed or dropped, release what was handed out as well: settling it
//! later gives `LeaseLost`. A transport can be connected again after it was closed, its receivers cannot.
//!
//! # Queues with options
//!
//! An endpoint asks for more with [`endpoint()`](endpoint()): deliveries that belong to their receiver for a time
//! ([`lease`](EndpointOptions::lease)), order within [lanes](EndpointOptions::lanes), a queue for
//! [dead letters](EndpointOptions::dead_letter), a [time to live](EndpointOptions::time_to_live) for all messages,
//! a [largest length](EndpointOptions::max_length). A queue stays as it was declared first.
//!
//! # Time
//!
//! A message with a delay is kept by the broker and enters its queues when its time has come by its sender's
//! clock; those that are due together in the order of submission. Where it goes is decided when it is handed
//! over, its time to live begins in the queue, and it outlives the transport that sent it.
//!
//! What happens at a time (delays, the ends of leases, dead letters) happens on a
//! [manual clock](bus_core::clock::Clock::manual) inside `advance_to`; on the real one it needs a tokio runtime with
//! time, which is that of the transport that has been connected longest. Another takes over when that one is closed.
//!
//! # A broker without order
//!
//! `memory://NAME?seed=42` opens a broker that decides by chance what is left open elsewhere: which of the
//! consumers with room gets the next message, and which message of a queue or of a receiver's buffer is the next.
//! Lanes keep their order. Chance follows from the seed, so a run on a manual clock and one thread can be
//! repeated. All transports of a name have to say the same seed.
//!
//! # Where it differs from RabbitMQ
//!
//! - A message is `redelivered` only if a receiver handed it out before: one that only waited in a receiver's
//!   buffer is as good as new.
//! - One whose time to live ends in a receiver's buffer is not handed out. On RabbitMQ it is, since it was sent.
//! - It delays messages itself, to the nanosecond, up to thirty years.
//! - A queue with a dead-letter queue gives up what expires at once, wherever it lies; RabbitMQ only at the head.
//!   Dead letters go to a queue, not to an exchange, and carry two headers instead of `x-death`.
//! - A full queue refuses the newest (RabbitMQ's `reject-publish`; its default is to drop the oldest), and a
//!   message for several queues goes to all of them or none. RabbitMQ tells of the refusal and keeps the others.
//! - Lanes and leases have no counterpart there: single active consumers and consumer timeouts are for whole
//!   queues and channels.
//! - Priorities travel, and sort nothing.

mod address;
mod alarms;
mod broker;
mod driver;
mod endpoint;
mod in_flight;
mod publisher;
mod queue;
mod receiver;
mod subscription;
mod transport;
mod url;

pub use driver::{DRIVER, MemoryDriver};
pub use endpoint::{EndpointOptions, endpoint};
