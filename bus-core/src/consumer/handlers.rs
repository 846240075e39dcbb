use std::{fmt, sync::Arc};

use super::{Consumer, Context, Entry, Failure, MessageArg};
use crate::pipeline::Invoke;

/// A type with `#[handle]` methods; `#[consumer]` on its `impl` block writes this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "not a consumer",
    note = "a type is one if it is `Send + Sync + 'static` and an `impl` block of it has `#[consumer]`"
)]
pub trait Handlers: Send + Sync + Sized + 'static {
    /// The type's simple name, from which the endpoint is named by convention.
    const NAME: &'static str;
    /// What the attribute said.
    const SETTINGS: ConsumerSettings;

    /// Lists the handlers.
    fn handlers(list: &mut HandlerList<Self>);
}

/// Settings that travel with a consumer's code. What the builder says outweighs them.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConsumerSettings {
    /// The endpoint's name.
    pub endpoint: Option<&'static str>,
    /// How many messages are handled at once.
    pub concurrency: Option<u16>,
    /// How many unsettled messages the endpoint holds.
    pub prefetch: Option<u16>,
}

/// The handlers of a consumer.
pub struct HandlerList<C> {
    consumer: Arc<C>,
    entries: Vec<Entry>,
}

impl<C: Handlers> HandlerList<C> {
    pub(super) fn of(consumer: C) -> Vec<Entry> {
        let mut list = Self { consumer: Arc::new(consumer), entries: Vec::new() };
        C::handlers(&mut list);
        list.entries
    }
}

impl<C: Send + Sync + 'static> HandlerList<C> {
    /// Adds the handler `name` for messages `A`.
    pub fn add<A: MessageArg>(&mut self, name: &'static str) -> &mut Self
    where
        C: Consumer<A>,
    {
        let consume = Consume { consumer: self.consumer.clone(), arg: std::marker::PhantomData };
        let name = format!("{}::{name}", std::any::type_name::<C>());
        self.entries.push(Entry::new::<A, _>(name, <C as Consumer<A>>::check, consume));
        self
    }
}

impl<C> fmt::Debug for HandlerList<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.entries).finish()
    }
}

struct Consume<C, A> {
    consumer: Arc<C>,
    arg: std::marker::PhantomData<fn(A)>,
}

impl<A: MessageArg, C: Consumer<A>> Invoke for Consume<C, A> {
    async fn invoke(&self, ctx: &Context) -> Result<(), Failure> {
        let message = A::decode(ctx.incoming_arc())?;
        self.consumer.consume(message, ctx).await
    }
}
