use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context as Task, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

use super::chain::{Link, Middleware, Running};
use crate::{
    BoxError,
    consumer::{Context, Failure, Marked},
};

/// A layer of tower as a part of the chain.
pub(crate) struct Layered<L>(pub(super) L);

impl<L> Middleware for Layered<L>
where
    L: Layer<NextService> + Send + Sync + 'static,
    L::Service:
        Service<Context, Response = (), Error: Into<BoxError>, Future: Send + 'static> + Clone + Send + Sync + 'static,
{
    fn around(&self, rest: Arc<dyn Link>) -> Arc<dyn Link> {
        Arc::new(Serving(self.0.layer(NextService(rest))))
    }

    fn name(&self) -> &str {
        std::any::type_name::<L>()
    }
}

/// The service that a layer made of the rest of the chain.
struct Serving<S>(S);

impl<S> Link for Serving<S>
where
    S: Service<Context, Response = (), Error: Into<BoxError>, Future: Send + 'static> + Clone + Send + Sync + 'static,
{
    fn run(self: Arc<Self>, ctx: Context) -> Running {
        Box::pin(async move {
            // What one clone is ready for is its own, such as a permit: each attempt has one.
            let mut service = self.0.clone();
            poll_fn(|task| service.poll_ready(task)).await.map_err(Failure::from)?;
            service.call(ctx).await.map_err(Failure::from)
        })
    }
}

/// The rest of the chain as a service of tower: what a layer wraps. Its errors are the consumer's, boxed.
#[derive(Clone)]
pub struct NextService(Arc<dyn Link>);

impl Service<Context> for NextService {
    type Response = ();
    type Error = BoxError;
    type Future = NextFuture;

    fn poll_ready(&mut self, _task: &mut Task<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, ctx: Context) -> NextFuture {
        NextFuture(self.0.clone().run(ctx))
    }
}

impl fmt::Debug for NextService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NextService")
    }
}

/// The future of a [`NextService`].
#[must_use = "the consumer runs only when this is awaited"]
pub struct NextFuture(Running);

impl Future for NextFuture {
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        // Layers know std errors only; what comes out of them again is the failure that went in.
        self.0.as_mut().poll(task).map_err(|failure| Marked::new(failure).into())
    }
}

impl fmt::Debug for NextFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NextFuture")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::Verdict;

    #[derive(Debug, thiserror::Error)]
    #[error("the layer's")]
    struct Around(#[source] BoxError);

    #[test]
    fn an_error_that_a_layer_puts_around_a_failure_keeps_its_text_and_its_verdict() {
        for verdict in [Some(Verdict::Permanent), None] {
            let parsing = "x".parse::<u8>().unwrap_err();
            let failure = match verdict {
                Some(_) => Failure::permanent(parsing.clone()),
                None => parsing.clone().into(),
            };
            let failure = Failure::from(Around(Marked::new(failure).into()));
            assert!(failure.error_type().ends_with("Around"), "{}", failure.error_type());
            assert_eq!((failure.chain(), failure.verdict()), (format!("the layer's: {parsing}"), verdict));
        }
    }
}
