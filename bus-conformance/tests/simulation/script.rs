use std::time::Duration;

use crate::{
    dice::Dice,
    message::Kind,
    scenario::{Scenario, Target},
};

/// What a consumer does with a message. Follows from the seed, the consumer and where the message came from.
#[derive(Debug)]
pub(crate) struct Script {
    /// How the first runs fail.
    pub(crate) failures: Vec<Failing>,
    /// How the one after them ends.
    pub(crate) end: End,
    /// How long it works before it sends, and after.
    pub(crate) work: [Duration; 2],
    pub(crate) children: Vec<Child>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Failing {
    pub(crate) how: How,
    /// How many of its messages it sends before.
    pub(crate) sends: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Error,
    Panic,
    /// It works for longer than it may, if there is a limit.
    Long,
}

/// What a handler returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Discarded,
    Permanent,
}

/// A message that a handler sends.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) path: String,
    pub(crate) to: Target,
    /// Its confirm is awaited at once.
    pub(crate) confirmed: bool,
}

impl Script {
    pub(crate) fn of(scenario: &Scenario, station: usize, consumer: &str, path: &str) -> Self {
        let who = format!("{}{consumer}", scenario.stations[station].name);
        let dice = Dice::about(scenario.seed, &format!("{who} handles {path}"));
        let most = match path.matches('/').count() {
            0 => 3,
            1 => 1,
            _ => 0,
        };
        let child = |number| {
            let to = dice.below(scenario.stations.len());
            let to = match dice.below(20) {
                0..10 => Target::Station(to, Kind::Work),
                10..19 => Target::Everybody,
                _ => Target::Station(to, Kind::Stray),
            };
            Child { path: format!("{path}/{who}.{number}"), to, confirmed: dice.hits(300) }
        };
        let children: Vec<_> = (0..dice.within(0..=most)).map(child).collect();
        let fails = |_| Failing {
            how: dice.pick(&[How::Error, How::Error, How::Panic, How::Long]),
            sends: dice.within(0..=children.len()),
        };
        let failures = (0..dice.pick(&[0, 0, 0, 0, 0, 1, 1, 2, 6])).map(fails).collect();
        let pause = || Duration::from_millis(dice.pick(&[0, 0, 0, 50, 900, 3000]));
        let mut work = [pause(), pause()];
        if dice.hits(20) && scenario.stations[station].timeout.is_none() {
            // Longer than most stops wait.
            work[1] = Duration::from_secs(20);
        }
        let end = match dice.below(20) {
            0 => End::Discarded,
            1 => End::Permanent,
            _ => End::Done,
        };
        Self { failures, end, work, children }
    }
}
