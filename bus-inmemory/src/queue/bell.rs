use std::{
    fmt,
    sync::{Arc, Weak},
    time::Instant,
};

use bus_core::clock::{Alarm, Clock};

use super::{After, Queue, state::State};
use crate::alarms::Alarms;

/// One alarm for the first of many times. It may ring early, when the first is gone already: most are, and a new
/// alarm for each would cost more.
pub(super) struct Bell {
    alarms: Arc<Alarms>,
    ring: Arc<Ring>,
    set: Option<(Instant, Clock, Alarm)>,
}

type Ring = dyn Fn(Instant, &Clock) + Send + Sync;

impl Bell {
    /// Takes this step of the queue, in time, with the time for which it was set, since the clock may not have got
    /// there quite, and with that clock.
    pub(super) fn new(
        queue: &Weak<Queue>,
        alarms: &Arc<Alarms>,
        step: impl Fn(&mut State, Instant, &Clock, &mut After) + Send + Sync + 'static,
    ) -> Self {
        let queue = queue.clone();
        let ring = move |rung, clock: &Clock| {
            if let Some(queue) = queue.upgrade() {
                queue.locked(|state, after| step(state, rung, clock, after));
            }
        };
        Self { alarms: alarms.clone(), ring: Arc::new(ring), set: None }
    }

    /// Sees to it that it rings by then.
    pub(super) fn by(&mut self, at: Instant, clock: &Clock) {
        if self.set.as_ref().is_none_or(|(set, ..)| *set > at) {
            let (ring, by) = (self.ring.clone(), clock.clone());
            let alarm = self.alarms.set(clock, at, move || ring(at, &by));
            self.set = Some((at, clock.clone(), alarm));
        }
    }

    /// It rang, for this time.
    pub(super) fn rang(&mut self, at: Instant) {
        self.set.take_if(|(set, ..)| *set <= at);
    }

    /// Sets the alarm again, elsewhere.
    pub(super) fn move_alarm(&mut self) {
        if let Some((at, clock, _)) = self.set.take() {
            self.by(at, &clock);
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bell").field(&self.set.as_ref().map(|(at, ..)| at)).finish()
    }
}
