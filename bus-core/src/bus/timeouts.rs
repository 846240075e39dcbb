use std::{collections::BTreeMap, time::Duration};

use super::{plan::Limits, problem::Problem, setting::Setting, source::Place};

/// How long things of the whole bus may take, as it is said.
pub(super) struct Timeouts {
    pub(super) start: Setting<Duration>,
    pub(super) stop: Setting<Duration>,
    pub(super) send: Setting<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        let usual = || Setting::usual(Duration::from_secs(30));
        Self { start: usual(), stop: usual(), send: usual() }
    }
}

impl Timeouts {
    /// What holds.
    pub(super) fn limits(&self) -> Limits {
        Limits { start: *self.start, stop: *self.stop, send: *self.send }
    }

    /// Which are a configuration's, and where each is written.
    pub(super) fn configured(&self) -> BTreeMap<String, String> {
        let said = [
            self.start.configured("start_timeout"),
            self.stop.configured("stop_timeout"),
            self.send.configured("send_timeout"),
        ];
        said.into_iter().flatten().collect()
    }

    /// What cannot be.
    pub(super) fn mistakes(&self, bus: Place) -> impl Iterator<Item = Problem> {
        let timeouts = [("start_timeout", &self.start), ("send_timeout", &self.send)];
        let zero = timeouts.into_iter().filter(|(_, time)| time.is_zero());
        zero.map(move |(name, time)| {
            Problem::new(format!("`{name}` must be longer than zero; 30 s is the default"), time.source_in(bus))
        })
    }
}
