use std::sync::Arc;

use bus_core::{
    Builder, Bus,
    bus::{Catalog, EndpointBuilder},
    persistence::MemoryPersistence,
    transport::Driver,
};

use crate::{handler::Handler, store::SimulatedStore, world::World};

/// Where a process finds its broker and its store.
pub(crate) struct Surroundings<'a> {
    pub(crate) driver: &'static dyn Driver,
    pub(crate) url: &'a str,
    pub(crate) store: MemoryPersistence,
    /// Which store it is.
    pub(crate) store_number: usize,
}

/// The bus of a process, with all endpoints of the scenario.
pub(crate) fn bus(process: usize, world: &Arc<World>, around: Surroundings<'_>) -> Bus {
    let Surroundings { driver, url, store, store_number } = around;
    let store = SimulatedStore { inner: store, world: world.clone(), process };
    let catalog = Catalog { drivers: vec![driver], missing: Vec::new() };
    let builder = Builder::new(url, catalog).clock(world.clock.clone()).persistence(store);
    let mut builder = builder.stop_timeout(world.scenario.stop_timeout);
    for number in 0..world.scenario.stations.len() {
        let consumer =
            |consumer| Handler { world: world.clone(), process, store: store_number, station: number, consumer };
        let name = world.scenario.stations[number].name.to_string();
        builder = builder.endpoint(name, |endpoint| configure(endpoint, world, number, consumer));
    }
    builder.build().expect("the bus of a scenario can be built")
}

fn configure(
    endpoint: EndpointBuilder,
    world: &World,
    number: usize,
    consumer: impl Fn(&'static str) -> Handler,
) -> EndpointBuilder {
    let station = &world.scenario.stations[number];
    let mut endpoint = endpoint.prefetch(station.prefetch).concurrency(station.concurrency).retry(station.pace.retry());
    if !station.redeliver.is_empty() {
        endpoint = endpoint.redeliver(station.redeliver.clone());
    }
    if station.outbox {
        endpoint = endpoint.outbox();
    }
    if let Some(timeout) = station.timeout {
        endpoint = endpoint.timeout(timeout);
    }
    for name in &["0", "1"][..station.workers] {
        endpoint = endpoint.consumer(consumer(name).work());
    }
    if station.listens {
        endpoint = endpoint.consumer(consumer("e").event());
    }
    endpoint
}
