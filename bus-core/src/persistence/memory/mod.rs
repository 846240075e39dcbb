mod inbox;
mod unit;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use inbox::Inbox;
use tokio::sync::Notify;
use unit::MemoryUnit;

use super::{InboxKey, Persistence, PersistenceError, SagaKey, SagaRecord, UnitOfWork};
use crate::clock::Clock;

/// A store in this process: it suppresses duplicates for a while, and lets what handlers send leave together.
///
/// A message id that a consumer handled is remembered for 30 minutes, 100 000 of them at most, the oldest
/// forgotten first. Nothing survives the process: a message that comes again after a restart is handled again.
///
/// ```
/// use bus_core::persistence::MemoryPersistence;
/// use std::time::Duration;
///
/// let store = MemoryPersistence::new().window(Duration::from_secs(600)).capacity(10_000);
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryPersistence(Arc<Store>);

#[derive(Debug, Default)]
struct Store {
    clock: OnceLock<Clock>,
    state: Mutex<State>,
    /// A unit came to its end.
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    inbox: Inbox,
    sagas: HashMap<SagaKey, SagaRecord>,
    versions: u64,
}

impl MemoryPersistence {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a handled message is remembered. The default is 30 minutes.
    #[must_use]
    pub fn window(self, window: Duration) -> Self {
        self.0.state().inbox.window = window;
        self
    }

    /// How many handled messages are remembered. The default is 100 000.
    #[must_use]
    pub fn capacity(self, messages: usize) -> Self {
        self.0.state().inbox.capacity = messages;
        self
    }
}

impl Store {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> &Clock {
        self.clock.get_or_init(Clock::real)
    }
}

#[async_trait]
impl Persistence for MemoryPersistence {
    fn is_durable(&self) -> bool {
        false
    }

    fn attach(&self, clock: &Clock) {
        // Of several buses that share it the first one's time counts.
        let _ = self.0.clock.set(clock.clone());
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, PersistenceError> {
        Ok(Box::new(MemoryUnit::new(self.0.clone())))
    }

    async fn delivered(&self, key: &InboxKey) -> Result<(), PersistenceError> {
        // Dropped outside of the lock.
        let sent = self.0.state().inbox.delivered(key);
        drop(sent);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
