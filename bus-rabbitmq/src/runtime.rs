use std::{future::Future, io, thread};

use tokio::{runtime, sync::oneshot};

/// The thread that the connections live on. A program that blocks its own runtime misses no heartbeat here.
#[derive(Debug)]
pub(crate) struct RuntimeThread {
    handle: runtime::Handle,
    /// Dropped, it ends the thread.
    _end: oneshot::Sender<()>,
}

impl RuntimeThread {
    /// Starts the thread. When it is to end, it does `last` first.
    pub(crate) fn start<F>(last: impl FnOnce() -> F + Send + 'static) -> io::Result<Self>
    where
        F: Future<Output = ()>,
    {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name("bus-rabbitmq".to_owned()).spawn(move || {
            runtime.block_on(async move {
                // An error is the drop of the other end: the same.
                let _ = ended.await;
                last().await;
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _end: end })
    }

    /// Runs a task there.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.handle.spawn(task)
    }
}
