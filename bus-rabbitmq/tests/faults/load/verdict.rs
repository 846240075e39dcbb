//! What a load says of a fault.

use std::time::{Duration, Instant};

use super::{Bounds, Settings, seen::Counts};
use crate::table::Row;

/// How many are in flight when a fault comes, at the least, of each kind.
const IN_FLIGHT: u32 = 300;

/// What one kind of queue shows. `answered` is when the broker answered again.
pub(super) fn row(counts: &Counts, settings: Settings, fault: &str, answered: Instant, bounds: Bounds) -> Row {
    let total = counts.goal.unwrap_or_default() as usize;
    let (prefetch, senders) = (usize::from(settings.prefetch), settings.senders as usize);
    // More than what a consumer had in its buffer, and more than what was on its way: of what comes later only.
    let first = counts.first_handled.after(answered, prefetch);
    let second = counts.second_handled.after(answered, prefetch);
    let confirmed = counts.confirms.after(answered, senders);
    let back = [first, second, confirmed].into_iter().try_fold(Duration::ZERO, |most, back| Some(most.max(back?)));
    let first_again = counts.first.values().map(|run| run.times as usize - 1).sum::<usize>();
    let second_again = counts.second.values().map(|times| *times as usize - 1).sum::<usize>();
    let mut row = Row {
        fault: fault.to_owned(),
        sent: counts.confirmed(),
        received: counts.second.len(),
        lost: total - counts.second.len(),
        duplicated: first_again + second_again,
        back: back.map(|back| back.as_secs_f64()),
        gap: counts.second_handled.gap().map(|gap| gap.as_secs_f64()),
        in_flight: counts.in_flight,
        problems: counts.errors.iter().take(2).cloned().collect(),
        ..Row::default()
    };
    let at_first = bounds.times * (prefetch + senders);
    // Each that is handled again is sent again; beside those what was on its way, and what was not settled.
    let at_second = first_again + bounds.times * 2 * prefetch;
    let (taken, raced) = (counts.taken() as usize, counts.raced());
    row.expect(row.lost <= taken + raced, format!("{} lost, not {taken} and {raced}", row.lost));
    let unexplained = counts.unexplained();
    row.expect(unexplained.is_empty(), format!("{} lost without a reason: {unexplained:?}", unexplained.len()));
    row.expect(row.sent == total, format!("{} of {total} were sent", row.sent));
    row.expect(first_again <= at_first, format!("{first_again} came twice at the first, more than {at_first}"));
    row.expect(second_again <= at_second, format!("{second_again} came twice at the second, more than {at_second}"));
    row.expect(
        back.is_some_and(|back| back <= bounds.back),
        format!("back after {back:?} (first {first:?}, second {second:?}, sends {confirmed:?}), not {:?}", bounds.back),
    );
    if let Some(in_flight) = counts.in_flight {
        row.expect(in_flight >= settings.senders.min(IN_FLIGHT), format!("only {in_flight} were in flight"));
    }
    row
}
