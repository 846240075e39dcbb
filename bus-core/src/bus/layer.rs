use tower_layer::Layer;
use tower_service::Service;

use super::{ConsumerBuilder, EndpointBuilder};
use crate::{BoxError, consumer::Context, filter::NextService};

impl EndpointBuilder {
    /// With the feature `tower`: adds a layer of tower, which is a filter like any other:
    /// `.layer(ConcurrencyLimitLayer::new(4))`.
    ///
    /// The layer is asked for a service once per consumer, by `build()`, and each attempt calls a clone of that,
    /// once it is ready. A limit that all consumers are to share has to be shared by the layer, as
    /// `GlobalConcurrencyLimitLayer` does it.
    ///
    /// The service gets the [`Context`] and answers nothing. Errors of the consumer pass through layers boxed,
    /// and what comes out again is the consumer's failure as it was. An error of the layer's own is one more
    /// way for an attempt to fail. A layer that calls its service again, as a retry does, runs the consumer
    /// again within the attempt. The services of tower that wait keep time by tokio's clock.
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<NextService> + Send + Sync + 'static,
        L::Service: Service<Context, Response = (), Error: Into<BoxError>, Future: Send + 'static>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.filters.layer(layer);
        self
    }
}

impl ConsumerBuilder {
    /// With the feature `tower`: adds a layer of tower, inside of the endpoint's and of those that were added before:
    /// see [`EndpointBuilder::layer`](super::EndpointBuilder::layer).
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<NextService> + Send + Sync + 'static,
        L::Service: Service<Context, Response = (), Error: Into<BoxError>, Future: Send + 'static>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.filters.layer(layer);
        self
    }
}
