use std::{any::Any, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Store, inbox::Found};
use crate::{
    persistence::{Claim, InboxKey, PersistenceError, SagaKey, SagaRecord, UnitOfWork},
    transport::Outgoing,
};

/// What one attempt wants to happen.
pub(super) struct MemoryUnit {
    store: Arc<Store>,
    claimed: Option<InboxKey>,
    sagas: Vec<Change>,
    outbox: Vec<Outgoing>,
}

struct Change {
    key: SagaKey,
    expected: Option<u64>,
    state: Option<Bytes>,
}

impl MemoryUnit {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store, claimed: None, sagas: Vec::new(), outbox: Vec::new() }
    }
}

#[async_trait]
impl UnitOfWork for MemoryUnit {
    async fn claim(&mut self, key: &InboxKey) -> Result<Claim, PersistenceError> {
        let store = self.store.clone();
        loop {
            let mut ended = std::pin::pin!(store.ended.notified());
            // From here on no end is missed.
            ended.as_mut().enable();
            let now = store.clock().now();
            let found = store.state().inbox.claim(key, now);
            match found {
                Found::New => {
                    self.claimed = Some(key.clone());
                    return Ok(Claim::New);
                }
                Found::Done(unsent) => return Ok(Claim::Done { unsent }),
                Found::Busy => ended.await,
            }
        }
    }

    async fn load(&mut self, key: &SagaKey) -> Result<Option<SagaRecord>, PersistenceError> {
        Ok(self.store.state().sagas.get(key).cloned())
    }

    async fn save(
        &mut self,
        key: &SagaKey,
        expected: Option<u64>,
        state: Option<Bytes>,
    ) -> Result<(), PersistenceError> {
        self.sagas.push(Change { key: key.clone(), expected, state });
        Ok(())
    }

    async fn append(&mut self, messages: &[Outgoing]) -> Result<(), PersistenceError> {
        self.outbox.extend_from_slice(messages);
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), PersistenceError> {
        let now = self.store.clock().now();
        let mut state = self.store.state();
        for Change { key, expected, .. } in &self.sagas {
            if state.sagas.get(key).map(|record| record.version) != *expected {
                let what = format!("the saga {} `{}`", key.saga, key.id);
                return Err(PersistenceError::Conflict { what });
            }
        }
        for Change { key, state: changed, .. } in std::mem::take(&mut self.sagas) {
            match changed {
                None => drop(state.sagas.remove(&key)),
                Some(changed) => {
                    state.versions += 1;
                    let record = SagaRecord { version: state.versions, state: changed };
                    state.sagas.insert(key, record);
                }
            }
        }
        if let Some(key) = self.claimed.take() {
            state.inbox.commit(key, std::mem::take(&mut self.outbox), now);
        }
        drop(state);
        self.store.ended.notify_waiters();
        Ok(())
    }

    fn transaction(&mut self) -> &mut (dyn Any + Send) {
        // There is nothing to lend.
        self
    }
}

impl Drop for MemoryUnit {
    fn drop(&mut self) {
        if let Some(key) = self.claimed.take() {
            self.store.state().inbox.unclaim(&key);
            self.store.ended.notify_waiters();
        }
    }
}
