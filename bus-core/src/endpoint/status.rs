use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    clock::Clock,
    observer::{Event, Observers},
    transport::Outage,
};

/// How an endpoint is. Logs, and tells observers, when that changes.
#[derive(Debug)]
pub(crate) struct Status {
    endpoint: Arc<str>,
    clock: Clock,
    observers: Observers,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    subscription: Subscription,
    /// How many messages are held because of the broker, and why the last one is.
    held: usize,
    why: String,
    /// How many are, or were and have not got on yet.
    stuck: usize,
    /// What of it belongs in the log.
    outage: Outage,
    /// What the log says last: a person is needed.
    urgent: bool,
    /// How many places there are, and since when all of them are taken by handlers whose delivery was lost.
    taken: Option<(u32, Instant)>,
    degraded: Option<Instant>,
}

/// So long handlers whose delivery was lost may take all places without a word.
const TAKEN: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Default)]
enum Subscription {
    /// Not started, or stopped.
    #[default]
    Off,
    Receiving,
    /// It should receive and does not.
    Lost(String),
    Stopping,
}

/// Why an endpoint does not do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The broker, or the store, cannot be reached: that ends by itself.
    Away,
    /// The broker does not take a message. A person may have to do something.
    Refused,
    /// The subscription does not deliver.
    Lost,
    /// Handlers do not come to their end.
    Taken,
}

/// A message that is held, or was and has not got on yet; dropped when it does.
#[derive(Debug)]
pub(crate) struct Holding {
    status: Arc<Status>,
    held: bool,
}

/// What changed.
enum Change {
    Nothing,
    Degraded(String),
    Recovered(Duration),
}

impl Status {
    pub(crate) fn new(endpoint: Arc<str>, clock: Clock, observers: Observers) -> Self {
        Self { endpoint, clock, observers, state: Mutex::default() }
    }

    pub(crate) fn receiving(&self) {
        let before = self.with(|state| std::mem::replace(&mut state.subscription, Subscription::Receiving));
        if matches!(before, Subscription::Off) {
            self.observers.tell(|| Event::EndpointStarted { endpoint: &self.endpoint });
        }
        self.follow(None);
    }

    pub(crate) fn lost(&self, why: &str) {
        let before = self.with(|state| std::mem::replace(&mut state.subscription, Subscription::Lost(why.to_owned())));
        self.follow(Some(Trouble::Lost));
        if matches!(before, Subscription::Lost(before) if before != why) {
            // What is known of it now may be what a person can mend.
            tracing::warn!(endpoint = &*self.endpoint, error = why, "an endpoint still does not receive");
        }
    }

    pub(crate) fn stopping(&self) {
        self.with(|state| {
            state.subscription = Subscription::Stopping;
            // What was wrong is over without being better.
            state.outage = Outage::default();
            state.taken = None;
            state.degraded = None;
        });
    }

    pub(crate) fn off(&self) {
        let before = self.with(|state| std::mem::replace(&mut state.subscription, Subscription::Off));
        if !matches!(before, Subscription::Off) {
            self.observers.tell(|| Event::EndpointStopped { endpoint: &self.endpoint });
        }
    }

    /// Says that a message cannot go on, and why, until the guard is dropped.
    pub(crate) fn hold(self: &Arc<Self>, holding: &mut Option<Holding>, trouble: Trouble, why: String) {
        self.with(|state| {
            let begins = holding.is_none();
            let holding = holding.get_or_insert_with(|| Holding { status: self.clone(), held: false });
            state.stuck += usize::from(begins);
            state.held += usize::from(!std::mem::replace(&mut holding.held, true));
            state.why = why;
        });
        self.follow(Some(trouble));
    }

    /// All places, so many, are taken by handlers whose delivery was lost; or not any more.
    pub(crate) fn places_taken(&self, places: Option<u32>) {
        let now = self.clock.now();
        self.with(|state| {
            // One that ends begins nothing anyhow, and may be started again.
            let ends = matches!(state.subscription, Subscription::Stopping | Subscription::Off);
            state.taken = places.filter(|_| !ends).map(|places| (places, now));
        });
        self.follow(None);
    }

    /// Nothing if the endpoint does its work; else why it does not.
    pub(crate) fn problem(&self) -> Option<String> {
        let now = self.clock.now();
        self.with(|state| state.problem(now))
    }

    /// Looks again at what goes on without a word: to be called now and then.
    pub(crate) fn round(&self) {
        if self.with(|state| matches!(state.subscription, Subscription::Lost(_))) {
            self.follow(Some(Trouble::Lost));
        } else if self.with(|state| state.taken.is_some()) {
            self.follow(Some(Trouble::Taken));
        }
    }

    /// Logs and tells what changed. Nothing is called under the lock.
    fn follow(&self, trouble: Option<Trouble>) {
        let now = self.clock.now();
        let (change, log, over) = self.with(|state| {
            let works = match &state.subscription {
                Subscription::Receiving => state.stuck == 0 && state.taken(now).is_none(),
                Subscription::Lost(_) => false,
                // Nothing is to be said of an endpoint that ends.
                Subscription::Off | Subscription::Stopping => return (Change::Nothing, None, None),
            };
            let problem = state.problem(now);
            let change = match (works, state.degraded, &problem) {
                (false, None, Some(why)) => {
                    state.degraded = Some(now);
                    Change::Degraded(why.clone())
                }
                (true, Some(since), _) => {
                    state.degraded = None;
                    Change::Recovered(now.saturating_duration_since(since))
                }
                _ => Change::Nothing,
            };
            let mut log = None;
            if let Some(trouble) = trouble
                && !works
            {
                let urgent = trouble == Trouble::Refused;
                if state.outage.begin(now) || urgent && !state.urgent {
                    state.urgent = urgent;
                    log = problem.map(|problem| (trouble, problem));
                }
            }
            let over = if works { state.outage.end(now) } else { None };
            state.urgent &= !works;
            (change, log, over)
        });
        let endpoint = &*self.endpoint;
        match log {
            Some((Trouble::Away, error)) => {
                tracing::warn!(
                    endpoint,
                    error,
                    "an endpoint holds messages: they are tried again until they go through"
                );
            }
            Some((Trouble::Refused, error)) => {
                tracing::error!(endpoint, error, "an endpoint cannot move a message: it is held, and tried again");
            }
            Some((Trouble::Lost, error)) => {
                tracing::warn!(endpoint, error, "an endpoint does not receive: it subscribes again until that works");
            }
            Some((Trouble::Taken, error)) => {
                tracing::warn!(endpoint, error, "an endpoint begins no message: its handlers do not come to their end");
            }
            None => {}
        }
        if let Some(after) = over {
            tracing::info!(endpoint, ?after, "an endpoint works again");
        }
        match change {
            Change::Nothing => {}
            Change::Degraded(why) => self.observers.tell(|| Event::EndpointDegraded { endpoint, why: &why }),
            Change::Recovered(after) => self.observers.tell(|| Event::EndpointRecovered { endpoint, after }),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// How many places there are, if all of them have been taken for long.
    fn taken(&self, now: Instant) -> Option<u32> {
        self.taken.filter(|(_, since)| *since + TAKEN <= now).map(|(places, _)| places)
    }

    fn problem(&self, now: Instant) -> Option<String> {
        match &self.subscription {
            Subscription::Off => Some("not started".to_owned()),
            Subscription::Stopping => Some("stopping".to_owned()),
            Subscription::Lost(why) => Some(why.clone()),
            Subscription::Receiving if self.held > 0 => Some(format!("{} held back: {}", plural(self.held), self.why)),
            Subscription::Receiving => self.taken(now).map(|places| {
                format!(
                    "no message is begun: the handlers at all {places} places were at work when the subscription was \
                     lost, {} s ago or longer, and have not come to their end: give them a `.timeout(..)`",
                    TAKEN.as_secs()
                )
            }),
        }
    }
}

fn plural(messages: usize) -> String {
    if messages == 1 { "a message is".to_owned() } else { format!("{messages} messages are") }
}

impl Holding {
    /// It is not held while it is tried again. It has not got on yet.
    pub(crate) fn try_again(&mut self) {
        if std::mem::replace(&mut self.held, false) {
            self.status.with(|state| state.held = state.held.saturating_sub(1));
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.try_again();
        self.status.with(|state| state.stuck = state.stuck.saturating_sub(1));
        self.status.follow(None);
    }
}
