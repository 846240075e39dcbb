use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ExceptionInfo;
use crate::{Message, MessageType, envelope::Host, envelope::date};

/// Tells that a consumer of `M` gave up on a message. Published for every failure, so that others can
/// react; sent to the failed message's fault or response address instead, if it has one.
///
/// Consume it like any message:
///
/// ```
/// # use bus_core::{Message, consumer::Failure, fault::Fault};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct SubmitOrder { number: u32 }
/// async fn failed(fault: Fault<SubmitOrder>) -> Result<(), Failure> {
///     let why = fault.exceptions.first().and_then(|exception| exception.message.as_deref());
///     println!("order {} failed: {why:?}", fault.message.number);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "M: serde::de::DeserializeOwned"))]
#[non_exhaustive]
pub struct Fault<M> {
    /// The fault's own id.
    pub fault_id: Uuid,
    /// The id of the message that failed.
    pub faulted_message_id: Option<Uuid>,
    /// When the consumer gave up.
    #[serde(with = "date")]
    pub timestamp: SystemTime,
    /// The error that the consumer gave up with.
    pub exceptions: Vec<ExceptionInfo>,
    /// The process that gave up.
    pub host: Option<Host>,
    /// The types of the message that failed.
    pub fault_message_types: Option<Vec<String>>,
    /// The message that failed.
    pub message: M,
}

impl<M: Message> Message for Fault<M> {
    fn message_type() -> &'static MessageType {
        M::message_type().fault()
    }
}
