use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::DecodeError;
use crate::{
    Error, Message, MessageType,
    endpoint::{Redelivery, Status},
    envelope::Incoming,
    extract::Scope,
    send::{IntoAddress, Outbound, Outlet},
    transport::{Confirm, Outgoing, Permit},
};

/// What a handler knows about its message, and how it sends others.
///
/// A cheap handle. What is sent through it belongs to the attempt: the message is acknowledged only after
/// the broker has confirmed all of it. When the attempt has ended the context is closed, and a clone kept
/// in a spawned task gets [`Error::ContextClosed`].
///
/// ```
/// # use bus_core::{Message, consumer::{Context, Failure}};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct SubmitOrder { number: u32 }
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct OrderSubmitted { number: u32 }
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct PrintInvoice { number: u32 }
/// async fn submit(order: SubmitOrder, ctx: Context) -> Result<(), Failure> {
///     if ctx.header("tenant").is_none() {
///         return Err(Failure::permanent("no tenant"));
///     }
///     ctx.publish(OrderSubmitted { number: order.number }).await?;
///     ctx.send("queue:invoices", PrintInvoice { number: order.number }).await?;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Context(Arc<Attempt>);

/// One run of a handler.
pub(crate) struct Attempt {
    incoming: Arc<Incoming>,
    endpoint: Arc<EndpointContext>,
    number: u32,
    journal: Mutex<Journal>,
    /// A send of this attempt did not reach the broker.
    outage: AtomicBool,
    /// What is sent is kept until the attempt is committed.
    outbox: bool,
}

enum Journal {
    Open(Record),
    Closed,
}

/// What an attempt sent.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) sent: Vec<Sent>,
    /// Messages whose senders wait for the confirm themselves: each ends when its sender has it, or gives
    /// the message back when its sender stops waiting.
    pub(crate) awaited: Vec<oneshot::Receiver<Sent>>,
    /// What leaves after the commit.
    pub(crate) buffered: Vec<Buffered>,
}

/// A message that is kept until the attempt is committed.
#[derive(Debug)]
pub(crate) struct Buffered {
    pub(crate) message: Outgoing,
    pub(crate) posted: crate::error::Posted,
    pub(crate) message_type: &'static MessageType,
    pub(crate) published: bool,
}

/// One attempt sends no more than this before its commit.
const OUTBOX: usize = 10_000;

/// A message that was handed over and not awaited yet.
#[derive(Debug)]
pub(crate) struct Sent {
    /// To send it again, with the same id.
    pub(crate) message: Outgoing,
    pub(crate) posted: crate::error::Posted,
    pub(crate) confirm: Confirm,
}

/// What all deliveries of an endpoint share.
#[derive(Debug)]
pub(crate) struct EndpointContext {
    pub(crate) name: Arc<str>,
    /// The endpoint's absolute address.
    pub(crate) address: Arc<str>,
    /// Bodies of `application/json` are payloads without an envelope.
    pub(crate) raw_json: bool,
    /// Bodies of more bytes are not read.
    pub(crate) max_body: usize,
    pub(crate) redelivery: Redelivery,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) status: Arc<Status>,
    pub(crate) scope: Arc<Scope>,
}

impl Context {
    pub(crate) fn new(incoming: Arc<Incoming>, endpoint: Arc<EndpointContext>, number: u32, outbox: bool) -> Self {
        let journal = Mutex::new(Journal::Open(Record::default()));
        Self(Arc::new(Attempt { incoming, endpoint, number, journal, outage: AtomicBool::new(false), outbox }))
    }

    /// Publishes a message: every subscriber gets a copy.
    ///
    /// Awaiting it hands the message over; the broker's confirm is awaited before the consumed message is
    /// acknowledged, or at once with [`Outbound::confirmed`].
    ///
    /// A message that the broker refuses then fails the attempt. While the broker is away the consumed message is held:
    /// what a handler that succeeded could not send is sent again, with the same ids and without another run.
    ///
    /// # Errors
    /// Those of [`Outbound`].
    pub fn publish<M: Message>(&self, message: M) -> Outbound<'_, M> {
        Outbound::publish(&self.0.endpoint.outlet, Some(&self.0), message)
    }

    /// Sends a message to one address, such as `queue:orders`; as [`publish`](Self::publish) otherwise. A queue that is
    /// not there fails the attempt.
    ///
    /// # Errors
    /// Those of [`Outbound`].
    pub fn send<M: Message>(&self, to: impl IntoAddress, message: M) -> Outbound<'_, M> {
        Outbound::send(&self.0.endpoint.outlet, Some(&self.0), to.into_address(), message)
    }

    /// The message's id; none if its sender gave it none.
    pub fn message_id(&self) -> Option<Uuid> {
        self.0.incoming.envelope.message_id
    }

    /// The business id; none if its sender gave it none.
    pub fn correlation_id(&self) -> Option<Uuid> {
        self.0.incoming.envelope.correlation_id
    }

    /// Carried on to everything that is sent through this context.
    pub fn conversation_id(&self) -> Option<Uuid> {
        self.0.incoming.envelope.conversation_id
    }

    /// Who sent the message: an absolute address.
    pub fn source_address(&self) -> Option<&str> {
        self.0.incoming.envelope.source_address.as_deref()
    }

    /// A header of the envelope, without regard to case.
    pub fn header(&self, name: &str) -> Option<&Value> {
        self.0.incoming.header(name)
    }

    /// Which try this is: 0 for the first, then counted by the retry policy within one delivery. A message that comes
    /// again begins at 0.
    pub fn attempt(&self) -> u32 {
        self.0.number
    }

    /// Which round of redelivery this is: 0 until the message came again by
    /// [`EndpointBuilder::redeliver`](crate::bus::EndpointBuilder::redeliver) (or by MassTransit's redelivery), then
    /// counted from 1, whichever process the rounds before were in.
    pub fn redelivery_count(&self) -> u32 {
        self.0.incoming.redeliveries()
    }

    /// Whether the message was delivered before, here or elsewhere.
    pub fn redelivered(&self) -> bool {
        self.0.incoming.redelivered || self.redelivery_count() > 0
    }

    /// The name of the endpoint that received the message.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint.name
    }

    /// The payload as another type, such as a contract that it fulfils.
    ///
    /// # Errors
    /// [`DecodeError`] if the payload does not fit the type.
    pub fn message_as<M: Message>(&self) -> Result<M, DecodeError> {
        self.0.incoming.message_as()
    }

    /// The message as it arrived.
    pub fn incoming(&self) -> &Incoming {
        &self.0.incoming
    }

    pub(crate) fn incoming_arc(&self) -> &Arc<Incoming> {
        &self.0.incoming
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.0.endpoint.scope
    }

    /// Whether a send of the attempt did not reach the broker. An error type may hide that it did not.
    pub(crate) fn met_an_outage(&self) -> bool {
        self.0.outage.load(Ordering::Relaxed)
    }

    /// Whether the attempt has ended.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(*self.0.journal.lock().unwrap_or_else(PoisonError::into_inner), Journal::Closed)
    }

    /// Ends the attempt; what it sent so far.
    pub(crate) fn close(&self) -> Record {
        let mut journal = self.0.journal.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *journal, Journal::Closed) {
            Journal::Open(record) => record,
            Journal::Closed => Record::default(),
        }
    }
}

impl Attempt {
    pub(crate) fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    /// The name of the endpoint.
    pub(crate) fn endpoint(&self) -> &Arc<str> {
        &self.endpoint.name
    }

    /// The address of the endpoint, the source of what is sent here.
    pub(crate) fn address(&self) -> &str {
        &self.endpoint.address
    }

    /// Hands a message over as part of this attempt. One lock around the check, the hand-over and the
    /// record: nothing can be sent past the end of the attempt.
    pub(crate) fn submit(&self, permit: Permit, message: Outgoing, posted: crate::error::Posted) -> Result<(), Error> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let Journal::Open(record) = &mut *journal else {
            return Err(Error::ContextClosed);
        };
        let confirm = self.endpoint.outlet.publisher().submit(permit, message.clone());
        record.sent.push(Sent { message, posted, confirm });
        Ok(())
    }

    /// Whether what is sent leaves only after the attempt's commit.
    pub(crate) fn has_outbox(&self) -> bool {
        self.outbox
    }

    /// Keeps a message until the commit.
    pub(crate) fn buffer(&self, buffered: Buffered) -> Result<(), Error> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let Journal::Open(record) = &mut *journal else {
            return Err(Error::ContextClosed);
        };
        if record.buffered.len() >= OUTBOX {
            let source = format!("an attempt with an outbox sends at most {OUTBOX} messages").into();
            return Err(Error::Rejected { message: Box::new(buffered.posted), source });
        }
        record.buffered.push(buffered);
        Ok(())
    }

    /// The same for a message whose confirm its sender awaits. The sender may be a task that the handler
    /// does not wait for: what is returned beside the confirm is dropped when the outcome is there, and takes
    /// the message back if the sender stops waiting for it.
    pub(crate) fn submit_confirmed(
        &self,
        permit: Permit,
        message: Outgoing,
    ) -> Result<(Confirm, oneshot::Sender<Sent>), Error> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let Journal::Open(record) = &mut *journal else {
            return Err(Error::ContextClosed);
        };
        let (back, awaited) = oneshot::channel();
        record.awaited.push(awaited);
        Ok((self.endpoint.outlet.publisher().submit(permit, message), back))
    }

    /// Says that a send did not reach the broker.
    pub(crate) fn meet_an_outage(&self) {
        self.outage.store(true, Ordering::Relaxed);
    }

    /// Says that the handler stopped waiting for a send, as at its timeout. While the broker is away, that is
    /// an outage too.
    pub(crate) fn give_up_a_send(&self) {
        if self.endpoint.outlet.transport().health().is_err() {
            self.meet_an_outage();
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("endpoint", &self.0.endpoint.name)
            .field("message_id", &self.message_id())
            .field("attempt", &self.0.number)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("number", &self.number).finish_non_exhaustive()
    }
}
