//! What must be so, whatever went wrong.

use std::collections::{BTreeMap, BTreeSet};

use bus_core::transport::DeadLetter;
use uuid::Uuid;

use crate::{
    journal::{Handed, Journal, Outcome},
    message::Letter,
    process::order_id,
    scenario::{Scenario, Station},
    script::{End, Script},
    violation::Violation,
    whole::{takers, whole},
};

/// What lies in the queues beside the endpoints', at the end.
pub(crate) struct Aside {
    pub(crate) station: usize,
    pub(crate) letter: Letter,
    /// It was sent by a handler here, and no queue took it.
    pub(crate) kept: bool,
    /// It counts as one that ends processes.
    pub(crate) blamed: bool,
}

impl Aside {
    pub(crate) fn of(station: usize, dead: &DeadLetter) -> Self {
        let letter = Letter::read(&dead.body, dead.message_id.as_deref());
        let is = |reason| dead.fault_type() == Some(reason);
        Self { station, letter, kept: is("bus::Undeliverable"), blamed: is("bus::ProcessEnded") }
    }
}

/// A message whose handlers were started so often without an end is given up.
const STARTS: usize = 5;

/// A message at one endpoint.
type Copy = (usize, Uuid);

/// Everything at the end of a schedule.
pub(crate) struct Oracle<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) journal: &'a Journal,
    pub(crate) aside: &'a [Aside],
}

impl Oracle<'_> {
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        self.told(&mut found);
        let copies = self.copies();
        for (copy, letter) in &copies {
            self.is_somewhere(*copy, letter, &mut found);
            if !self.journal.met.doubles_messages() {
                self.is_in_one_place(*copy, letter, &mut found);
            }
            if self.scenario.faults.is_calm() {
                self.went_as_scripted(*copy, letter, &mut found);
            }
        }
        self.sent(&mut found);
        self.effects(&mut found);
        self.blamed(&mut found);
        self.rounds(&mut found);
        if self.scenario.faults.is_calm() {
            let met = self.journal.met;
            if met.redelivered + met.undone > 0 {
                found.push(Violation::Disturbed(format!("{met:?}")));
            }
        }
        found
    }

    /// The messages that came into the endpoints' queues, each once, however often it came.
    fn copies(&self) -> BTreeMap<Copy, &Letter> {
        let station = |queue: &str| self.scenario.stations.iter().position(|station| *station.name == *queue);
        let entered = self.journal.entered.iter();
        entered.filter_map(|it| Some(((station(&it.queue)?, it.letter.id), &it.letter))).collect()
    }

    /// The program was told the truth.
    fn told(&self, found: &mut Vec<Violation>) {
        for told in &self.journal.told {
            let order = &self.scenario.orders[told.order];
            for station in self.scenario.reached(order.to) {
                let name = &self.scenario.stations[station].name;
                let entered = self.journal.entered.iter().any(|it| {
                    it.queue == *name && it.letter.id == order_id(told.order) && it.letter.tag.copy == told.copy
                });
                match told.outcome {
                    Outcome::Confirmed if !entered => {
                        found.push(Violation::Lost(format!("{} was confirmed, and never came to {name}", told.order)));
                    }
                    Outcome::Failed if entered => {
                        found.push(Violation::Told(format!("{} was not sent, and came to {name}", told.order)));
                    }
                    _ => {}
                }
            }
            if self.scenario.faults.is_calm() && told.outcome != Outcome::Confirmed {
                found.push(Violation::Disturbed(format!("{} was not confirmed", told.order)));
            }
        }
    }

    fn aside(&self, (station, id): Copy) -> usize {
        self.aside.iter().filter(|it| (it.station, it.letter.id) == (station, id) && !it.kept).count()
    }

    fn whole(&self, (station, id): Copy, consumer: &'static str) -> usize {
        whole(self.scenario, self.journal, station, consumer, id).count()
    }

    /// Every consumer handled it, or it lies where a person finds it.
    fn is_somewhere(&self, copy: Copy, letter: &Letter, found: &mut Vec<Violation>) {
        let takers = takers(self.scenario, copy.0, letter.kind);
        let handled = !takers.is_empty() && takers.iter().all(|consumer| self.whole(copy, consumer) > 0);
        if !handled && self.aside(copy) == 0 {
            let name = &self.scenario.stations[copy.0].name;
            found.push(Violation::Lost(format!("{letter} came to {name}, was not handled, and lies nowhere")));
        }
    }

    /// As often as it was sent, and no more.
    fn is_in_one_place(&self, copy: Copy, letter: &Letter, found: &mut Vec<Violation>) {
        let station = &self.scenario.stations[copy.0];
        let here = self.journal.entered.iter().filter(|it| it.queue == station.name && it.letter.id == copy.1);
        let sent = here.map(|it| (it.letter.tag.run, it.letter.tag.copy)).collect::<BTreeSet<_>>().len();
        let aside = self.aside(copy);
        let takers = takers(self.scenario, copy.0, letter.kind);
        // A store knows of its own processes only.
        let here = self.journal.runs.iter().filter(|run| (run.station, run.message_id) == copy);
        let stores = here.map(|run| run.store).collect::<BTreeSet<_>>().len();
        // A round is one of all the consumers, whichever failed: they handle it again, unless their store knows of it.
        let rounds = if takers.len() > 1 { station.redeliver.len() } else { 0 };
        let times = sent * (rounds + 1);
        let (least, most) = if station.outbox { (1, stores.min(times)) } else { (sent, times) };
        let whole: Vec<_> = takers.iter().map(|consumer| self.whole(copy, consumer)).collect();
        let is_so = match whole[..] {
            [] => aside == sent,
            [one] if least == sent => one + aside == sent,
            // One consumer may have handled what another one failed at.
            _ => aside <= sent && whole.iter().all(|whole| *whole <= most && whole + aside >= least),
        };
        if !is_so {
            let said = format!("{letter} was sent {sent} times to {}, handled {whole:?}, aside {aside}", station.name);
            found.push(Violation::Doubled(said));
        }
    }

    /// What handlers sent has one id, and left only if it was to.
    fn sent(&self, found: &mut Vec<Violation>) {
        let mut ids = BTreeMap::new();
        for it in &self.journal.entered {
            let tag = &it.letter.tag;
            let Some(run) = tag.run.checked_sub(1).map(|at| &self.journal.runs[at]) else { continue };
            if *ids.entry((tag.run, &tag.path)).or_insert(it.letter.id) != it.letter.id {
                found.push(Violation::Renamed(format!("{} came with two ids", it.letter)));
            }
            if self.scenario.stations[run.station].outbox && !run.committed {
                found.push(Violation::Leaked(format!("{} left, and its run {} did not happen", it.letter, tag.run)));
            }
        }
    }

    /// With an outbox a message has one effect at each consumer, as long as the store remembers.
    fn effects(&self, found: &mut Vec<Violation>) {
        let mut seen = BTreeSet::new();
        for run in self.journal.runs.iter().filter(|run| run.committed) {
            if !seen.insert((run.store, run.station, run.consumer, run.message_id)) {
                let name = &self.scenario.stations[run.station].name;
                found.push(Violation::Doubled(format!("{} had two effects at {name}{}", run.path, run.consumer)));
            }
        }
    }

    /// Only what came again and again ends processes.
    fn blamed(&self, found: &mut Vec<Violation>) {
        for Aside { station, letter, .. } in self.aside.iter().filter(|aside| aside.blamed) {
            let same = |it: &&Handed| it.station == *station && it.letter.id == letter.id;
            let times = self.journal.handed.iter().filter(same).count();
            if times <= STARTS {
                found.push(Violation::Blamed(format!("{letter} is aside, and was delivered {times} times")));
            }
        }
    }

    /// Rounds of redelivery follow one another, and are all made before a message is given up.
    fn rounds(&self, found: &mut Vec<Violation>) {
        let mut made = BTreeMap::<Copy, BTreeSet<usize>>::new();
        for it in &self.journal.entered {
            if let Some(station) = self.scenario.stations.iter().position(|station| station.name == it.queue) {
                made.entry((station, it.letter.id)).or_default().insert(it.letter.round);
            }
        }
        for ((station, _), made) in &made {
            let Station { name, redeliver, .. } = &self.scenario.stations[*station];
            if made.last().is_some_and(|last| made.len() != last + 1 || *last > redeliver.len()) {
                found.push(Violation::Rounds(format!("{name} redelivers {} times, not {made:?}", redeliver.len())));
            }
        }
        for Aside { station, letter, .. } in self.aside.iter().filter(|aside| !aside.blamed && !aside.kept) {
            let takers = takers(self.scenario, *station, letter.kind);
            let gives_up =
                |consumer: &&str| Script::of(self.scenario, *station, consumer, &letter.tag.path).end == End::Permanent;
            let rounds = self.scenario.stations[*station].redeliver.len();
            if !takers.is_empty() && !takers.iter().any(gives_up) && letter.round != rounds {
                found.push(Violation::Rounds(format!("{letter} is aside, and was to make {rounds} rounds")));
            }
        }
    }

    /// Where nothing goes wrong, the handlers ran as often as their scripts have it.
    fn went_as_scripted(&self, copy: Copy, letter: &Letter, found: &mut Vec<Violation>) {
        let station = &self.scenario.stations[copy.0];
        let entered = self.journal.entered.iter().filter(|it| it.queue == station.name && it.letter.id == copy.1);
        let sent = entered.filter(|it| it.letter.round == 0).count();
        let takers = takers(self.scenario, copy.0, letter.kind);
        // A time limit may be reached by chance, of two of one id either may be the first, and of two consumers either
        // may have another round made.
        if station.timeout.is_some() || sent > 1 || !station.redeliver.is_empty() && takers.len() > 1 {
            return;
        }
        let mut fails = false;
        for consumer in takers {
            let script = Script::of(self.scenario, copy.0, consumer, &letter.tag.path);
            // Messages that several attempts sent are the same to the script.
            let others =
                self.journal.runs_of(copy.0, consumer, &letter.tag.path).any(|(_, run)| run.message_id != copy.1);
            let runs = self.journal.runs.iter();
            let runs = runs.filter(|run| (run.station, run.consumer, run.message_id) == (copy.0, *consumer, copy.1));
            let (runs, limit) = (runs.count(), station.limit());
            let expected = script.failures.len().min(limit) + 1;
            if others {
                return;
            }
            if runs != expected {
                let said = format!("{letter} had {runs} runs at {}{consumer}, not {expected}", station.name);
                found.push(Violation::Disturbed(said));
            }
            fails |= script.failures.len() > limit || script.end == End::Permanent;
        }
        if !takers.is_empty() && fails != (self.aside(copy) > 0) {
            found.push(Violation::Disturbed(format!("{letter} is aside by mistake, or is not")));
        }
    }
}
