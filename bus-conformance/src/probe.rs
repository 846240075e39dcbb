use std::sync::Arc;

use bus_core::{
    Message,
    consumer::{Context, Failure},
};
use tokio::sync::{Mutex, Semaphore, mpsc};

use crate::place::soon;

/// What a handler saw.
#[derive(Debug)]
pub(crate) struct Seen<M> {
    pub(crate) message: M,
    pub(crate) ctx: Context,
}

/// Watches a handler: what it was called with, in order.
#[derive(Debug)]
pub(crate) struct Probe<M> {
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
    pub(crate) fn open() -> Self {
        Self::with(Semaphore::MAX_PERMITS)
    }

    /// Handlers stop until [`let_through`](Self::let_through).
    pub(crate) fn closed() -> Self {
        Self::with(0)
    }

    fn with(permits: usize) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { sender, receiver: Arc::new(Mutex::new(receiver)), gate: Arc::new(Semaphore::new(permits)) }
    }

    /// Lets `handlers` of the stopped ones go on.
    pub(crate) fn let_through(&self, handlers: usize) {
        self.gate.add_permits(handlers);
    }

    /// The body of a handler that is watched.
    pub(crate) async fn handle(self, message: M, ctx: Context) -> Result<(), Failure> {
        // Whoever watched may be gone.
        let _ = self.sender.send(Seen { message, ctx });
        self.gate.acquire().await?.forget();
        Ok(())
    }

    /// What the next call saw.
    pub(crate) async fn next(&self) -> Seen<M> {
        let name = std::any::type_name::<M>();
        let seen = soon(name, async { self.receiver.lock().await.recv().await }).await;
        seen.expect("the probe holds a sender itself")
    }

    /// The messages of the next `count` calls.
    pub(crate) async fn take(&self, count: usize) -> Vec<M> {
        let mut messages = Vec::with_capacity(count);
        while messages.len() < count {
            messages.push(self.next().await.message);
        }
        messages
    }

    /// How many calls were not looked at.
    pub(crate) async fn left(&self) -> usize {
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
