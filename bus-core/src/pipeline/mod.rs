//! What stands between a delivery and its consumer. The built-in filters are one fixed struct, composed
//! statically and erased once per endpoint and consumer.

mod classifiers;
mod confirm;
mod fixed;
mod judge;
mod retry;

use std::{future::Future, pin::Pin, sync::Arc};

pub(crate) use classifiers::Classifiers;
pub(crate) use fixed::{Fixed, Kind, Policy};
pub use retry::Retry;

use serde_json::value::RawValue;

use crate::{
    MessageType,
    consumer::{Context, EndpointContext, Failure},
    endpoint::Stopping,
    envelope::Incoming,
    fault::Reason,
};

/// A handler with its filters, its type erased.
pub(crate) trait Pipeline: Send + Sync + 'static {
    /// The type that is subscribed to.
    fn message_type(&self) -> &'static MessageType;

    /// The payload as the consumer's type has it; none if it does not fit.
    fn project(&self, payload: &[u8]) -> Option<Box<RawValue>>;

    /// Which handler it is, in logs and fault headers.
    fn consumer(&self) -> &Arc<str>;

    /// Runs the handler until it succeeded and all that it sent is confirmed, or the policy gave up; which
    /// attempt it was that succeeded.
    fn run(
        self: Arc<Self>,
        incoming: Arc<Incoming>,
        endpoint: Arc<EndpointContext>,
        stopping: Stopping,
    ) -> Pin<Box<dyn Future<Output = Result<u32, Unfinished>> + Send>>;
}

/// Why a pipeline ended without success.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// The policy gave up after `retries` retries.
    Failed { reason: Box<Reason>, retries: u32 },
    /// The endpoint stops; the message goes back to its queue.
    Stopped,
}

/// The innermost step: decodes the message and calls the handler.
pub(crate) trait Invoke: Send + Sync + 'static {
    fn invoke(&self, ctx: &Context) -> impl Future<Output = Result<(), Failure>> + Send;
}
