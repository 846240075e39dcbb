use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    clock::Clock,
    endpoint::{Stopped, Stopping},
};

/// How many attempts of one consumer run at once, over all its message types. The default is as many as its
/// endpoint has messages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Concurrency(Option<(u16, Arc<Semaphore>)>);

impl Concurrency {
    pub(crate) fn of(limit: u16) -> Self {
        Self(Some((limit, Arc::new(Semaphore::new(limit.into())))))
    }

    /// How many; none if there is no limit.
    pub(crate) fn limit(&self) -> Option<u16> {
        self.0.as_ref().map(|(limit, _)| *limit)
    }

    /// Waits for a place, in turn; nothing if there is no limit.
    ///
    /// # Errors
    /// [`Stopped`] if the endpoint stops while there is none.
    pub(crate) async fn place(
        &self,
        clock: &Clock,
        stopping: &Stopping,
    ) -> Result<Option<SemaphorePermit<'_>>, Stopped> {
        let Some((_, places)) = &self.0 else { return Ok(None) };
        if let Ok(place) = places.try_acquire() {
            return Ok(Some(place));
        }
        let waiting = async {
            tokio::select! {
                biased;
                () = stopping.signalled() => Err(Stopped),
                // The semaphore is never closed.
                place = places.acquire() => Ok(place.ok()),
            }
        };
        clock.behind(1, waiting).await
    }
}
