//! Middleware of your own around a consumer: [`Filter`], [`from_fn`], and layers of `tower`.
//!
//! Filters run innermost: once per attempt and consumer, inside of the retries, the consumer's concurrency limit
//! and its timeout. A filter sees each attempt, and may do something before and after it, fail it, swallow its
//! error, or answer without the consumer. Decoding is part of the consumer, so a filter sees a payload that does
//! not fit as an error too.
//!
//! ```
//! use bus_core::{bus::EndpointBuilder, filter};
//! use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
//!
//! fn counted(endpoint: EndpointBuilder, failures: Arc<AtomicU32>) -> EndpointBuilder {
//!     endpoint.filter(filter::from_fn(move |_ctx, next| {
//!         let failures = failures.clone();
//!         async move {
//!             let result = next.run().await;
//!             failures.fetch_add(u32::from(result.is_err()), Ordering::Relaxed);
//!             result
//!         }
//!     }))
//! }
//! ```
//!
//! They are given to an endpoint or to one consumer: `.filter(..)` and `.layer(..)` of
//! [`EndpointBuilder`](crate::bus::EndpointBuilder) and of [`ConsumerBuilder`](crate::bus::ConsumerBuilder). The
//! first that is added is the outermost. Each costs a box per attempt, and all together one more where they meet
//! the consumer; who has none pays nothing.

mod chain;
#[cfg(feature = "tower")]
mod layer;
mod next;

use std::{fmt, future::Future};

pub(crate) use chain::{Chain, Filters};
#[cfg(feature = "tower")]
pub use layer::{NextFuture, NextService};
pub use next::Next;

use crate::consumer::{Context, Failure};

/// A piece of middleware. For a short one there is [`from_fn`].
///
/// ```
/// use bus_core::{consumer::{Context, Failure}, filter::{Filter, Next}};
///
/// /// Only messages of this tenant; the others count as handled.
/// struct Tenant(&'static str);
///
/// impl Filter for Tenant {
///     async fn call(&self, ctx: Context, next: Next) -> Result<(), Failure> {
///         if ctx.header("tenant").is_some_and(|tenant| tenant == self.0) { next.run().await } else { Ok(()) }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a filter",
    label = "not a filter",
    note = "wrap a closure: `filter::from_fn(|ctx, next| async move {{ next.run().await }})`",
    note = "a layer of tower goes into `.layer(..)`"
)]
pub trait Filter: Send + Sync + 'static {
    /// Runs once per attempt, around what [`Next::run`] goes on with.
    ///
    /// What it returns is the attempt's result: after an error, or a panic, the retry policy is asked. When it
    /// returns, the attempt ends and its context closes.
    fn call(&self, ctx: Context, next: Next) -> impl Future<Output = Result<(), Failure>> + Send;

    /// What [`Bus::describe`](crate::Bus::describe) calls it. The default is the type's name.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
    }
}

/// A filter of a closure, which is called once per attempt:
/// `from_fn(|ctx, next| async move { next.run().await })`.
pub fn from_fn<F, Fut>(filter: F) -> FromFn<F>
where
    F: Fn(Context, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    FromFn(filter)
}

/// What [`from_fn`] makes.
#[derive(Clone, Copy)]
pub struct FromFn<F>(F);

impl<F, Fut> Filter for FromFn<F>
where
    F: Fn(Context, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    fn call(&self, ctx: Context, next: Next) -> impl Future<Output = Result<(), Failure>> + Send {
        (self.0)(ctx, next)
    }

    fn name(&self) -> &str {
        std::any::type_name::<F>()
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFn")
    }
}
