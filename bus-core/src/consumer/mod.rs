//! Consumers: what happens when a message arrives.
//!
//! One idea, two spellings. `#[consumer]` on an `impl` block is the spine: dependencies are fields, each
//! `#[handle]` method takes one message type. `#[consumer]` on an `async fn` is sugar for a single handler.

mod argument;
mod context;
mod discovered;
mod entry;
mod failure;
mod function;
mod handlers;
mod listing;

use std::future::Future;

pub use argument::{DecodeError, MessageArg, Received};
pub use context::Context;
pub(crate) use context::{Attempt, Buffered, EndpointContext, Record, Sent};
#[doc(hidden)]
pub use discovered::discovered;
#[cfg(feature = "discover")]
#[doc(hidden)]
pub use discovered::{Discovered, Known, Made, Refused, inventory};
pub use entry::{Entry, IntoConsumer, Object, Registration};
pub(crate) use failure::cause;
pub use failure::{Discard, Failure, Marked, ResultExt, Verdict};
pub use function::Function;
pub use handlers::{ConsumerSettings, HandlerList, Handlers};
#[doc(hidden)]
pub use listing::{Listed, Listing, Unlisted};

use crate::extract::Scope;

/// Handles one kind of message. `#[consumer]` writes this for each `#[handle]` method.
///
/// ```
/// use bus_core::consumer::{Consumer, Context, Failure};
/// # use bus_core::Message;
/// # use serde::{Deserialize, Serialize};
/// #
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct SubmitOrder {}
/// struct Orders;
///
/// impl Consumer<SubmitOrder> for Orders {
///     async fn consume(&self, _message: SubmitOrder, _ctx: &Context) -> Result<(), Failure> {
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle `{A}`",
    note = "write `#[consumer]` on an `impl {Self}` block with a `#[handle]` method that takes it"
)]
pub trait Consumer<A: MessageArg>: Send + Sync + 'static {
    /// Handles a message. An error (or a panic) goes to the endpoint's retry policy, then to
    /// `_error`; a verdict on the error, or a [`Discard`], says otherwise.
    fn consume(&self, message: A, ctx: &Context) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Checked at `build()`: adds a sentence for everything that the handler needs and does not have.
    fn check(_scope: &Scope, _problems: &mut Vec<String>)
    where
        Self: Sized,
    {
    }
}

/// What a handler may return: `Result<(), E>` of any error.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "returns this",
    note = "a handler returns `Result<(), Failure>`, or `Result<(), E>` of any `E` that implements `std::error::Error`",
    note = "what it has to answer, it publishes or sends: `ctx.publish(answer).await?`"
)]
pub trait HandlerResult {
    /// The result with its error as a [`Failure`].
    fn finish(self) -> Result<(), Failure>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Failure>> HandlerResult for Result<(), E> {
    fn finish(self) -> Result<(), Failure> {
        self.map_err(Into::into)
    }
}
