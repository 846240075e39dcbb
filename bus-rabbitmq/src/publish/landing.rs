//! What the broker said to messages under way, and what a closed channel means for them.

use std::collections::BTreeMap;

use bus_core::{address::Destination, transport::PublishOutcome};

use super::{
    entry::Entry,
    flights::{Flights, Landing},
    worker::Worker,
};
use crate::refusal::{Kind, Refusal};

/// So many connections in which a message flew alone are ended before it is refused: one may end by chance.
const ENDED: u32 = 3;

impl Worker {
    /// The broker answered, or a channel died.
    pub(super) fn land(&mut self, landings: &mut Vec<Landing>) {
        let Some((_, outlet)) = &mut self.outlet else { return landings.clear() };
        let mut failure: Option<Refusal> = None;
        for Landing { sequence, result } in landings.drain(..) {
            match result {
                Ok(answer) => {
                    let Some(entry) = self.flying.get_mut(&sequence) else { continue };
                    let waits = answer.ack && entry.mandatory();
                    outlet.returns.completed(sequence, waits, answer.carried);
                    if waits {
                        continue;
                    }
                    entry.tell(if answer.ack { PublishOutcome::Confirmed } else { not_taken(&entry.message.to) });
                    self.flying.remove(&sequence);
                }
                Err(error) => {
                    let refusal = Refusal::from(error);
                    // The broker's own reason says more than that it is closed now.
                    let says = |refusal: &Refusal| refusal.is_answer() || refusal.is_provoked();
                    if failure.as_ref().is_none_or(|known| !says(known) && says(&refusal)) {
                        failure = Some(refusal);
                    }
                }
            }
        }
        // What a dead channel did not say does not count as said.
        let outstanding = if failure.is_some() { usize::MAX } else { self.flights.len() };
        let (mut decided, mut back) = (Vec::new(), Vec::new());
        outlet.returns.drained(outstanding, &mut decided);
        for decided in decided {
            if let Some(mut entry) = self.flying.remove(&decided.sequence) {
                match decided.routed {
                    true => entry.tell(PublishOutcome::Confirmed),
                    false => back.extend(self.unroutable(entry)),
                }
            }
        }
        self.line.back(back);
        match failure {
            Some(refusal) if self.standing() => self.channel_closed(&refusal),
            Some(refusal) => self.connection_ended(Some(&refusal)),
            None => {}
        }
    }

    fn standing(&self) -> bool {
        self.outlet.as_ref().is_some_and(|(_, outlet)| outlet.connection.status().connected())
    }

    /// No queue took it. A queue of ours that somebody deleted, or a level of the delays, is made once more, and it is
    /// sent again.
    fn unroutable(&mut self, mut entry: Entry) -> Option<Entry> {
        match entry.ensured() {
            Some(need) if !entry.ensured_again && entry.deadline().is_some() => {
                self.needs.forget(&need);
                entry.ensured_again = true;
                Some(entry)
            }
            need => {
                // That it is missing is half of the reason if we may not make it.
                let denied = need.and_then(|need| self.needs.denial(&need)).cloned();
                entry.tell(
                    denied.map_or(PublishOutcome::Unroutable, |refusal| PublishOutcome::Rejected(refusal.boxed())),
                );
                None
            }
        }
    }

    /// One of the messages under way closed the channel. If there was but one, it is known which.
    fn channel_closed(&mut self, refusal: &Refusal) {
        if !refusal.is_answer() {
            return self.connection_ended(Some(refusal));
        }
        let mut flown = self.ground();
        if refusal.kind() == Kind::Missing {
            // Somebody deleted an exchange: ask for all of them again. If endpoints of ours were bound to it, that is
            // lost too, and what is published before they are bound again reaches nobody.
            self.needs.forget_all();
            if refusal.missing_exchange().is_some_and(|exchange| self.applied.has_exchange(exchange)) {
                self.deleted = true;
            }
        }
        if flown.len() == 1
            && let Some((_, mut entry)) = flown.pop_first()
        {
            if refusal.kind() == Kind::Missing && entry.need().is_some() && !entry.ensured_again {
                entry.ensured_again = true;
                self.line.back([entry]);
            } else {
                entry.tell(PublishOutcome::Rejected(refusal.clone().boxed()));
            }
            return;
        }
        flown.values_mut().for_each(|entry| entry.suspect = true);
        self.again(flown);
    }

    /// The connection is gone. If the broker ended it over something that it was sent, that would end the next one too,
    /// and with it all publishing for ever: suspects are sent alone, until one of them alone ended [`ENDED`].
    pub(super) fn connection_ended(&mut self, why: Option<&Refusal>) {
        // What is made on its other channels may be why as well.
        let alone = self.needs.all_made();
        let mut flown = self.ground();
        if let Some(why) = why.filter(|why| why.is_provoked()) {
            let alone = alone && flown.len() == 1;
            for entry in flown.values_mut() {
                entry.suspect = true;
                entry.ended += u32::from(alone);
                if entry.ended == ENDED {
                    let why = format!("the broker ended {ENDED} connections over it: {why}");
                    entry.tell(PublishOutcome::Rejected(why.into()));
                }
            }
        }
        self.again(flown);
    }

    /// The channel is gone, and nobody knows what of the messages under way the broker has.
    pub(super) fn lost(&mut self) {
        let flown = self.ground();
        self.again(flown);
    }

    /// Leaves the channel, which is closed by that, and takes what is under way on it.
    fn ground(&mut self) -> BTreeMap<u64, Entry> {
        self.outlet = None;
        self.flights = Flights::default();
        std::mem::take(&mut self.flying)
    }

    /// Puts what was under way back in line. What nobody waits for any more is let go.
    fn again(&mut self, flown: BTreeMap<u64, Entry>) {
        self.line.back(flown.into_values().filter(|entry| entry.deadline().is_some()));
    }
}

/// `basic.nack`. Of several queues some may have taken it, and get it once more each time that it is sent: it is an
/// answer, or a full queue would fill the others.
fn not_taken(to: &Destination) -> PublishOutcome {
    let why = match to {
        Destination::Topic(_) => {
            "at least one of its queues did not take it (basic.nack) and may be full; its other queues may have it"
        }
        Destination::Queue(_) => "the broker did not take it (basic.nack): the queue may be full",
    };
    PublishOutcome::Rejected(why.into())
}
