use std::{
    future::Future,
    io,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    thread,
};

use futures_util::FutureExt;
use tokio::{runtime, sync::oneshot};

/// The thread that the connections live on. A program that blocks its own runtime misses no heartbeat here.
#[derive(Debug)]
pub(crate) struct RuntimeThread {
    handle: runtime::Handle,
    /// The first part of the transport that panicked.
    broken: Arc<OnceLock<&'static str>>,
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
        Ok(Self { handle, broken: Arc::default(), _end: end })
    }

    /// Runs a part of the transport there, for as long as the transport lives: nobody waits for it. One that panics is
    /// not begun again, since nobody knows what it left behind; it shows.
    pub(crate) fn keep(&self, part: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let broken = self.broken.clone();
        drop(self.handle.spawn(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                broken.get_or_init(|| part);
                tracing::error!(part, "a part of the transport panicked: start the bus again, and report it");
            }
        }));
    }

    /// The first part that panicked, if one did.
    pub(crate) fn broken(&self) -> Option<&'static str> {
        self.broken.get().copied()
    }

    /// Runs a task there.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.handle.spawn(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_shows_and_one_that_ends_does_not() {
        let runtime = RuntimeThread::start(async || ()).unwrap();
        runtime.keep("one", async {});
        runtime.spawn(async {}).await.unwrap();
        assert_eq!(runtime.broken(), None);
        runtime.keep("another", async { panic!("it is to") });
        // The thread takes one after the other.
        runtime.spawn(async {}).await.unwrap();
        assert_eq!(runtime.broken(), Some("another"));
    }
}
