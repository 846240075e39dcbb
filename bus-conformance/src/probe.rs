use std::{future::Future, pin::Pin, sync::Arc};

use bus_core::{
    Message,
    consumer::{Context, Failure},
};
use tokio::sync::{Mutex, Semaphore, mpsc};

use crate::soon;

/// What a handler saw.
#[derive(Debug)]
pub struct Seen<M> {
    /// The message.
    pub message: M,
    /// What was around it.
    pub ctx: Context,
}

/// The future of a watched handler.
pub type Handled = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// Watches a handler: what it was called with, in order.
#[derive(Debug)]
pub struct Probe<M> {
    sender: mpsc::UnboundedSender<Seen<M>>,
    receiver: Arc<Mutex<mpsc::UnboundedReceiver<Seen<M>>>>,
    /// A handler goes on only with a permit of it.
    gate: Arc<Semaphore>,
}

impl<M> Clone for Probe<M> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), receiver: self.receiver.clone(), gate: self.gate.clone() }
    }
}

impl<M: Message + Clone> Probe<M> {
    /// Handlers run through.
    pub fn open() -> Self {
        Self::with(Semaphore::MAX_PERMITS)
    }

    /// Handlers stop until [`let_through`](Self::let_through).
    pub fn closed() -> Self {
        Self::with(0)
    }

    fn with(permits: usize) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { sender, receiver: Arc::new(Mutex::new(receiver)), gate: Arc::new(Semaphore::new(permits)) }
    }

    /// Lets `handlers` of the stopped ones go on.
    pub fn let_through(&self, handlers: usize) {
        self.gate.add_permits(handlers);
    }

    /// A handler that is watched, for
    /// [`EndpointBuilder::consumer`](bus_core::bus::EndpointBuilder::consumer).
    pub fn handler(&self) -> impl Fn(M, Context) -> Handled + Send + Sync + 'static + use<M> {
        let probe = self.clone();
        move |message, ctx| Box::pin(probe.clone().handle(message, ctx))
    }

    /// The body of a handler that is watched.
    ///
    /// # Errors
    /// None: the gate is never closed.
    pub async fn handle(self, message: M, ctx: Context) -> Result<(), Failure> {
        // Whoever watched may be gone.
        let _ = self.sender.send(Seen { message, ctx });
        self.gate.acquire().await?.forget();
        Ok(())
    }

    /// What the next call saw.
    ///
    /// # Panics
    /// If there is none in time.
    pub async fn next(&self) -> Seen<M> {
        let name = std::any::type_name::<M>();
        let seen = soon(name, async { self.receiver.lock().await.recv().await }).await;
        seen.expect("the probe holds a sender itself")
    }

    /// The messages of the next `count` calls.
    pub async fn take(&self, count: usize) -> Vec<M> {
        let mut messages = Vec::with_capacity(count);
        while messages.len() < count {
            messages.push(self.next().await.message);
        }
        messages
    }

    /// How many calls were not looked at.
    pub async fn left(&self) -> usize {
        self.receiver.lock().await.len()
    }
}

/// A handler of `M` for [`EndpointBuilder::consumer`](bus_core::bus::EndpointBuilder::consumer).
macro_rules! watched {
    ($probe:expr, $message:ty) => {{
        let probe = $probe.clone();
        move |message: $message, ctx: bus_core::consumer::Context| probe.clone().handle(message, ctx)
    }};
}
pub(crate) use watched;
