use std::{any::Any, sync::Arc};

use async_trait::async_trait;
use bus_core::{
    clock::Clock,
    persistence::{Claim, InboxKey, MemoryPersistence, Persistence, PersistenceError, SagaKey, SagaRecord, UnitOfWork},
    transport::Outgoing,
};
use bytes::Bytes;

use crate::world::World;

/// A store as one process reaches it. What it holds may outlive the process.
#[derive(Debug)]
pub(crate) struct SimulatedStore {
    pub(crate) inner: MemoryPersistence,
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
}

struct SimulatedUnit {
    inner: Box<dyn UnitOfWork>,
    world: Arc<World>,
    process: usize,
    claimed: Option<InboxKey>,
}

/// The store is not there for the process, if it is dead or chance has it so.
async fn reach(world: &World, process: usize) -> Result<(), PersistenceError> {
    world.delay(process).await;
    if world.is_alive(process) && !world.hits(world.scenario.rates.store) {
        return Ok(());
    }
    Err(PersistenceError::Unavailable("a simulated outage of the store".into()))
}

#[async_trait]
impl Persistence for SimulatedStore {
    fn is_durable(&self) -> bool {
        self.inner.is_durable()
    }

    fn attach(&self, clock: &Clock) {
        self.inner.attach(clock);
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, PersistenceError> {
        reach(&self.world, self.process).await?;
        let inner = self.inner.begin().await?;
        Ok(Box::new(SimulatedUnit { inner, world: self.world.clone(), process: self.process, claimed: None }))
    }

    async fn delivered(&self, key: &InboxKey) -> Result<(), PersistenceError> {
        reach(&self.world, self.process).await?;
        if self.world.moment(self.process) { self.inner.delivered(key).await } else { Ok(()) }
    }
}

impl SimulatedUnit {
    /// The unit of the run that ended last of those that handled the message.
    fn committed(&self) {
        let Some(key) = &self.claimed else { return };
        let (scenario, process) = (&self.world.scenario, self.process);
        let station = scenario.stations.iter().position(|station| station.name == key.endpoint).expect("one of ours");
        let consumer = consumer(&key.consumer);
        self.world.with(|state| {
            let runs = state.journal.runs.iter_mut().enumerate().rev();
            let found = runs.into_iter().find(|(_, run)| {
                (run.process, run.station, run.consumer, run.message_id) == (process, station, consumer, key.message_id)
            });
            let (at, run) = found.expect("a unit that commits has run");
            run.committed = true;
            state.journal.note(format_args!("process {process}: run {} is committed", at + 1));
        });
    }
}

/// Which of our consumers the engine means. Two of one type are told apart by a number.
fn consumer(name: &str) -> &'static str {
    match () {
        () if name.contains("::event::") => "e",
        () if name.ends_with("#2") => "1",
        () => "0",
    }
}

#[async_trait]
impl UnitOfWork for SimulatedUnit {
    async fn claim(&mut self, key: &InboxKey) -> Result<Claim, PersistenceError> {
        reach(&self.world, self.process).await?;
        self.claimed = Some(key.clone());
        let claim = self.inner.claim(key).await?;
        if let Claim::Done { unsent } = &claim {
            self.world.with(|state| state.journal.met.repeated += usize::from(!unsent.is_empty()));
        }
        Ok(claim)
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
        reach(&self.world, self.process).await?;
        self.inner.append(messages).await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), PersistenceError> {
        reach(&self.world, self.process).await?;
        if self.world.hits(self.world.scenario.rates.store) {
            return Err(PersistenceError::Refused("a simulated conflict".into()));
        }
        if !self.world.moment(self.process) {
            return Err(PersistenceError::Unavailable("the process is dead".into()));
        }
        self.committed();
        let Self { inner, world, process, .. } = *self;
        inner.commit().await?;
        // Between the commit and the sends.
        world.moment(process);
        // It was committed, and nobody knows.
        reach(&world, process).await
    }

    fn transaction(&mut self) -> &mut (dyn Any + Send) {
        self.inner.transaction()
    }
}
