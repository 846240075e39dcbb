use std::sync::atomic::{AtomicU32, Ordering};

use bus_core::{Builder, Message, testing::Harness};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Shop", crate = bus_core)]
pub(crate) struct Submitted {
    pub(crate) number: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Shop", crate = bus_core)]
pub(crate) struct Reserve {
    pub(crate) number: u32,
}

/// A harness over memory with a broker of its own.
pub(crate) async fn harness(configure: impl FnOnce(Builder) -> Builder) -> Harness {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let url = format!("memory://harness-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    Harness::on(&bus_inmemory::DRIVER, url, configure).await
}
