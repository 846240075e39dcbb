use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Event, Observer};
use crate::fault::panic_text;

/// All observers of a bus, in the order they were given in.
#[derive(Clone, Default)]
pub(crate) struct Observers(Option<Arc<[Registered]>>);

struct Registered {
    observer: Box<dyn Observer>,
    /// That it panicked was logged.
    warned: AtomicBool,
}

impl Observers {
    pub(crate) fn new(observers: Vec<Box<dyn Observer>>) -> Self {
        let registered = |observer| Registered { observer, warned: AtomicBool::new(false) };
        Self((!observers.is_empty()).then(|| observers.into_iter().map(registered).collect()))
    }

    /// Whether nobody wants to know: then nothing is to be spent on it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Tells everybody. Without observers nothing is made.
    pub(crate) fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(observers) = &self.0 {
            let event = event();
            observers.iter().for_each(|registered| registered.observe(&event));
        }
    }
}

impl Registered {
    /// What observes must not take away from what it observes.
    fn observe(&self, event: &Event<'_>) {
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.observer.observe(event))) else { return };
        let error = panic_text(panic);
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(error, "an observer panicked: messages go on, and this is told once for each observer");
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} observers", self.0.as_ref().map_or(0, |observers| observers.len()))
    }
}
