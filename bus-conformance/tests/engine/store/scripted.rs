use std::{
    any::Any,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bus_core::{
    clock::Clock,
    persistence::{Claim, InboxKey, MemoryPersistence, Persistence, PersistenceError, SagaKey, SagaRecord, UnitOfWork},
    transport::Outgoing,
};
use bytes::Bytes;

/// What a store is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Begin,
    Claim,
    Append,
    Commit,
    Delivered,
}

/// How it misbehaves then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It cannot be reached, and nothing was done.
    Unavailable,
    /// It was done, and its answer was lost.
    AnswerLost,
    Conflict,
    Refused,
    /// It never answers.
    Silent,
}

/// A store in memory that misbehaves on request, and keeps a record of what it was asked for. A cheap handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scripted {
    inner: MemoryPersistence,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    script: Vec<(Call, Trouble, usize)>,
    calls: Vec<Call>,
}

impl Scripted {
    /// The next `times` such calls meet that trouble.
    pub(crate) fn trouble(&self, times: usize, call: Call, trouble: Trouble) {
        self.state().script.push((call, trouble, times));
    }

    /// From now on all is well.
    pub(crate) fn heal(&self) {
        self.state().script.clear();
    }

    /// How often it was asked for that.
    pub(crate) fn count(&self, call: Call) -> usize {
        self.state().calls.iter().filter(|made| **made == call).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, call: Call) -> Option<Trouble> {
        let mut state = self.state();
        state.calls.push(call);
        let (_, trouble, left) = state.script.iter_mut().find(|(of, _, left)| *of == call && *left > 0)?;
        *left -= 1;
        Some(*trouble)
    }

    /// Does what it was asked for, as the script has it.
    async fn run<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, PersistenceError>> + Send,
    ) -> Result<T, PersistenceError> {
        match self.next(call) {
            None => work.await,
            Some(Trouble::Unavailable) => Err(unavailable()),
            Some(Trouble::AnswerLost) => work.await.and(Err(unavailable())),
            Some(Trouble::Conflict) => Err(PersistenceError::Conflict { what: "a scripted row".to_owned() }),
            Some(Trouble::Refused) => Err(PersistenceError::Refused("a scripted refusal".into())),
            Some(Trouble::Silent) => std::future::pending().await,
        }
    }
}

fn unavailable() -> PersistenceError {
    PersistenceError::Unavailable("a scripted outage".into())
}

#[async_trait]
impl Persistence for Scripted {
    fn is_durable(&self) -> bool {
        // As a test sees it.
        true
    }

    fn attach(&self, clock: &Clock) {
        self.inner.attach(clock);
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, PersistenceError> {
        let inner = self.run(Call::Begin, self.inner.begin()).await?;
        Ok(Box::new(ScriptedUnit { inner, store: self.clone() }))
    }

    async fn delivered(&self, key: &InboxKey) -> Result<(), PersistenceError> {
        self.run(Call::Delivered, self.inner.delivered(key)).await
    }
}

struct ScriptedUnit {
    inner: Box<dyn UnitOfWork>,
    store: Scripted,
}

#[async_trait]
impl UnitOfWork for ScriptedUnit {
    async fn claim(&mut self, key: &InboxKey) -> Result<Claim, PersistenceError> {
        self.store.run(Call::Claim, self.inner.claim(key)).await
    }

    async fn load(&mut self, key: &SagaKey) -> Result<Option<SagaRecord>, PersistenceError> {
        self.inner.load(key).await
    }

    async fn save(
        &mut self,
        key: &SagaKey,
        expected: Option<u64>,
        state: Option<Bytes>,
    ) -> Result<(), PersistenceError> {
        self.inner.save(key, expected, state).await
    }

    async fn append(&mut self, messages: &[Outgoing]) -> Result<(), PersistenceError> {
        self.store.run(Call::Append, self.inner.append(messages)).await
    }

    async fn commit(self: Box<Self>) -> Result<(), PersistenceError> {
        self.store.run(Call::Commit, self.inner.commit()).await
    }

    fn transaction(&mut self) -> &mut (dyn Any + Send) {
        self.inner.transaction()
    }
}
