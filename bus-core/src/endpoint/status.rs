use std::sync::{Mutex, PoisonError};

/// How an endpoint's subscription is.
#[derive(Debug, Default)]
pub(crate) struct Status(Mutex<State>);

#[derive(Debug, Clone, Default)]
enum State {
    /// Not started, or stopped.
    #[default]
    Off,
    Receiving,
    /// It should receive and does not.
    Lost(String),
}

impl Status {
    pub(crate) fn receiving(&self) {
        self.set(State::Receiving);
    }

    pub(crate) fn lost(&self, why: String) {
        self.set(State::Lost(why));
    }

    pub(crate) fn off(&self) {
        self.set(State::Off);
    }

    /// Nothing if the endpoint receives; else why it does not.
    pub(crate) fn problem(&self) -> Option<String> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Off => Some("not started".to_owned()),
            State::Receiving => None,
            State::Lost(why) => Some(why.clone()),
        }
    }

    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
