//! The macros of the bus: [`derive@Message`] and [`macro@consumer`] with [`macro@handle`].
//!
//! They leave what the user wrote as it is and write implementations beside it. These find the bus under the name
//! that Cargo.toml gives to the crate `bus`, else to `bus-core`; `crate = path` names another path, for crates that
//! get the bus through a re-export.

mod attributes;
mod bound;
mod consumer;
mod message;
mod root;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a message: gives it its name on the wire.
///
/// ```
/// use bus_core::Message;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize, Message)]
/// #[serde(rename_all = "camelCase")]
/// #[message(namespace = "Acme.Orders")]
/// struct SubmitOrder {
///     total_cents: i64,
/// }
///
/// assert_eq!(SubmitOrder::message_type().urn(), "urn:message:Acme.Orders:SubmitOrder");
/// ```
///
/// # Attributes
/// All of `#[message(…)]`; what they are called in MassTransit stands at the right.
///
/// | attribute | says | default | MassTransit |
/// |---|---|---|---|
/// | `namespace = "Acme.Orders"` | the first part of the name: names joined by dots | the crate's, see below | the type's namespace |
/// | `name = "Outer+Inner"` | the second part; `+` nests | the struct's name | the type's name |
/// | `urn = "short-name"` | the URN behind `urn:message:`; the entity name stays | `Namespace:Name` | `MessageUrn` |
/// | `uri = "scheme:name"` | the whole URN, as any absolute URI; the entity name stays | | `MessageUrn`, `useDefaultPrefix: false` |
/// | `entity_name = "orders"` | the exchange or topic that it is published to; the URN stays | `Namespace:Name` | `EntityName` |
/// | `implements(OrderEvent, …)` | the contracts that it fulfils, see below | none | base classes and interfaces |
/// | `exchange_type = "direct"` | how its exchange chooses: `"fanout"`, `"direct"` or `"topic"` | `"fanout"` | `ExchangeType` |
/// | `topology = false` | it is a name that others are known by; it has no exchange | `true` | `ExcludeFromTopology` |
/// | `correlate = field` | the `Uuid` or `Option<Uuid>` that becomes the envelope's `correlationId` | by convention, see below | `CorrelatedBy<Guid>`, `UseCorrelationId` |
/// | `names = "as_written"` | switches off the check of the fields' names | they are camelCase | `JsonNamingPolicy.CamelCase` |
/// | `crate = path` | where the bus is | found in Cargo.toml | |
///
/// The namespace is the only one that is needed. It can be given once for the crate, in its Cargo.toml; the type's own
/// outweighs it. There is no default beyond: taken from a module or package, it would split two copies of one contract
/// in silence.
///
/// ```toml
/// [package.metadata.bus]
/// namespace = "Acme.Orders"
/// ```
///
/// Without `correlate` the field is taken that is called `correlationId` on the wire, else `eventId`, else
/// `commandId`, if its type is spelled `Uuid` or `Option<Uuid>`: MassTransit's convention.
///
/// # Contracts
/// A contract is an ordinary message. Publishing a type adds the URNs of its contracts to the envelope and binds its
/// exchange to theirs, so who consumes a contract gets it, too: that projection of the payload, its other fields left
/// out. The contracts of a contract are added by themselves. That the fields are there is not checked by the compiler.
///
/// ```
/// # use bus_core::Message;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize, Message)]
/// #[serde(rename_all = "camelCase")]
/// #[message(namespace = "Acme.Orders")]
/// struct OrderEvent {
///     order_id: u32,
/// }
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[serde(rename_all = "camelCase")]
/// #[message(namespace = "Acme.Orders", implements(OrderEvent))]
/// struct OrderSubmitted {
///     order_id: u32,
///     customer: String,
/// }
///
/// let urns = OrderSubmitted::message_type().urns();
/// assert_eq!(urns, ["urn:message:Acme.Orders:OrderSubmitted", "urn:message:Acme.Orders:OrderEvent"]);
/// ```
///
/// # Names of fields
/// Peers write camelCase and see `null` in a field of another name. So a field that serde would not write in
/// camelCase is refused; mostly `#[serde(rename_all = "camelCase")]` is what is missing. Fields of nested types are not
/// seen by this derive.
///
/// # Generic messages
/// Each type parameter becomes an argument of the name, so it must be a message too: `Wrapped<SubmitOrder>` is
/// `urn:message:Acme.Orders:Wrapped[[Acme.Orders:SubmitOrder]]`. Write the struct without bounds (`struct Wrapped<T>`);
/// serde's derive adds its own.
///
/// # Errors
/// Refused, with what to write instead: a message without namespace; unknown, repeated or malformed keys; names that
/// are not camelCase; enums, unions, tuple structs and unit structs (a message is a JSON object; `struct Ping {}` is
/// one); `#[serde(transparent)]`; lifetimes and constant parameters; `urn`, `uri` or `entity_name` on a generic
/// message; `urn` beside `uri`, and a `uri` without scheme; a contract that is no message, is listed twice or is the
/// message itself; a `correlate` that names no field. Messages that are contracts of each other show as an "overflow".
#[proc_macro_derive(Message, attributes(message))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    message::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a type a consumer (on an `impl` block), or checks a function that is one (on an `async fn`).
///
/// # On an `impl` block
/// ```
/// use bus_core::{Message, consumer, consumer::{Context, Failure}, extract::State};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(namespace = "Acme.Orders")]
/// struct SubmitOrder {}
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(namespace = "Acme.Orders")]
/// struct CancelOrder {}
///
/// struct Orders {
///     warehouse: String,
/// }
///
/// #[consumer(endpoint = "orders", concurrency = 16)]
/// impl Orders {
///     #[handle]
///     async fn submit(&self, command: SubmitOrder, ctx: &Context) -> Result<(), Failure> {
///         Ok(())
///     }
///
///     #[handle]
///     async fn cancel(&self, command: CancelOrder, State(limit): State<u32>) -> Result<(), Failure> {
///         Ok(())
///     }
/// }
/// ```
///
/// Each method marked `#[handle]` takes `&self`, a message (or `Received` of one) and up to 6 arguments more. One
/// spelled `&Context` is the context, whatever its path; any other is made by its `Extract`. The method returns
/// `Result<(), E>` of any error. `#[cfg]` on a method holds for what is written for it, too.
///
/// A consumer is shared between threads and outlives its caller: `Send + Sync + 'static` is demanded of it, and it
/// borrows nothing. A trait used through a type parameter says that its futures can change threads:
/// `fn insert(&self, …) -> impl Future<Output = …> + Send`. One `#[consumer] impl` per type.
///
/// Attributes, all optional; the builder's settings outweigh them:
/// - `endpoint = "orders"`: the endpoint's name. By default it is made from the type's name by convention.
/// - `concurrency = 16`: how many messages are handled at once, from 1 to 65535. The default is the endpoint's.
/// - `prefetch = 32`: how many unsettled messages the endpoint holds, from 1 to 65535. The default is the endpoint's.
/// - `auto`: the consumer is found by the builder's `.discover()`, which the feature `discover` brings. The type is a
///   unit struct; one with fields is given to the builder.
/// - `crate = path`: where the bus is; the default is found in Cargo.toml.
///
/// # On a function
/// ```
/// # use bus_core::{Message, consumer, consumer::{Context, Failure}};
/// # use serde::{Deserialize, Serialize};
/// #
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders")]
/// # struct OrderSubmitted {}
/// #
/// #[consumer]
/// async fn audit(event: OrderSubmitted, ctx: Context) -> Result<(), Failure> {
///     Ok(())
/// }
/// ```
///
/// A function is a consumer without this attribute; with it, the compiler shows what is wrong with its signature at the
/// argument instead of where it is registered. It takes an owned `Context`, and of the attributes only `crate`: settings
/// are written where it is registered. With `auto`, nobody registers it; then it takes all of them, and its endpoint is
/// by default named after the function: `send_receipt` has the queue `send-receipt`.
///
/// # Errors
/// Refused, with what to write instead: handlers that are not async, are generic, do not take `&self`, take no message
/// or a borrowed one, more than 6 arguments after it, borrowed extractors, or return nothing; two handlers of one
/// message; a block without handlers; consumers that borrow; unknown, repeated or malformed keys and zero; settings on
/// a function without `auto`; `auto` on generic consumers, on those with fields, and without the feature `discover`;
/// any other item than an `async fn` and an `impl` block without a trait.
#[proc_macro_attribute]
pub fn consumer(arguments: TokenStream, item: TokenStream) -> TokenStream {
    consumer::expand(arguments.into(), item.into()).into()
}

/// Marks the handlers of a [`macro@consumer`] block, which reads it. Alone it is refused.
#[proc_macro_attribute]
pub fn handle(_: TokenStream, item: TokenStream) -> TokenStream {
    consumer::handle_alone(&item.into()).into()
}
