//! The seam between the bus and a broker. A transport moves bytes, headers and settlements; it never sees
//! a user's type.
//!
//! Rare calls are `async_trait` methods; what happens per message is a synchronous hand-off that returns a
//! [`Pending`] outcome, and deliveries come in batches, so nothing is boxed per message.

mod capabilities;
mod copy;
mod dead_letter;
mod driver;
mod ensure_queue;
mod error;
mod extensions;
mod moved;
mod pending;
mod publish;
mod receive;
mod settle;
mod window;

use std::{fmt::Debug, sync::Arc, time::Instant};

pub use capabilities::Capabilities;
pub use copy::copy_confirm_complete;
pub use dead_letter::DeadLetter;
pub use driver::{Driver, Environment};
pub use ensure_queue::EnsureQueue;
pub use error::TransportError;
pub use extensions::Extensions;
pub use moved::Moved;
pub use pending::{Completer, Outcome, Pending};
pub use publish::{Confirm, Outgoing, PublishOutcome, Publisher};
pub use receive::{Cause, Delivery, Event, Lane, Lease, Receiver, ReceiverSettings};
pub use settle::{Renewer, SettleOutcome, Settlement, Settler, Settling, Token, Unsettled};
pub use window::{Class, Permit, Reserve, Window, WindowLimits};

use crate::{
    address::{Address, AddressError, Destination},
    topology::Topology,
};

/// One broker, reached through its own connections. Made by a [`Driver`] without any I/O.
#[async_trait::async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// What this broker can do; before [`connect`](Self::connect), what it can do at the least.
    fn capabilities(&self) -> Capabilities;

    /// The entity of this broker that an address names.
    ///
    /// Host and credentials of a foreign absolute address are ignored: the own connection is used.
    fn resolve(&self, address: &Address) -> Result<Destination, AddressError>;

    /// The absolute address of an entity, as it travels in envelopes. Never carries credentials.
    fn absolute(&self, destination: &Destination) -> String;

    /// The address under which this process sends; nothing needs to exist there.
    fn source_address(&self) -> String;

    /// Whether the name can be declared; the error says why not.
    fn check_name(&self, name: &str) -> Result<(), String>;

    /// Whether a binding can ask for this routing key; the error says why not. Asked by `build()` of keys that are not
    /// empty. The default is that it can.
    fn check_routing_key(&self, _key: &str) -> Result<(), String> {
        Ok(())
    }

    /// What stands against an endpoint with these settings: a sentence for each option that excludes another,
    /// or that this broker cannot have. Asked by `build()`, so without any I/O. The default is nothing.
    fn check_endpoint(&self, _settings: &ReceiverSettings) -> Vec<String> {
        Vec::new()
    }

    /// Whether an endpoint with these settings gets its messages, or those of each lane, one after the other and in
    /// order, whoever receives: sessions, partitions, a single active consumer. The default is `false`.
    fn keeps_order(&self, _settings: &ReceiverSettings) -> bool {
        false
    }

    /// The options of an endpoint that only this transport knows, each with its value, as people read them. Nothing secret.
    /// The default is none.
    fn describe_endpoint(&self, _settings: &ReceiverSettings) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The address of an endpoint, as the source of what its handlers send. The default is that of the topic
    /// in front of its queue (MassTransit writes it without `bind`); options of the endpoint may show in it.
    fn input_address(&self, settings: &ReceiverSettings) -> String {
        self.absolute(&Destination::Topic(settings.queue.clone()))
    }

    /// Connects, trying again until the deadline (backing off), and stays connected until
    /// [`close`](Self::close). May be called again after an error, and after a close.
    async fn connect(&self, deadline: Instant) -> Result<(), TransportError>;

    /// Brings the broker to the topology. Idempotent. After a reconnection the transport applies what was
    /// applied last by itself, before it subscribes again.
    async fn apply(&self, topology: &Topology, mode: ApplyMode) -> Result<(), TransportError>;

    /// The way out. The same one at each call.
    fn publisher(&self) -> Arc<dyn Publisher>;

    /// Starts receiving from a queue.
    async fn receive(&self, settings: ReceiverSettings) -> Result<Box<dyn Receiver>, TransportError>;

    /// Looks at what lies in a queue, and leaves it there; at most `max` messages from its head. A queue
    /// that does not exist holds nothing. In a log, that is what is not committed.
    async fn browse(&self, queue: &str, max: usize) -> Result<Vec<DeadLetter>, TransportError>;

    /// Whether messages can be sent now; the error is the reason in words.
    fn health(&self) -> Result<(), String>;

    /// How many messages are on their way to the receivers of this transport: pushed to them, or ready for one
    /// that has room, and not handed out by [`Receiver::next`]. `None` if that cannot be known exactly at any
    /// moment, as with any broker that is not in this process. The test harness asks.
    fn in_flight(&self) -> Option<usize> {
        None
    }

    /// Waits for confirms until the deadline, then closes the connections. What is still under way gets its
    /// outcome.
    async fn close(&self, deadline: Instant);
}

/// How far [`Transport::apply`] may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplyMode {
    /// Declare what is missing. The default.
    Create,
    /// Change nothing; fail if something is missing.
    Validate,
    /// Change nothing, ask nothing.
    Assume,
}
