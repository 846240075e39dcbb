use std::{sync::Arc, time::Duration};

use bus_core::Retry;

use crate::{
    dice::Dice,
    faults::{Faults, Rates},
    message::Kind,
};

/// What is there at the beginning of a schedule, and what will go wrong. Follows from the seed.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) stations: Vec<Station>,
    /// How many processes there are at first; each has all endpoints.
    pub(crate) processes: usize,
    pub(crate) orders: Vec<Order>,
    /// How many messages of a process may be unconfirmed.
    pub(crate) window: usize,
    pub(crate) stop_timeout: Duration,
    /// All processes, also those to come, have one store.
    pub(crate) lasting_store: bool,
    /// How many things the schedule does before everything is healed.
    pub(crate) actions: usize,
    pub(crate) rates: Rates,
    pub(crate) faults: Faults,
}

/// An endpoint.
#[derive(Debug)]
pub(crate) struct Station {
    pub(crate) name: Arc<str>,
    pub(crate) prefetch: u16,
    pub(crate) concurrency: u16,
    pub(crate) outbox: bool,
    pub(crate) pace: Pace,
    /// The delays of its rounds of redelivery.
    pub(crate) redeliver: Vec<Duration>,
    pub(crate) timeout: Option<Duration>,
    /// How many consumers of [`Work`](crate::message::Work) it has.
    pub(crate) workers: usize,
    /// Whether it has a consumer of [`Event`](crate::message::Event).
    pub(crate) listens: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    Never,
    Immediate(u32),
    Interval(u32),
    Exponential(u32),
}

/// A message that the program sends.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) to: Target,
    /// Sent a second time with the same id.
    pub(crate) twice: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// To the endpoint of that number.
    Station(usize, Kind),
    Everybody,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

impl Scenario {
    pub(crate) fn of(seed: u64) -> Self {
        let dice = Dice::about(seed, "scenario");
        let faults = Faults::of(&dice);
        let calm = faults.is_calm();
        let stations: Vec<_> = NAMES[..dice.within(1..=3)].iter().map(|name| Station::of(name, &dice)).collect();
        let order = || {
            let to = dice.below(stations.len());
            let target = match dice.below(10) {
                0..6 => Target::Station(to, Kind::Work),
                6..9 => Target::Everybody,
                _ => Target::Station(to, Kind::Stray),
            };
            let known = matches!(target, Target::Station(to, Kind::Work) if stations[to].outbox);
            Order { to: target, twice: known && dice.hits(300) }
        };
        let orders = (0..dice.within(5..=30)).map(|_| order()).collect();
        Self {
            seed,
            orders,
            processes: dice.within(1..=2),
            window: if calm { 1000 } else { dice.pick(&[2, 5, 20, 1000]) },
            stop_timeout: Duration::from_secs(dice.pick(&[1, 5, 30])),
            lasting_store: dice.hits(500),
            actions: dice.within(30..=300),
            rates: Rates::of(&faults, &dice),
            faults,
            stations,
        }
    }

    /// How many consumers of an endpoint take a message of that kind.
    pub(crate) fn takers(&self, station: usize, kind: Kind) -> usize {
        match kind {
            Kind::Work => self.stations[station].workers,
            Kind::Event => usize::from(self.stations[station].listens),
            Kind::Stray | Kind::Other => 0,
        }
    }

    /// The endpoints that a message goes to.
    pub(crate) fn reached(&self, to: Target) -> Vec<usize> {
        match to {
            Target::Station(station, _) => vec![station],
            Target::Everybody => (0..self.stations.len()).filter(|station| self.stations[*station].listens).collect(),
        }
    }
}

impl Station {
    fn of(name: &str, dice: &Dice) -> Self {
        let rounds = if dice.hits(250) { dice.within(1..=2) } else { 0 };
        // Each run may send messages of its own, and those that fail are many soon.
        let times = if rounds > 0 { 1 } else { dice.within(1..=4) as u32 };
        let delay = |_| Duration::from_secs(dice.pick(&[1, 5, 60]));
        let redeliver = (0..rounds).map(delay).collect();
        Self {
            name: name.into(),
            prefetch: dice.within(1..=12) as u16,
            concurrency: dice.pick(&[1, 2, 4, 16]),
            outbox: dice.hits(500),
            pace: dice.pick(&[Pace::Never, Pace::Immediate(times), Pace::Interval(times), Pace::Exponential(times)]),
            redeliver,
            timeout: dice.hits(250).then_some(Duration::from_secs(5)),
            workers: dice.pick(&[1, 1, 2]),
            listens: dice.hits(600),
        }
    }

    /// How often a message may be tried again, in all its rounds.
    pub(crate) fn limit(&self) -> usize {
        (self.pace.retry().limit() as usize + 1) * (self.redeliver.len() + 1) - 1
    }
}

impl Pace {
    pub(crate) fn retry(self) -> Retry {
        match self {
            Self::Never => Retry::none(),
            Self::Immediate(times) => Retry::immediate(times),
            Self::Interval(times) => Retry::interval(times, Duration::from_millis(700)),
            Self::Exponential(times) => Retry::exponential(times, Duration::from_millis(100)..Duration::from_secs(20)),
        }
    }
}
