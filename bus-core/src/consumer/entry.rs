use std::{
    any::{TypeId, type_name},
    fmt,
    sync::Arc,
};

use super::{ConsumerSettings, HandlerList, Handlers, MessageArg};
use crate::{
    Message, MessageType,
    extract::Scope,
    pipeline::{Fixed, Invoke, Kind, Pipeline, Policy},
};

/// What `.consumer(..)` takes: a type with `#[consumer]`, an `async fn`, a closure. `Kind` is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "not a consumer",
    note = "a type is one if it is `Send + Sync + 'static` and an `impl` block of it has `#[consumer]`",
    note = "an `async fn` is one if it takes its message first, then owned arguments such as `Context` or `State<T>`, \
            returns a `Result`, and its future is `Send`: with `#[consumer]` on it the compiler says which of these is \
            wrong; it is passed by its name, without `(..)`",
    note = "a closure is one if it says its message's type: `|order: SubmitOrder| async move \
            {{ Ok::<(), Failure>(()) }}`"
)]
pub trait IntoConsumer<Kind> {
    /// What is to be registered.
    fn registration(self) -> Registration;
}

/// Marks types with `#[consumer]` in [`IntoConsumer`].
#[derive(Debug)]
pub struct Object;

impl<C: Handlers> IntoConsumer<Object> for C {
    fn registration(self) -> Registration {
        Registration { name: Some(C::NAME), settings: C::SETTINGS, entries: HandlerList::of(self) }
    }
}

/// A consumer on its way into the bus.
#[derive(Debug)]
pub struct Registration {
    /// The type's name; a function has none that could be relied on.
    pub(crate) name: Option<&'static str>,
    pub(crate) settings: ConsumerSettings,
    pub(crate) entries: Vec<Entry>,
}

impl Registration {
    pub(super) fn function(entry: Entry) -> Self {
        Self { name: None, settings: ConsumerSettings::default(), entries: vec![entry] }
    }

    /// Gives a function its name and settings; `#[consumer(auto)]` knows them.
    #[doc(hidden)]
    #[must_use]
    pub fn named(self, name: &'static str, settings: ConsumerSettings) -> Self {
        Self { name: Some(name), settings, ..self }
    }
}

/// One handler of one message type.
pub struct Entry {
    pub(crate) message_type: &'static MessageType,
    /// The Rust type, and its name.
    pub(crate) rust_type: (TypeId, &'static str),
    pub(crate) name: Arc<str>,
    pub(crate) check: fn(&Scope, &mut Vec<String>),
    make: Box<dyn FnOnce(Policy, Arc<str>) -> Arc<dyn Pipeline> + Send>,
}

impl Entry {
    pub(super) fn new<A: MessageArg, I: Invoke>(name: String, check: fn(&Scope, &mut Vec<String>), invoke: I) -> Self {
        let name: Arc<str> = name.into();
        let message_type = A::Message::message_type();
        let make = move |policy: Policy, consumer: Arc<str>| -> Arc<dyn Pipeline> {
            Arc::new(Fixed::new(invoke, policy, consumer, Kind::of::<A::Message>()))
        };
        Self {
            message_type,
            rust_type: (TypeId::of::<A::Message>(), type_name::<A::Message>()),
            name,
            check,
            make: Box::new(make),
        }
    }

    /// The handler with the filters around it; the type is erased here, once.
    pub(crate) fn pipeline(self, policy: Policy) -> Arc<dyn Pipeline> {
        (self.make)(policy, self.name)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).field("message_type", &self.message_type.urn()).finish()
    }
}
