//! What a handler may take besides its message: up to six arguments, in both spellings of a consumer.
//!
//! | argument | gives |
//! |---|---|
//! | `ctx: Context`, in a block also `ctx: &Context` | everything about the message, and the means to send others |
//! | `State(db): State<PgPool>` | a value that the builder was given by `.state(..)` |
//! | `headers: Headers` | the message's headers |
//! | `Attempt(attempt): Attempt` | which try this is |
//! | `MessageId(id): MessageId`, also [`CorrelationId`], [`ConversationId`], [`InitiatorId`], [`RequestId`] | an id; `Option<MessageId>` where it may be missing |
//! | any type of yours | what its [`Extract`] makes of the context |
//!
//! The whole envelope comes with the message itself: [`Received`](crate::consumer::Received) as the first argument.

mod attempt;
mod headers;
mod ids;
mod scope;
mod state;

use std::future::Future;

pub use attempt::Attempt;
pub use headers::Headers;
pub use ids::{ConversationId, CorrelationId, InitiatorId, MessageId, RequestId};
pub use scope::Scope;
pub use state::State;

use crate::consumer::{Context, Failure};

/// An argument of a handler after the message. Implement it for what several handlers need, or what takes more than
/// one step to have.
///
/// ```
/// use bus_core::{
///     consumer::{Context, Failure},
///     extract::{Extract, Headers, Scope, State},
/// };
/// # use bus_core::Message;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct SubmitOrder {}
///
/// #[derive(Clone)]
/// struct Tenants(Vec<String>);
///
/// /// The tenant that a message is of, known to us.
/// struct Tenant(String);
///
/// impl Extract for Tenant {
///     fn check(scope: &Scope) -> Result<(), String> {
///         State::<Tenants>::check(scope)
///     }
///
///     async fn extract(ctx: &Context) -> Result<Self, Failure> {
///         let State(tenants) = State::<Tenants>::extract(ctx).await?;
///         let headers = Headers::extract(ctx).await?;
///         let name = headers.text("Tenant").ok_or_else(|| Failure::permanent("the message has no tenant"))?;
///         match tenants.0.iter().find(|known| *known == name) {
///             Some(known) => Ok(Self(known.clone())),
///             None => Err(Failure::permanent(format!("nobody knows the tenant {name}"))),
///         }
///     }
/// }
///
/// async fn submit(_order: SubmitOrder, Tenant(tenant): Tenant) -> Result<(), Failure> {
///     println!("an order of {tenant}");
///     Ok(())
/// }
/// # let _ = bus_core::Builder::new("", Default::default()).endpoint("orders", |e| e.consumer(submit));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a consumer",
    label = "not an extractor",
    note = "for a value given to `.state(..)` write `State(name): State<{Self}>`",
    note = "others are `Context`, `Headers`, `Attempt`, ids such as `MessageId`, and types with an `Extract` of \
            their own"
)]
pub trait Extract: Sized + Send + 'static {
    /// Run at `build()`: whether the argument can be had. The default is that it can.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    fn check(_scope: &Scope) -> Result<(), String> {
        Ok(())
    }

    /// Makes the argument, once per attempt.
    ///
    /// # Errors
    /// Fails the attempt, as an error of the handler would: the retry policy is asked unless it says otherwise.
    fn extract(ctx: &Context) -> impl Future<Output = Result<Self, Failure>> + Send;
}

impl Extract for Context {
    async fn extract(ctx: &Context) -> Result<Self, Failure> {
        Ok(ctx.clone())
    }
}
