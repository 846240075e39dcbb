//! The broker in memory, with a network in between that a schedule decides about.

mod fate;
mod publisher;
mod receiver;
mod settler;
mod transport;

use std::sync::Arc;

use bus_core::transport::{Driver, Environment, Transport, TransportError};
use transport::SimulatedTransport;

use crate::world::World;

/// Opens transports of the schedule that builds a bus on this thread.
pub(crate) static DRIVER: SimulatedDriver = SimulatedDriver;

#[derive(Debug)]
pub(crate) struct SimulatedDriver;

impl Driver for SimulatedDriver {
    fn name(&self) -> &'static str {
        "simulation"
    }

    fn schemes(&self) -> &'static [&'static str] {
        bus_inmemory::DRIVER.schemes()
    }

    fn open(&self, url: &str, environment: Environment) -> Result<Arc<dyn Transport>, TransportError> {
        let (world, process) = World::current();
        let inner = bus_inmemory::DRIVER.open(url, environment)?;
        world.with(|state| state.transports.insert(process, inner.clone()));
        Ok(Arc::new(SimulatedTransport::new(inner, world, process)))
    }
}
