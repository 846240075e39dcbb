use std::{fmt, ops::Deref, sync::Arc};

use crate::{Message, envelope::Incoming};

/// What a handler may take as its first argument: a message, or [`Received`] of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message, so a consumer cannot take it",
    label = "the first argument of a handler is its message",
    note = "derive `Message` for `{Self}`, or take `Received<M>` of a message"
)]
pub trait MessageArg: Sized + Send + 'static {
    /// The message type that is subscribed to.
    type Message: Message;

    /// Makes the argument; called once per consumer and attempt.
    ///
    /// # Errors
    /// [`DecodeError`] if the payload does not fit the type; the message goes to `_error` without a retry.
    fn decode(incoming: &Arc<Incoming>) -> Result<Self, DecodeError>;
}

/// The payload does not fit the consumer's type. It will not the next time either: no retry, unless
/// [`classify`](crate::bus::EndpointBuilder::classify) says so.
#[derive(Debug, thiserror::Error)]
#[error("the payload is no {message_type}: {source}")]
pub struct DecodeError {
    message_type: &'static str,
    source: serde_json::Error,
}

impl DecodeError {
    pub(crate) fn of<M: Message>(source: serde_json::Error) -> Self {
        Self { message_type: M::message_type().urn(), source }
    }
}

impl<M: Message> MessageArg for M {
    type Message = M;

    fn decode(incoming: &Arc<Incoming>) -> Result<Self, DecodeError> {
        incoming.message_as()
    }
}

/// A message together with what was around it; a handler takes it in the message's place.
///
/// ```
/// # use bus_core::{Message, consumer::{Failure, Received}};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct OrderSubmitted { number: u32 }
/// async fn audit(event: Received<OrderSubmitted>) -> Result<(), Failure> {
///     let envelope = &event.incoming().envelope;
///     println!("order {} of {:?}, sent by {:?}", event.number, envelope.sent_time, envelope.source_address);
///     Ok(())
/// }
/// ```
pub struct Received<M> {
    message: M,
    incoming: Arc<Incoming>,
}

impl<M> Received<M> {
    /// The message alone.
    pub fn into_message(self) -> M {
        self.message
    }

    /// Envelope, headers and raw body.
    pub fn incoming(&self) -> &Incoming {
        &self.incoming
    }
}

impl<M> Deref for Received<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

impl<M: fmt::Debug> fmt::Debug for Received<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Received").field(&self.message).finish()
    }
}

impl<M: Message> MessageArg for Received<M> {
    type Message = M;

    fn decode(incoming: &Arc<Incoming>) -> Result<Self, DecodeError> {
        Ok(Self { message: M::decode(incoming)?, incoming: incoming.clone() })
    }
}
