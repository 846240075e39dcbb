use std::{fmt, future::Future, pin::Pin, sync::Arc};

#[cfg(feature = "tower")]
use super::layer::Layered;
use super::{Filter, Next};
use crate::{
    Error,
    consumer::{Context, Failure},
    pipeline::Invoke,
};

/// A part of the chain around a consumer, together with all that is behind it.
pub(crate) trait Link: Send + Sync + 'static {
    fn run(self: Arc<Self>, ctx: Context) -> Running;
}

/// The one box of a link.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// Makes the link of a filter or layer in front of each consumer that it is for.
pub(crate) trait Middleware: Send + Sync + 'static {
    fn around(&self, rest: Arc<dyn Link>) -> Arc<dyn Link>;

    /// What a description calls it.
    fn name(&self) -> &str;
}

/// The user's filters and layers, outermost first.
#[derive(Clone, Default)]
pub(crate) struct Filters(Vec<Arc<dyn Middleware>>);

impl Filters {
    pub(crate) fn filter(&mut self, filter: impl Filter) {
        self.0.push(Arc::new(Filtering(Arc::new(filter))));
    }

    #[cfg(feature = "tower")]
    pub(crate) fn layer<L>(&mut self, layer: L)
    where
        Layered<L>: Middleware,
    {
        self.0.push(Arc::new(Layered(layer)));
    }

    /// What they are called, outermost first.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|filter| filter.name().to_owned()).collect()
    }

    /// These, and inside of them the others.
    pub(crate) fn with(&self, inner: &Self) -> Self {
        Self(self.0.iter().chain(&inner.0).cloned().collect())
    }
}

impl fmt::Debug for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filters({})", self.0.len())
    }
}

/// A consumer with its filters; one without filters is called directly.
pub(crate) enum Chain<I> {
    Consumer(I),
    Filtered(Arc<dyn Link>),
}

impl<I: Invoke> Chain<I> {
    pub(crate) fn new(consumer: I, filters: &Filters) -> Self {
        if filters.0.is_empty() {
            return Self::Consumer(consumer);
        }
        let consumer: Arc<dyn Link> = Arc::new(Consumer(consumer));
        Self::Filtered(filters.0.iter().rev().fold(consumer, |rest, filter| filter.around(rest)))
    }
}

impl<I: Invoke> Invoke for Chain<I> {
    async fn invoke(&self, ctx: &Context) -> Result<(), Failure> {
        match self {
            Self::Consumer(consumer) => consumer.invoke(ctx).await,
            Self::Filtered(chain) => chain.clone().run(ctx.clone()).await,
        }
    }
}

/// Where the chain meets the consumer.
struct Consumer<I>(I);

impl<I: Invoke> Link for Consumer<I> {
    fn run(self: Arc<Self>, ctx: Context) -> Running {
        Box::pin(async move {
            // A filter may have kept its `Next`; the message has its outcome by now.
            if ctx.is_closed() {
                return Err(Error::ContextClosed.into());
            }
            self.0.invoke(&ctx).await
        })
    }
}

/// One filter for several consumers.
struct Filtering<F>(Arc<F>);

impl<F: Filter> Middleware for Filtering<F> {
    fn around(&self, rest: Arc<dyn Link>) -> Arc<dyn Link> {
        Arc::new(Filtered { filter: self.0.clone(), rest })
    }

    fn name(&self) -> &str {
        self.0.name()
    }
}

struct Filtered<F> {
    filter: Arc<F>,
    rest: Arc<dyn Link>,
}

impl<F: Filter> Link for Filtered<F> {
    fn run(self: Arc<Self>, ctx: Context) -> Running {
        Box::pin(async move {
            let next = Next::new(ctx.clone(), self.rest.clone());
            self.filter.call(ctx, next).await
        })
    }
}
