//! What travels: the [`Message`] trait and the description that its derive writes.

mod intern;
mod message_type;
mod name;
mod topic_kind;
pub mod value;

pub use intern::intern;
pub use message_type::MessageType;
pub use name::TypeName;
pub use topic_kind::TopicKind;

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// A type that the bus can carry. Write `#[derive(Message)]`; the derive needs a namespace.
///
/// ```
/// use bus_core::Message;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize, Message)]
/// #[message(namespace = "Acme.Orders", crate = bus_core)]
/// struct SubmitOrder {
///     customer: String,
/// }
///
/// assert_eq!(SubmitOrder::message_type().urn(), "urn:message:Acme.Orders:SubmitOrder");
/// assert_eq!(SubmitOrder::message_type().entity_name(), "Acme.Orders:SubmitOrder");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "not a message",
    note = "add `#[derive(Serialize, Deserialize, Message)]` and `#[message(namespace = \"Your.Namespace\")]` to `{Self}`"
)]
pub trait Message: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The type's name on the wire. One value per type for the life of the process.
    fn message_type() -> &'static MessageType;

    /// The business id that the message carries, if it has one: the envelope's `correlationId`.
    ///
    /// The default is none; `#[message(correlate = field)]` names the field.
    fn correlation_id(&self) -> Option<Uuid> {
        None
    }
}
