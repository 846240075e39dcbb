//! The broker in process shows every behaviour of the suite.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bus_conformance::Configure;
use bus_core::transport::Driver;

struct Memory;

impl bus_conformance::Fixture for Memory {
    fn driver(&self) -> &'static dyn Driver {
        &bus_inmemory::DRIVER
    }

    async fn url(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        format!("memory://conformance-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    fn lanes(&self) -> Option<Configure> {
        Some(Box::new(|endpoint| endpoint.with(bus_inmemory::endpoint().lanes())))
    }

    fn lease(&self, length: Duration) -> Option<Configure> {
        Some(Box::new(move |endpoint| endpoint.with(bus_inmemory::endpoint().lease(length))))
    }
}

bus_conformance::conformance!(Memory);
