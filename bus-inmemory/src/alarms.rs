use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bus_core::clock::{Alarm, Clock};
use tokio::runtime::Handle;

/// Where the broker's alarms ring: on the runtime of the transport that has been connected longest. A caller may
/// have no runtime, and that of a transport may end with it.
#[derive(Debug, Default)]
pub(crate) struct Alarms(Mutex<Runtimes>);

#[derive(Debug, Default)]
struct Runtimes {
    /// Those that are connected, by their numbers, the longest first.
    connected: Vec<(u64, Handle)>,
    /// The first of them; of none, the one that was.
    current: Option<(u64, Handle)>,
}

impl Alarms {
    /// Calls `ring` at a time, unless the alarm is dropped before.
    pub(crate) fn set(&self, clock: &Clock, at: Instant, ring: impl FnOnce() + Send + 'static) -> Alarm {
        let runtimes = self.runtimes();
        let _entered = runtimes.current.as_ref().map(|(_, runtime)| runtime.enter());
        clock.alarm(at, ring)
    }

    /// A transport was connected on this runtime. Whether the alarms have to be set again, there.
    #[must_use]
    pub(crate) fn connect(&self, transport: u64, runtime: Handle) -> bool {
        let mut runtimes = self.runtimes();
        match runtimes.connected.iter_mut().find(|(known, _)| *known == transport) {
            Some((_, before)) => *before = runtime,
            None => runtimes.connected.push((transport, runtime)),
        }
        runtimes.choose()
    }

    /// A transport was closed. Whether the alarms have to be set again, elsewhere.
    #[must_use]
    pub(crate) fn close(&self, transport: u64) -> bool {
        let mut runtimes = self.runtimes();
        runtimes.connected.retain(|(known, _)| *known != transport);
        runtimes.choose()
    }

    fn runtimes(&self) -> MutexGuard<'_, Runtimes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtimes {
    fn choose(&mut self) -> bool {
        let Some((transport, runtime)) = self.connected.first() else { return false };
        let known = self.current.as_ref().map(|(transport, runtime)| (*transport, runtime.id()));
        if known == Some((*transport, runtime.id())) {
            return false;
        }
        self.current = Some((*transport, runtime.clone()));
        true
    }
}
