//! The broker: what is declared, where a message goes, and what waits for its time.

mod declare;
mod delays;
mod pattern;
mod publish;
pub(crate) mod registry;
mod routes;

use std::sync::{Arc, PoisonError, RwLock, Weak};

pub(crate) use declare::Undeclared;
pub(crate) use delays::DELAY_MAX;
use delays::Delays;
use routes::Routes;
use tokio::runtime::Handle;

use crate::{
    alarms::Alarms,
    queue::{Home, Queue},
};

/// One broker of this process.
#[derive(Debug)]
pub(crate) struct Broker {
    this: Weak<Self>,
    name: String,
    seed: Option<u64>,
    routes: RwLock<Routes>,
    delays: Delays,
    alarms: Arc<Alarms>,
}

impl Broker {
    fn new(name: String, seed: Option<u64>) -> Arc<Self> {
        let alarms = Arc::<Alarms>::default();
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            name,
            seed,
            routes: RwLock::new(Routes::new(Home { seed, alarms: alarms.clone(), broker: this.clone() })),
            delays: Delays::default(),
            alarms,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What chance follows from, where there is no [order](Self::ordered).
    pub(crate) fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Whether a queue's messages are handed out in the order of their arrival. Lanes are in any case.
    pub(crate) fn ordered(&self) -> bool {
        self.seed.is_none()
    }

    /// The queue of that name.
    pub(crate) fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        self.read(|routes| routes.queue(name).cloned())
    }

    /// A transport was connected. Without a runtime it can do all but wait for a time.
    pub(crate) fn connected(&self, transport: u64) {
        if let Ok(runtime) = Handle::try_current()
            && self.alarms.connect(transport, runtime)
        {
            self.move_alarms();
        }
    }

    /// A transport was closed.
    pub(crate) fn closed(&self, transport: u64) {
        if self.alarms.close(transport) {
            self.move_alarms();
        }
    }

    fn move_alarms(&self) {
        self.delays.move_alarms(&self.alarms, &self.this);
        let queues = self.read(|routes| routes.queues().cloned().collect::<Vec<_>>());
        queues.iter().for_each(|queue| queue.move_alarms());
    }

    fn read<T>(&self, look: impl FnOnce(&Routes) -> T) -> T {
        look(&self.routes.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Routes) -> T) -> T {
        change(&mut self.routes.write().unwrap_or_else(PoisonError::into_inner))
    }
}
