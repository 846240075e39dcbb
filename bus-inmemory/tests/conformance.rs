//! The broker in process shows every behaviour of the suite.

use std::sync::atomic::{AtomicU32, Ordering};

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
}

bus_conformance::conformance!(Memory);
