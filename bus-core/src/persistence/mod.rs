//! The seam between a handler's attempt and a store: what the handler did, that its message was handled, and
//! what it sent become one, or none of it happened.
//!
//! A store implements [`Persistence`]. For each attempt of a consumer the bus begins a [`UnitOfWork`]; it
//! claims the message there, runs the handler, appends what the handler sent, and commits. Only then do the
//! messages leave. A unit that is dropped is rolled back.
//!
//! | when the process ends | what is found afterwards |
//! |---|---|
//! | before the commit | nothing: the message comes again, and is handled |
//! | after the commit, before all that was sent is confirmed | [`Claim::Done`] with what is not known to have left: it is sent again, with the same ids |
//! | after that, before the acknowledgement | [`Claim::Done`] with nothing to send: the message is acknowledged |
//!
//! [`MemoryPersistence`] does this within one process: it suppresses duplicates, as long as it remembers.

mod memory;

use std::{any::Any, fmt, sync::Arc};

use bytes::Bytes;
pub use memory::MemoryPersistence;
use uuid::Uuid;

use crate::{BoxError, clock::Clock, transport::Outgoing};

/// A store for what has to happen together.
#[async_trait::async_trait]
pub trait Persistence: fmt::Debug + Send + Sync + 'static {
    /// Whether it survives the process. Without it, an endpoint that asks for `effectively_once()` is refused at
    /// `build()`.
    fn is_durable(&self) -> bool;

    /// The time of the bus that will use it; called by `build()`. The default ignores it.
    fn attach(&self, _clock: &Clock) {}

    /// Begins a unit of work.
    ///
    /// # Errors
    /// [`PersistenceError`].
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, PersistenceError>;

    /// The broker has all that was sent while this message was handled. Best effort: if it fails, the messages
    /// may be sent again, with the same ids.
    ///
    /// # Errors
    /// [`PersistenceError`].
    async fn delivered(&self, key: &InboxKey) -> Result<(), PersistenceError>;
}

/// What happens in one attempt of one consumer. Dropped without a [`commit`](Self::commit), none of it happened.
///
/// Calls are cancelled by dropping their future, and then so is the unit.
#[async_trait::async_trait]
pub trait UnitOfWork: Send + 'static {
    /// Claims a message for its consumer. While another unit has it, this waits for that one's end.
    ///
    /// # Errors
    /// [`PersistenceError`].
    async fn claim(&mut self, key: &InboxKey) -> Result<Claim, PersistenceError>;

    /// The state of a saga; none if there is no such instance.
    ///
    /// # Errors
    /// [`PersistenceError`].
    async fn load(&mut self, key: &SagaKey) -> Result<Option<SagaRecord>, PersistenceError>;

    /// Changes a saga: `expected` is the version that was loaded, or nothing for a new instance; a `state` of
    /// nothing ends it.
    ///
    /// # Errors
    /// [`PersistenceError::Conflict`], here or at the commit, if another unit was faster.
    async fn save(
        &mut self,
        key: &SagaKey,
        expected: Option<u64>,
        state: Option<Bytes>,
    ) -> Result<(), PersistenceError>;

    /// Keeps messages that are to leave after the commit. What a store need not keep of them: their deadline and
    /// extensions. A message with a delay is one that is due later.
    ///
    /// # Errors
    /// [`PersistenceError`].
    async fn append(&mut self, messages: &[Outgoing]) -> Result<(), PersistenceError>;

    /// Makes it all happen.
    ///
    /// # Errors
    /// [`PersistenceError`]: then none of it did; with [`PersistenceError::Unavailable`] nobody knows, and the
    /// next claim tells.
    async fn commit(self: Box<Self>) -> Result<(), PersistenceError>;

    /// What the store lends to a handler: its transaction.
    fn transaction(&mut self) -> &mut (dyn Any + Send);
}

/// A message at one consumer of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InboxKey {
    /// The endpoint's name.
    pub endpoint: Arc<str>,
    /// The consumer's.
    pub consumer: Arc<str>,
    /// The message's id; that of its first sending, if it was sent again with another one
    /// (`MT-OriginalMessageId`).
    pub message_id: Uuid,
}

/// What a claim found.
#[derive(Debug)]
pub enum Claim {
    /// Nobody has handled the message yet: it is this unit's.
    New,
    /// It was handled, and committed.
    Done {
        /// What was to leave then, and is not known to have left.
        unsent: Vec<Outgoing>,
    },
}

/// One instance of a saga.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SagaKey {
    /// The saga's name.
    pub saga: Arc<str>,
    /// What tells its instances apart.
    pub id: Arc<str>,
}

/// The state of a saga as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaRecord {
    /// Another one after each change.
    pub version: u64,
    /// The state, as the saga wrote it.
    pub state: Bytes,
}

/// Why a store could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PersistenceError {
    /// It cannot be reached. Says nothing about the message: the bus holds it, and tries again.
    #[error("the store cannot be reached")]
    Unavailable(#[source] BoxError),
    /// Another unit of work changed the same thing first. The attempt failed; its retry sees the change.
    #[error("{what} was changed by somebody else meanwhile")]
    Conflict {
        /// What both changed.
        what: String,
    },
    /// Anything else: the attempt failed.
    #[error("the store refused")]
    Refused(#[source] BoxError),
}
