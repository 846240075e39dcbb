use std::{
    collections::BTreeSet,
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bus_conformance::{
    Configure, Fixture, Place,
    faulty::{Flaw, flawed},
    with_patience,
};
use bus_core::{clock::Clock, transport::Driver};

/// A driver around memory, at a broker of its own.
pub(crate) struct Memory(pub(crate) &'static dyn Driver);

impl Fixture for Memory {
    fn driver(&self) -> &'static dyn Driver {
        self.0
    }

    async fn url(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        format!("memory://broken-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    fn lanes(&self) -> Option<Configure> {
        Some(Box::new(|endpoint| endpoint.with(bus_inmemory::endpoint().lanes())))
    }

    fn lease(&self, length: Duration) -> Option<Configure> {
        Some(Box::new(move |endpoint| endpoint.with(bus_inmemory::endpoint().lease(length))))
    }
}

/// What a behaviour waits for something that may never come.
const PATIENCE: Duration = Duration::from_millis(500);
/// What it has in all: a stop waits for handlers that nobody lets through.
const ALL: Duration = Duration::from_secs(3);

/// Starts those of the behaviours that are asked for, in tasks of this thread, so that libtest keeps what
/// their panics print.
macro_rules! start {
    ($flaw:expr, $asked:expr; $($behaviour:ident)*) => {{
        let mut running = Vec::new();
        $(
            if $asked.contains(&stringify!($behaviour)) {
                let fixture = Memory(flawed(&bus_inmemory::DRIVER, $flaw));
                let work = async move { bus_conformance::$behaviour(Place::new(fixture).await).await };
                running.push((stringify!($behaviour), tokio::spawn(bounded(work))));
            }
        )*
        running
    }};
}

async fn bounded(work: impl Future<Output = ()>) {
    let clock = Clock::real();
    clock.by(clock.after(ALL), with_patience(PATIENCE, work)).await.expect("the behaviour ends");
}

/// Those of the behaviours that pass on a transport with the flaw.
pub(crate) async fn passing(flaw: Flaw, behaviours: &[&str]) -> BTreeSet<&'static str> {
    let running = bus_conformance::behaviours! { start! { flaw, behaviours; } };
    let mut passing = BTreeSet::new();
    for (name, behaviour) in running {
        if behaviour.await.is_ok() {
            passing.insert(name);
        }
    }
    passing
}
