use std::{collections::BTreeMap, time::Duration};

use super::{plan::Limits, problem::Problem, setting::Setting, source::Place};

/// How long things of the whole bus may take, as it is said.
pub(super) struct Timeouts {
    pub(super) start: Setting<Duration>,
    pub(super) stop: Setting<Duration>,
    pub(super) send: Setting<Duration>,
    /// How often the topology is brought about again.
    pub(super) round: Setting<Duration>,
}

/// A binding that was deleted cannot be seen otherwise.
const ROUND: Duration = Duration::from_secs(60);

impl Default for Timeouts {
    fn default() -> Self {
        let usual = || Setting::usual(Duration::from_secs(30));
        Self { start: usual(), stop: usual(), send: usual(), round: Setting::usual(ROUND) }
    }
}

impl Timeouts {
    /// What holds.
    pub(super) fn limits(&self) -> Limits {
        Limits { start: *self.start, stop: *self.stop, send: *self.send, round: *self.round }
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
        let times =
            [("start_timeout", &self.start, 30), ("send_timeout", &self.send, 30), ("topology_round", &self.round, 60)];
        let zero = times.into_iter().filter(|(_, time, _)| time.is_zero());
        zero.map(move |(name, time, usual)| {
            let text = format!("`{name}` must be longer than zero; {usual} s is the default");
            Problem::new(text, time.source_in(bus))
        })
    }
}
