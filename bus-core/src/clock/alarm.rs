use std::{
    fmt,
    future::Future,
    sync::{Arc, Weak},
};

use tokio::task::JoinHandle;

use super::manual::{Key, Manual};

/// Something that will happen at a time; dropped, it will not.
#[must_use = "an alarm that is dropped does not ring"]
pub struct Alarm(Kind);

enum Kind {
    Task(JoinHandle<()>),
    Timer { clock: Weak<Manual>, key: Key },
}

impl Alarm {
    pub(super) fn spawn(ringing: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Kind::Task(tokio::spawn(ringing)))
    }

    pub(super) fn timer(clock: &Arc<Manual>, key: Key) -> Self {
        Self(Kind::Timer { clock: Arc::downgrade(clock), key })
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        match &self.0 {
            Kind::Task(task) => task.abort(),
            Kind::Timer { clock, key } => {
                if let Some(clock) = clock.upgrade() {
                    clock.forget(*key);
                }
            }
        }
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alarm")
    }
}
