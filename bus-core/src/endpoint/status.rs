use std::sync::{Arc, Mutex, PoisonError};

/// How an endpoint is.
#[derive(Debug, Default)]
pub(crate) struct Status(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    subscription: Subscription,
    /// How many messages are held because of the broker, and why the last one is.
    held: usize,
    why: String,
}

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

/// A message that is held; dropped when it goes on.
#[derive(Debug)]
pub(crate) struct Holding(Arc<Status>);

impl Status {
    pub(crate) fn receiving(&self) {
        self.with(|state| state.subscription = Subscription::Receiving);
    }

    pub(crate) fn lost(&self, why: String) {
        self.with(|state| state.subscription = Subscription::Lost(why));
    }

    pub(crate) fn stopping(&self) {
        self.with(|state| state.subscription = Subscription::Stopping);
    }

    pub(crate) fn off(&self) {
        self.with(|state| state.subscription = Subscription::Off);
    }

    /// Says that a message cannot go on, and why, until the guard is dropped.
    pub(crate) fn hold(self: &Arc<Self>, why: String) -> Holding {
        self.with(|state| {
            state.held += 1;
            state.why = why;
        });
        Holding(self.clone())
    }

    /// Nothing if the endpoint does its work; else why it does not.
    pub(crate) fn problem(&self) -> Option<String> {
        self.with(|state| match &state.subscription {
            Subscription::Off => Some("not started".to_owned()),
            Subscription::Stopping => Some("stopping".to_owned()),
            Subscription::Lost(why) => Some(why.clone()),
            Subscription::Receiving if state.held > 0 => {
                Some(format!("{} held back: {}", plural(state.held), state.why))
            }
            Subscription::Receiving => None,
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn plural(messages: usize) -> String {
    if messages == 1 { "a message is".to_owned() } else { format!("{messages} messages are") }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.with(|state| state.held = state.held.saturating_sub(1));
    }
}
