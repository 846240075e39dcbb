//! What belongs to a message that was handled to its end.

use uuid::Uuid;

use crate::{
    journal::{Ended, Entered, Journal, Run},
    message::{Kind, Letter},
    scenario::{Scenario, Target},
    violation::Violation,
};

/// The consumers that take a message of that kind.
pub(crate) fn takers(scenario: &Scenario, station: usize, kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Event => &["e"][..scenario.takers(station, kind)],
        _ => &["0", "1"][..scenario.takers(station, kind)],
    }
}

/// Whether all that follows from a run is there: it succeeded, and what it sent has reached the broker.
fn is_whole(scenario: &Scenario, journal: &Journal, number: usize, run: &Run) -> bool {
    let station = &scenario.stations[run.station];
    let succeeded = if station.outbox { run.committed } else { run.ended.is_some_and(Ended::succeeded) };
    let has_entered = |queue: &str, path: &str| journal.has_entered(queue, path, number);
    let reached = |(path, to): &(String, Target)| {
        let arrived = || scenario.reached(*to).into_iter().all(|to| has_entered(&scenario.stations[to].name, path));
        if station.outbox {
            // What was committed and then refused is kept where a person finds it.
            return has_entered(&format!("{}_error", station.name), path) || arrived();
        }
        !journal.refused.iter().any(|tag| tag.run == number && *tag.path == **path) && arrived()
    };
    succeeded && run.sent.iter().all(reached)
}

/// The whole runs of a consumer on a message.
pub(crate) fn whole<'a>(
    scenario: &'a Scenario,
    journal: &'a Journal,
    station: usize,
    consumer: &'static str,
    id: Uuid,
) -> impl Iterator<Item = usize> + 'a {
    let numbered = journal.runs.iter().enumerate().map(|(at, run)| (at + 1, run));
    let of = numbered.filter(move |(_, run)| (run.station, run.consumer, run.message_id) == (station, consumer, id));
    of.filter(|(number, run)| is_whole(scenario, journal, *number, run)).map(|(number, _)| number)
}

/// Whether the handler of a delivery has succeeded, or a copy of it has left, since it was handed out.
pub(crate) fn was_handled(journal: &Journal, delivery: usize) -> bool {
    let handed = &journal.handed[delivery];
    let same =
        |run: &Run| (run.process, run.station, run.message_id) == (handed.process, handed.station, handed.letter.id);
    let succeeded = |run: &Run| same(run) && run.ended.is_some_and(Ended::succeeded);
    journal.left[handed.left..].contains(&handed.letter.id) || journal.runs[handed.runs..].iter().any(succeeded)
}

/// Whether one of its handlers succeeded, and the copy that a stop puts in its place is to be handled again.
pub(crate) fn was_put_back(scenario: &Scenario, journal: &Journal, delivery: usize) -> bool {
    let handed = &journal.handed[delivery];
    let (name, letter) = (&scenario.stations[handed.station].name, &handed.letter);
    let same = |other: &Letter| (other.id, other.round, &other.tag) == (letter.id, letter.round, &letter.tag);
    let is_copy = |it: &Entered| it.queue == *name && same(&it.letter);
    let succeeded = |run: &Run| {
        (run.process, run.station, run.message_id) == (handed.process, handed.station, letter.id)
            && run.ended.is_some_and(Ended::succeeded)
    };
    journal.entered[handed.entered..].iter().any(is_copy) && journal.runs[handed.runs..].iter().any(succeeded)
}

/// Whether a copy of a delivery came back to its queue, or to one beside it, since it was handed out.
fn was_copied(scenario: &Scenario, journal: &Journal, delivery: usize) -> bool {
    let handed = &journal.handed[delivery];
    let name = &*scenario.stations[handed.station].name;
    let is_of = |queue: &str| matches!(queue.strip_prefix(name), Some("" | "_error" | "_skipped"));
    journal.entered[handed.entered..].iter().any(|it| is_of(&it.queue) && it.letter.id == handed.letter.id)
}

/// A delivery is completed now: was it handled, and is all that follows from it at the broker?
pub(crate) fn completed_early(scenario: &Scenario, journal: &Journal, delivery: usize) -> Option<Violation> {
    let handed = &journal.handed[delivery];
    let (station, letter) = (&scenario.stations[handed.station], &handed.letter);
    let is_handled = |consumer: &&'static str| {
        // Without an outbox this very delivery has to have been handled, or the one that it took the place of.
        let since = if station.outbox { 0 } else { handed.since };
        whole(scenario, journal, handed.station, consumer, letter.id).any(|run| run > since)
    };
    let takers = takers(scenario, handed.station, letter.kind);
    if was_copied(scenario, journal, delivery) || !takers.is_empty() && takers.iter().all(is_handled) {
        return None;
    }
    Some(Violation::Early(format!("{letter} of {} is completed, and was not handled to its end", station.name)))
}
