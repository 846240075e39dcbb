//! What stands between a delivery and its consumer. The built-in filters are one fixed struct, composed
//! statically and erased once per endpoint and consumer.
//!
//! The whole order, outermost first:
//!
//! | step | where | per |
//! |---|---|---|
//! | receive: a place of the endpoint's concurrency | `endpoint/pump.rs` | delivery |
//! | decode the envelope, pick the consumers | `endpoint/dispatch.rs` | delivery |
//! | redelivery | `endpoint/redelivery.rs` | delivery |
//! | retry | [`retry`](Retry), `fixed.rs` | consumer |
//! | concurrency limit | `concurrency.rs` | attempt |
//! | catch panics | `fixed.rs` | attempt |
//! | timeout | `timeout.rs` | attempt |
//! | the user's filters and layers | [`filter`] | attempt |
//! | decode the message, call the consumer | [`Invoke`] | attempt |
//!
//! The concurrency limit is inside of the retries: its place is taken for an attempt, confirms of what the
//! consumer sent included, and is free for others during a pause. The timeout is inside of the limit, so that
//! waiting in line costs nobody his time. A message keeps its endpoint's place all the while, as in MassTransit.

mod classifiers;
mod concurrency;
mod confirm;
pub mod filter;
mod fixed;
mod judge;
mod retry;
mod timeout;
mod unit;

use std::{future::Future, pin::Pin, sync::Arc};

pub(crate) use classifiers::Classifiers;
pub(crate) use concurrency::Concurrency;
pub(crate) use filter::Filters;
pub(crate) use fixed::{Fixed, Kind, Policy};
pub use retry::Retry;
pub use timeout::TimedOut;
pub(crate) use timeout::Timeout;

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
