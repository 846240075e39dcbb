use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use bus_core::clock::{Alarm, Clock};

use super::{Broker, publish::Targets};
use crate::{
    alarms::Alarms,
    queue::{After, Message},
};

/// The longest delay: further no clock goes.
pub(crate) const DELAY_MAX: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Messages that wait for their time, outside of any queue.
#[derive(Debug, Default)]
pub(super) struct Delays(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<Key, Delayed>,
    submitted: u64,
}

/// When it is due, and its number, so that those of one time come in the order of submission.
type Key = (Instant, u64);

#[derive(Debug)]
struct Delayed {
    message: Arc<Message>,
    targets: Targets,
    /// Its sender's.
    clock: Clock,
    alarm: Alarm,
}

impl Delays {
    /// Keeps a message until its time.
    pub(super) fn insert(
        &self,
        (message, targets): (Arc<Message>, Targets),
        delay: Duration,
        clock: &Clock,
        alarms: &Alarms,
        broker: &Weak<Broker>,
    ) {
        let mut state = self.state();
        state.submitted += 1;
        // Under the lock: alarms of one time are set in the order of their numbers, and one that rings at once
        // finds its message.
        let key = (clock.after(delay), state.submitted);
        let alarm = set(key, clock, alarms, broker);
        state.waiting.insert(key, Delayed { message, targets, clock: clock.clone(), alarm });
    }

    /// Sets all alarms again, elsewhere.
    pub(super) fn move_alarms(&self, alarms: &Alarms, broker: &Weak<Broker>) {
        for (key, delayed) in &mut self.state().waiting {
            delayed.alarm = set(*key, &delayed.clock, alarms, broker);
        }
    }

    /// An alarm rang: its message enters its queues, and before it whatever else is due. Alarms of the real clock
    /// that are due together ring in any order.
    fn ring(&self, rung: Key) {
        let (mut handed_over, mut afters) = (Vec::new(), Vec::<After>::new());
        let mut state = self.state();
        let due = state.waiting.range(..=rung).filter(|(key, delayed)| **key == rung || delayed.clock.now() >= key.0);
        for key in due.map(|(key, _)| *key).collect::<Vec<_>>() {
            let Some(delayed) = state.waiting.remove(&key) else { continue };
            for queue in delayed.targets.queues() {
                afters.push(queue.push_quietly(delayed.message.clone(), &delayed.clock));
            }
            handed_over.push(delayed);
        }
        // Held until here for the order. What follows may run anybody's code.
        drop(state);
        afters.into_iter().for_each(After::run);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(key: Key, clock: &Clock, alarms: &Alarms, broker: &Weak<Broker>) -> Alarm {
    let broker = broker.clone();
    alarms.set(clock, key.0, move || {
        if let Some(broker) = broker.upgrade() {
            broker.delays.ring(key);
        }
    })
}
