use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{clock::Clock, transport::PublishOutcome};
use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Command,
    channel::{ANSWER, Outlet, Prepared, Preparing, make, open, patience, probe},
    entry::Entry,
    flights::Flights,
    line::Line,
    needs::Needs,
};
use crate::{
    encode::{encode, fits_frame},
    link::{Abandoning, Link, Status},
    refusal::{Kind, Refusal},
    topology::{Applied, Lost, Need},
};

/// Messages taken over at once.
const BATCH: usize = 256;
/// After so long without a confirm the broker is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(5);
/// Things made at once, each on channels of its own.
const MAKING: usize = 16;

/// Sends what was submitted, in order, and tells what became of it.
pub(crate) struct Worker {
    pub(super) clock: Clock,
    commands: mpsc::UnboundedReceiver<Command>,
    pub(super) status: watch::Receiver<Status>,
    abandoning: Abandoning,
    pub(super) applied: Arc<Applied>,
    connection: Option<(u64, Arc<Connection>)>,
    /// The broker takes publishes.
    open: bool,
    pub(super) outlet: Option<(u64, Box<Outlet>)>,
    pub(super) needs: Needs,
    /// What lapin does not have.
    pub(super) line: Line,
    /// What lapin has, by sequence: in the order of sending.
    pub(super) flying: BTreeMap<u64, Entry>,
    pub(super) flights: Flights,
    sequence: u64,
    opening: bool,
    /// On this connection, or an earlier one, the topology was declared; a start declares it on the first.
    restored: u64,
    /// An exchange of the topology was found deleted since.
    pub(super) deleted: bool,
    preparing: FuturesUnordered<Preparing>,
    /// Since when messages are under way and none landed; none if that is being looked into.
    silent: Option<Instant>,
    /// No deadline passes before it.
    pub(super) earliest: Option<Instant>,
    draining: Option<oneshot::Sender<()>>,
}

impl Worker {
    pub(crate) fn new(
        link: &Link,
        clock: Clock,
        applied: Arc<Applied>,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Self {
        Self {
            clock,
            commands,
            status: link.watch(),
            abandoning: link.abandoning(),
            applied,
            connection: None,
            open: false,
            outlet: None,
            needs: Needs::default(),
            line: Line::default(),
            flying: BTreeMap::new(),
            flights: Flights::default(),
            sequence: 0,
            opening: false,
            restored: 1,
            deleted: false,
            preparing: FuturesUnordered::new(),
            silent: None,
            earliest: None,
            draining: None,
        }
    }

    /// Runs until it is told to stop, or nobody can submit any more and all is done.
    pub(crate) async fn run(mut self) {
        let (mut batch, mut landings) = (Vec::with_capacity(BATCH), Vec::new());
        let (mut watching, mut taking) = (true, true);
        self.look();
        loop {
            let clock = self.clock.clone();
            let wake = self.earliest.into_iter().chain(self.silent.map(|since| since + SILENCE)).min();
            let at = wake.unwrap_or_else(|| clock.now());
            tokio::select! {
                biased;
                changed = self.status.changed(), if watching => match changed {
                    Ok(()) => self.look(),
                    Err(_) => watching = false,
                },
                () = self.flights.landed(&mut landings), if !self.flights.is_empty() => {
                    self.land(&mut landings);
                    self.silent = Some(clock.now()).filter(|_| !self.flying.is_empty());
                }
                Some(prepared) = self.preparing.next(), if !self.preparing.is_empty() => self.prepared(prepared),
                taken = self.commands.recv_many(&mut batch, BATCH), if taking => {
                    taking = taken > 0;
                    for command in batch.drain(..) {
                        match command {
                            Command::Publish(entry) => self.take(entry),
                            Command::Announce(topic, needs) => self.needs.announce(topic, needs),
                            Command::Leave(exchange) => self.needs.leave(exchange),
                            Command::Drain(done) => self.draining = Some(done),
                            Command::GiveUp => self.give_up("the transport was closed"),
                        }
                    }
                }
                () = clock.sleep_until(at), if wake.is_some() => {}
            }
            let now = clock.now();
            if self.earliest.is_some_and(|at| at <= now) {
                self.sweep();
            }
            self.listen(now);
            self.pump();
            if self.line.is_empty() && self.flying.is_empty() {
                if let Some(done) = self.draining.take() {
                    // Late: nobody waits any more.
                    let _ = done.send(());
                }
                if !taking {
                    return;
                }
            }
        }
    }

    /// Looks into it if nothing is heard of the messages under way.
    fn listen(&mut self, now: Instant) {
        if self.silent.is_none_or(|since| now < since + SILENCE) {
            return;
        }
        // A blocked connection is silent by right.
        self.silent = Some(now).filter(|_| !self.open && !self.flying.is_empty());
        if let Some((generation, connection)) = self.connection.clone().filter(|_| self.open && !self.flying.is_empty())
        {
            self.preparing.push(probe(self.clock.clone(), generation, connection));
        }
    }

    fn take(&mut self, entry: Entry) {
        let deadline = entry.message.deadline;
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        self.line.push(entry);
    }

    /// Follows the connection.
    fn look(&mut self) {
        let before = self.connection.as_ref().map(|(generation, _)| *generation);
        let status = self.status.borrow_and_update().clone();
        self.open = status.open();
        self.connection = status.usable().map(|(generation, connection)| (generation, connection.clone()));
        let generation = self.connection.as_ref().map(|(generation, _)| *generation);
        if let Some((known, _)) = self.outlet.as_ref().filter(|(known, _)| Some(*known) != generation) {
            self.connection_ended(status.end_of(*known));
        }
        if generation != before {
            self.opening = false;
            self.preparing = FuturesUnordered::new();
            self.silent = None;
            self.needs.anew();
            self.line.call_all();
        }
    }

    /// Hands over what can be handed over.
    fn pump(&mut self) {
        let Some((generation, connection)) = &self.connection else { return };
        let (generation, connection) = (*generation, connection.clone());
        if !self.open || self.opening {
            return;
        }
        self.stuck();
        while let Some(front) = self.line.front() {
            let Some((_, outlet)) = self.outlet.as_ref().filter(|(known, _)| *known == generation) else {
                self.opening = true;
                // A channel that is opened again on the same connection finds everything there, but for what is known
                // to be deleted.
                let lost = match generation > self.restored {
                    true => Some(Lost::Connection),
                    false => self.deleted.then_some(Lost::Exchange),
                };
                let lost = lost.map(|lost| (lost, self.applied.clone()));
                self.preparing.push(open(self.clock.clone(), generation, connection, lost));
                return;
            };
            if self.line.waits_aside(front) {
                self.line.step_aside();
                continue;
            }
            if let Some(need) = front.need().filter(|need| !self.needs.is_made(need)) {
                if !self.needs.is_late(&need) {
                    return self.ask(&need, &connection);
                }
                self.line.step_aside();
                continue;
            }
            // Whoever may close the channel flies alone, so that it is known who did.
            let alone = front.suspect || self.flying.values().next().is_some_and(|entry| entry.suspect);
            if alone && !self.flying.is_empty() {
                return;
            }
            let Some(mut entry) = self.line.pop() else { return };
            self.sequence += 1;
            let publication = encode(&entry.message, self.sequence, &self.clock);
            if let Err(reason) = fits_frame(entry.headers, &publication.properties, outlet.frame_max) {
                entry.tell(PublishOutcome::Rejected(reason));
                continue;
            }
            entry.handed = true;
            self.flights.launch(&outlet.channel, self.sequence, publication, entry.message.body.clone());
            if self.flying.is_empty() {
                self.silent = Some(self.clock.now());
            }
            self.flying.insert(self.sequence, entry);
        }
    }

    /// Lets what the first in line needs be made, and what the others need with it.
    fn ask(&mut self, first: &Need, connection: &Arc<Connection>) {
        if self.needs.is_making(first) {
            return;
        }
        let mut room = MAKING.saturating_sub(self.needs.under_way());
        for need in self.line.needs() {
            if room == 0 {
                return;
            }
            if !self.needs.is_made(&need) && !self.needs.is_making(&need) {
                room -= 1;
                let announced = self.needs.begin(&need);
                self.preparing.push(patience(self.clock.clone(), need.clone()));
                self.preparing.push(make(
                    self.clock.clone(),
                    connection.clone(),
                    need,
                    announced,
                    self.applied.clone(),
                ));
            }
        }
    }

    fn prepared(&mut self, prepared: Prepared) {
        match prepared {
            Prepared::Opened(generation, outlet) => {
                (self.opening, self.restored, self.deleted) = (false, generation, false);
                self.outlet = Some((generation, outlet));
            }
            Prepared::Answers(_, true) => self.silent = Some(self.clock.now()).filter(|_| !self.flying.is_empty()),
            Prepared::Answers(generation, false) => {
                let words =
                    format!("the broker has not answered on it for {} s, but with heartbeats", ANSWER.as_secs());
                // The supervisor is gone only with the transport.
                self.abandoning.send_replace(Some((generation, Refusal::new(Kind::Disconnected, words))));
            }
            Prepared::Late(need) => self.needs.late(&need),
            Prepared::Ensured(need, announced, result) => {
                let counts = self.needs.end(&need, &announced, result.is_ok());
                self.line.call(&need.destination());
                match result {
                    Ok(denied) => self.needs.note(&need, denied),
                    Err(refusal) if counts => self.reject(&need, &refusal),
                    Err(_) => {}
                }
            }
        }
    }

    /// What waits for something that the broker refuses to make fails with its words.
    fn reject(&mut self, need: &Need, refusal: &Refusal) {
        self.line.retain(|entry| {
            let refused = entry.need().as_ref() == Some(need);
            if refused {
                entry.tell(match need {
                    // A binding needs the queue.
                    Need::Delay(_) if refusal.is_missing_queue() => PublishOutcome::Unroutable,
                    _ => PublishOutcome::Rejected(refusal.clone().boxed()),
                });
            }
            !refused
        });
    }

    /// Each message gets an outcome that says whether the broker may have it.
    fn give_up(&mut self, why: &'static str) {
        self.flying.values_mut().for_each(|entry| entry.give_up(why));
        self.lost();
        self.line.retain(|entry| {
            entry.give_up(why);
            false
        });
    }
}

impl Drop for Worker {
    /// What was submitted and not taken over yet has an outcome, too.
    fn drop(&mut self) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Publish(entry) = command {
                self.line.push(entry);
            }
        }
        self.give_up("the transport is gone");
    }
}
