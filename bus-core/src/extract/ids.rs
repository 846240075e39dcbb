//! The ids of an envelope, each as an extractor of its own.

use std::fmt;

use uuid::Uuid;

use super::Extract;
use crate::{
    consumer::{Context, Failure},
    envelope::Envelope,
};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $member:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Without it the attempt fails, and is not retried: for a message that may have none, take an `Option` of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            fn of(envelope: &Envelope) -> Option<Self> {
                envelope.$member.map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl Extract for $name {
            async fn extract(ctx: &Context) -> Result<Self, Failure> {
                Self::of(&ctx.incoming().envelope).ok_or_else(|| {
                    Failure::permanent(concat!(
                        "the message has no ", $what, ": its sender has to set one, or the consumer takes `Option<",
                        stringify!($name), ">`"
                    ))
                })
            }
        }

        impl Extract for Option<$name> {
            async fn extract(ctx: &Context) -> Result<Self, Failure> {
                Ok($name::of(&ctx.incoming().envelope))
            }
        }
    )*};
}

ids! {
    /// The message's own id, the same in each delivery and attempt: [`Context::message_id`].
    ///
    /// ```
    /// use bus_core::{consumer::Failure, extract::MessageId};
    /// # use bus_core::Message;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(namespace = "Acme.Orders", crate = bus_core)]
    /// # struct SubmitOrder {}
    ///
    /// async fn submit(_order: SubmitOrder, MessageId(id): MessageId) -> Result<(), Failure> {
    ///     println!("charged once for {id}, however often it comes");
    ///     Ok(())
    /// }
    /// # let _ = bus_core::Builder::new("", Default::default()).endpoint("orders", |e| e.consumer(submit));
    /// ```
    MessageId, "message id", message_id;

    /// The business id that the message is about: [`Context::correlation_id`], `#[message(correlate = field)]`.
    ///
    /// ```
    /// use bus_core::{consumer::Failure, extract::CorrelationId};
    /// # use bus_core::Message;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(namespace = "Acme.Orders", crate = bus_core)]
    /// # struct SubmitOrder {}
    ///
    /// async fn submit(_order: SubmitOrder, order: Option<CorrelationId>) -> Result<(), Failure> {
    ///     if let Some(CorrelationId(order)) = order {
    ///         println!("order {order}");
    ///     }
    ///     Ok(())
    /// }
    /// # let _ = bus_core::Builder::new("", Default::default()).endpoint("orders", |e| e.consumer(submit));
    /// ```
    CorrelationId, "correlation id", correlation_id;

    /// What the first message of a conversation and all that followed from it have in common:
    /// [`Context::conversation_id`].
    ConversationId, "conversation id", conversation_id;

    /// The correlation id of the message that this one was sent for: MassTransit's `InitiatorId`.
    InitiatorId, "initiator id", initiator_id;

    /// The id of the request that this message is, or answers: MassTransit's `RequestId`.
    RequestId, "request id", request_id;
}
