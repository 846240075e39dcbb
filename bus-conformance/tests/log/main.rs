//! The seam between bus and broker fits a broker that is nothing like RabbitMQ: a log, of partitions and offsets,
//! without acknowledgements. It shows every behaviour of the suite that its capabilities admit, and what the bus
//! promises of lanes.

mod broker;
mod driver;
mod handover;
mod keys;
mod lanes;
mod settling;
mod stage;

use std::time::Duration;

use bus_conformance::{Configure, Fixture};
use bus_core::transport::Driver;
use driver::LogDriver;

struct Log(&'static LogDriver);

impl Log {
    /// Enough partitions that every reader of three gets some of a few messages.
    fn of_many_partitions() -> Self {
        Self(LogDriver::leak(12, Duration::from_secs(30)))
    }
}

impl Fixture for Log {
    fn driver(&self) -> &'static dyn Driver {
        self.0
    }

    async fn url(&self) -> String {
        driver::URL.to_owned()
    }

    fn lanes(&self) -> Option<Configure> {
        // It has nothing else.
        Some(Box::new(|endpoint| endpoint))
    }
}

mod conformance {
    use super::Log;

    bus_conformance::conformance!(Log::of_many_partitions());
}
