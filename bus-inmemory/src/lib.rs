//! A whole broker in process, for programs and tests: `memory://NAME`.
//!
//! Every transport of one name in one process stands before the same broker; brokers of other names know
//! nothing of it. A broker, and what lies in its queues, lives as long as some transport of its name does:
//! the last one dropped takes it along, and the name begins anew. Nothing survives the process, and the
//! backlog of a queue that nobody reads is bounded by memory only.
//!
//! It routes as RabbitMQ does under the bus, so that a program can change its URL and keep its topology:
//!
//! - Every queue has an exchange of its name in front. Topics are exchanges. An exchange gives a copy to
//!   every queue it leads to, once, over however many paths.
//! - `queue:orders` is the queue itself; `exchange:orders` goes through its exchange, where taps see it.
//! - Consumers of a queue get messages pushed by turns, each up to its prefetch.
//! - A message that is released goes back to where it was in the queue.
//!
//! A receiver that is paused or closed puts back at once what it did not hand out; what it handed out can
//! still be settled, also after it was closed, and is released when it is dropped. A receiver that is
//! dropped, and a transport that is closed or dropped, release what was handed out as well: settling it
//! later gives `LeaseLost`. A transport can be connected again after it was closed, its receivers cannot.
//!
//! Where it differs from RabbitMQ it tells more of the truth: a message is `redelivered` only if a receiver
//! handed it out before (one that only waited in a receiver's buffer is as good as new), and one whose time
//! to live ends in a receiver's buffer is not handed out. It does not delay messages yet.

mod address;
mod broker;
mod driver;
mod publisher;
mod queue;
mod receiver;
mod subscription;
mod transport;

pub use driver::{DRIVER, MemoryDriver};
