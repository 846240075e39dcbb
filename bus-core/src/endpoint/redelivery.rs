//! Redelivery: a message that failed for good within one delivery comes again later, as a new message. The round is
//! counted in MassTransit's header, in the envelope, so that it survives any process, and counts for a .NET service
//! that consumes from the same queue.

use std::time::Duration;

use super::{OVERDUE, STARTS, Stopped, Stopping, relocate::relocate};
use crate::{
    address::Destination,
    consumer::{EndpointContext, Verdict},
    envelope::Incoming,
    fault::Reason,
    observer::Receiving,
    transport::{Delivery, Outgoing, ReceiverSettings, SettleOutcome, Transport},
};

/// The header that counts the rounds that a message made.
pub(crate) const REDELIVERIES: &str = "MT-Redelivery-Count";

/// The longest delay.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// When a message comes again that the retry policy gave up on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redelivery {
    pub(crate) delays: Vec<Duration>,
    /// Others of its lane may be handled before it comes again.
    pub(crate) reorders: bool,
}

/// A round that a message goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Round {
    /// From 1 on.
    pub(super) number: u32,
    pub(super) delay: Duration,
    /// What is left after that of its time to live.
    time_to_live: Option<Duration>,
}

impl Redelivery {
    /// The longest delay; none without redelivery.
    pub(crate) fn longest(&self) -> Option<Duration> {
        self.delays.iter().max().copied()
    }

    /// A sentence for each reason why the endpoint cannot have it.
    pub(crate) fn problems(&self, settings: &ReceiverSettings, transport: Option<&dyn Transport>) -> Vec<String> {
        let Some(longest) = self.longest() else { return Vec::new() };
        let mut problems = Vec::new();
        if self.delays.contains(&Duration::ZERO) {
            problems.push(
                "a delay of `.redeliver(..)` must be longer than zero: `.retry(..)` tries again at once".to_owned(),
            );
        }
        if longest > LONGEST {
            let days = LONGEST.as_secs() / 86_400;
            problems.push(format!("`.redeliver(..)` has a delay of {longest:?}: {days} days are the longest"));
        }
        let Some(transport) = transport else { return problems };
        match transport.capabilities().delay_max {
            None => problems.push(
                "`.redeliver(..)` needs a broker that holds messages back, and this one cannot: use `.retry(..)`, or \
                 another broker"
                    .to_owned(),
            ),
            Some(most) if longest > most => problems
                .push(format!("`.redeliver(..)` has a delay of {longest:?}: this broker holds back {most:?} at most")),
            Some(_) => {}
        }
        if !self.reorders && transport.keeps_order(settings) {
            problems.push(
                "its messages are handled in order, and one that is redelivered comes behind those that follow it: \
                 add `.allow_reorder()` if they may, or leave `.redeliver(..)` out"
                    .to_owned(),
            );
        }
        problems
    }

    /// The next round of a message; none if it made them all, if each of its failures is permanent, or if its time
    /// would be over by then.
    pub(super) fn round<'a>(
        &self,
        failures: impl Iterator<Item = &'a Reason>,
        incoming: &Incoming,
        endpoint: &EndpointContext,
    ) -> Option<Round> {
        // Asked first: most endpoints have none, and the header costs parsing.
        let rounds = if self.delays.is_empty() { return None } else { incoming.redeliveries() };
        let usual = *self.delays.get(usize::try_from(rounds).ok()?)?;
        let said = failures.filter(|reason| reason.verdict != Verdict::Permanent).map(|reason| match reason.verdict {
            Verdict::RetryAfter(pause) => Some(pause),
            _ => None,
        });
        // Of several consumers the most patient one counts.
        let delay = said.max()?.unwrap_or(usual);
        let most = endpoint.outlet.transport().capabilities().delay_max.map_or(LONGEST, |most| most.min(LONGEST));
        let delay = delay.min(most);
        let due = endpoint.outlet.clock.wall() + delay;
        let time_to_live = match incoming.envelope.expiration_time {
            Some(end) => Some(end.duration_since(due).ok().filter(|left| !left.is_zero())?),
            None => None,
        };
        Some(Round { number: rounds.saturating_add(1), delay, time_to_live })
    }
}

/// Puts a copy in the delivery's place that comes when the round's delay is over. The original is completed only after
/// the broker has the copy; what fails is tried again until the endpoint stops.
///
/// # Errors
/// [`Stopped`], and the delivery goes back to its queue: the round was not made.
pub(super) async fn redeliver(
    delivery: Delivery,
    round: Round,
    (incoming, is_raw): (&Incoming, bool),
    why: &str,
    endpoint: &EndpointContext,
    stopping: &Stopping,
    receiving: &mut Receiving,
) -> Result<SettleOutcome, Stopped> {
    let outlet = &endpoint.outlet;
    let body = match is_raw {
        true => delivery.body,
        false => incoming.envelope.with_header(&delivery.body, REDELIVERIES, round.number),
    };
    let mut copy = Outgoing::new(Destination::Queue(endpoint.name.clone()), body, outlet.clock.now());
    copy.content_type = delivery.content_type;
    copy.message_id = delivery.message_id;
    copy.correlation_id = delivery.correlation_id;
    copy.headers = delivery.headers;
    // This one came to its end, and ended no process. What kills from time to time does so five times a round.
    copy.headers.remove_if(|name| [STARTS, OVERDUE].iter().any(|count| name.eq_ignore_ascii_case(count)));
    copy.headers.set(REDELIVERIES, i32::try_from(round.number).unwrap_or(i32::MAX));
    copy.priority = delivery.priority;
    copy.lane = delivery.lane;
    copy.extensions = delivery.extensions;
    copy.time_to_live = round.time_to_live;
    copy.delay = Some(round.delay);
    copy.mandatory = true;
    let outcome = relocate(copy, delivery.unsettled, endpoint, stopping).await?;
    // As with a move: where the broker does both in one step, one that is not settled did not make the round.
    if outcome == SettleOutcome::Settled || !outlet.transport().capabilities().atomic_move {
        receiving.put_off(round.number, round.delay, why);
    }
    Ok(outcome)
}
