use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{clock::Clock, topology::Topology, transport::PublishOutcome};
use lapin::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Command,
    channel::{Made, Outlet, Prepared, make, open},
    entry::Entry,
    flights::{Flights, Landing},
};
use crate::{
    encode::encode,
    link::{Link, Status},
    refusal::{Kind, Refusal},
    topology::{Applied, Need},
};

/// Messages taken over at once.
const BATCH: usize = 256;
/// Deadlines are looked at no more often.
const SWEEP: Duration = Duration::from_millis(5);
/// After a channel could not be opened although the connection stands.
const PAUSE: Duration = Duration::from_millis(100);

type Preparing = Option<Pin<Box<dyn Future<Output = Prepared> + Send>>>;

/// Sends what was submitted, in order, and tells what became of it.
pub(crate) struct Worker {
    clock: Clock,
    commands: mpsc::UnboundedReceiver<Command>,
    status: watch::Receiver<Status>,
    applied: Arc<Applied>,
    connection: Option<(u64, Arc<Connection>)>,
    /// The broker takes publishes.
    open: bool,
    outlet: Option<(u64, Box<Outlet>)>,
    made: Made,
    announced: HashMap<Arc<str>, Arc<Topology>>,
    /// What lapin does not have.
    waiting: VecDeque<Entry>,
    /// What lapin has, by sequence: in the order of sending.
    flying: BTreeMap<u64, Entry>,
    flights: Flights,
    sequence: u64,
    preparing: Preparing,
    /// No deadline passes before it.
    earliest: Option<Instant>,
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
            applied,
            connection: None,
            open: false,
            outlet: None,
            made: Made::default(),
            announced: HashMap::new(),
            waiting: VecDeque::new(),
            flying: BTreeMap::new(),
            flights: Flights::default(),
            sequence: 0,
            preparing: None,
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
            let earliest = self.earliest.unwrap_or_else(|| clock.now());
            tokio::select! {
                biased;
                changed = self.status.changed(), if watching => match changed {
                    Ok(()) => self.look(),
                    Err(_) => watching = false,
                },
                () = self.flights.landed(&mut landings), if !self.flights.is_empty() => self.land(&mut landings),
                prepared = ready(&mut self.preparing), if self.preparing.is_some() => {
                    self.preparing = None;
                    self.prepared(prepared);
                }
                taken = self.commands.recv_many(&mut batch, BATCH), if taking => {
                    taking = taken > 0;
                    for command in batch.drain(..) {
                        match command {
                            Command::Publish(entry) => self.take(entry),
                            Command::Announce(topic, needs) => self.announced(topic, needs),
                            Command::Drain(done) => self.draining = Some(done),
                            Command::GiveUp => self.give_up("the transport was closed"),
                        }
                    }
                }
                () = clock.sleep_until(earliest), if self.earliest.is_some() => self.sweep(),
            }
            self.pump();
            if self.waiting.is_empty() && self.flying.is_empty() {
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

    fn announced(&mut self, topic: Arc<str>, needs: Arc<Topology>) {
        // It may have been made already, without what is known only now.
        self.forget(&Need::Exchange(topic.clone()));
        self.announced.insert(topic, needs);
    }

    fn take(&mut self, entry: Entry) {
        let deadline = entry.message.deadline;
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        self.waiting.push_back(entry);
    }

    /// Follows the connection.
    fn look(&mut self) {
        let before = self.connection.as_ref().map(|(generation, _)| *generation);
        let status = self.status.borrow_and_update().clone();
        self.open = status.open();
        self.connection = status.usable().map(|(generation, connection)| (generation, connection.clone()));
        let generation = self.connection.as_ref().map(|(generation, _)| *generation);
        if self.outlet.as_ref().is_some_and(|(known, _)| Some(*known) != generation) {
            self.lost();
        }
        if generation != before {
            self.preparing = None;
        }
    }

    /// Hands over what can be handed over.
    fn pump(&mut self) {
        let Some((generation, connection)) = &self.connection else { return };
        let generation = *generation;
        if !self.open || self.preparing.is_some() {
            return;
        }
        while let Some(front) = self.waiting.front() {
            let Some((_, outlet)) = self.outlet.as_ref().filter(|(known, _)| *known == generation) else {
                self.preparing = Some(Box::pin(open(generation, connection.clone())));
                return;
            };
            // Whoever may close the channel flies alone, so that it is known who did.
            let alone = front.suspect || self.flying.values().next().is_some_and(|entry| entry.suspect);
            if alone && !self.flying.is_empty() {
                return;
            }
            let made = self.made.on(generation);
            if front.need().is_some_and(|need| !made.contains(&need)) {
                let mut needs: Vec<Need> = Vec::new();
                for need in self.waiting.iter().filter_map(Entry::need) {
                    if !made.contains(&need) && !needs.contains(&need) {
                        needs.push(need);
                    }
                }
                let needs = needs.into_iter().map(|need| {
                    let announced = match &need {
                        Need::Exchange(topic) => self.announced.get(topic).cloned(),
                        Need::Queue { .. } => None,
                    };
                    (need, announced)
                });
                self.preparing =
                    Some(Box::pin(make(generation, connection.clone(), needs.collect(), self.applied.clone())));
                return;
            }
            let Some(mut entry) = self.waiting.pop_front() else { return };
            self.sequence += 1;
            entry.handed = true;
            let publication = encode(&entry.message, self.sequence);
            self.flights.launch(&outlet.channel, self.sequence, publication, entry.message.body.clone());
            self.flying.insert(self.sequence, entry);
        }
    }

    fn prepared(&mut self, prepared: Prepared) {
        match prepared {
            Prepared::Paused => {}
            Prepared::Opened { generation, result: Ok(outlet) } => self.outlet = Some((generation, outlet)),
            Prepared::Opened { result: Err(refusal), .. } => {
                tracing::debug!(reason = %refusal, "no channel to publish on");
                self.breathe();
            }
            Prepared::Ensured { generation, results } => {
                for (need, result) in results {
                    match result {
                        Ok(()) => {
                            self.made.on(generation).insert(need);
                        }
                        Err(refusal) if refusal.is_answer() => self.reject(&need, &refusal),
                        Err(_) => self.breathe(),
                    }
                }
            }
        }
    }

    /// Tries again a little later, unless the connection turns out to be gone.
    fn breathe(&mut self) {
        let clock = self.clock.clone();
        self.preparing = Some(Box::pin(async move {
            clock.sleep(PAUSE).await;
            Prepared::Paused
        }));
    }

    /// What waits for something that the broker refuses to make fails with its words.
    fn reject(&mut self, need: &Need, refusal: &Refusal) {
        self.waiting.retain_mut(|entry| {
            let refused = entry.need().as_ref() == Some(need);
            if refused {
                entry.tell(PublishOutcome::Rejected(refusal.clone().boxed()));
            }
            !refused
        });
    }

    /// The broker answered, or a channel died.
    fn land(&mut self, landings: &mut Vec<Landing>) {
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
                    entry.tell(match answer.ack {
                        true => PublishOutcome::Confirmed,
                        false => PublishOutcome::Rejected("the broker refused it (basic.nack): a queue is full".into()),
                    });
                    self.flying.remove(&sequence);
                }
                Err(error) => {
                    let refusal = Refusal::from(error);
                    // The channel's own reason says more than that it is closed now.
                    if failure.as_ref().is_none_or(|known| !known.is_answer() && refusal.is_answer()) {
                        failure = Some(refusal);
                    }
                }
            }
        }
        // What a dead channel did not say does not count as said.
        let outstanding = if failure.is_some() { usize::MAX } else { self.flights.len() };
        let mut decided = Vec::new();
        outlet.returns.drained(outstanding, &mut decided);
        for decided in decided {
            if let Some(mut entry) = self.flying.remove(&decided.sequence) {
                match decided.routed {
                    true => entry.tell(PublishOutcome::Confirmed),
                    false => self.unroutable(entry),
                }
            }
        }
        match failure {
            Some(refusal) if self.standing() => self.channel_closed(&refusal),
            Some(_) => self.lost(),
            None => {}
        }
    }

    fn standing(&self) -> bool {
        self.outlet.as_ref().is_some_and(|(_, outlet)| outlet.connection.status().connected())
    }

    /// No queue took it. A queue of ours that somebody deleted is made once more.
    fn unroutable(&mut self, mut entry: Entry) {
        match entry.ensured_queue() {
            Some(queue) if !entry.ensured_again => {
                self.forget(&queue);
                entry.ensured_again = true;
                self.waiting.push_front(entry);
            }
            _ => entry.tell(PublishOutcome::Unroutable),
        }
    }

    fn forget(&mut self, need: &Need) {
        if let Some((generation, _)) = &self.connection {
            self.made.on(*generation).remove(need);
        }
    }

    /// Each message gets an outcome that says whether the broker may have it.
    fn give_up(&mut self, why: &'static str) {
        for entry in self.flying.values_mut().chain(&mut self.waiting) {
            entry.give_up(why);
        }
        self.lost();
        self.waiting.clear();
    }

    /// One of the messages under way closed the channel. If there was but one, it is known which.
    fn channel_closed(&mut self, refusal: &Refusal) {
        self.outlet = None;
        self.flights = Flights::default();
        let mut flown = std::mem::take(&mut self.flying);
        if !refusal.is_answer() {
            // It was closed before any of these: nobody is to blame.
            return self.again(flown, false);
        }
        if refusal.kind() == Kind::Missing {
            // Somebody deleted an exchange: ask for all of them again.
            if let Some((generation, _)) = &self.connection {
                self.made.on(*generation).clear();
            }
        }
        if flown.len() == 1
            && let Some((_, mut entry)) = flown.pop_first()
        {
            if refusal.kind() == Kind::Missing && entry.need().is_some() && !entry.ensured_again {
                entry.ensured_again = true;
                self.waiting.push_front(entry);
            } else {
                entry.tell(PublishOutcome::Rejected(refusal.clone().boxed()));
            }
            return;
        }
        self.again(flown, true);
    }

    /// The connection is gone, and nobody knows what of the messages under way the broker has.
    fn lost(&mut self) {
        self.outlet = None;
        self.flights = Flights::default();
        let flown = std::mem::take(&mut self.flying);
        self.again(flown, false);
    }

    /// Puts what was under way back in front, in order. What nobody waits for any more is let go.
    fn again(&mut self, flown: BTreeMap<u64, Entry>, suspect: bool) {
        for (_, mut entry) in flown.into_iter().rev().filter(|(_, entry)| entry.deadline().is_some()) {
            entry.suspect |= suspect;
            self.waiting.push_front(entry);
        }
    }

    /// Tells the outcome of what is past its deadline. What lapin has keeps its permit: lapin sends it all the
    /// same, and the window would have no bound.
    fn sweep(&mut self) {
        let now = self.clock.now();
        let reason = self.status.borrow().reason();
        let mut earliest: Option<Instant> = None;
        let mut late = |entry: &mut Entry| match entry.deadline() {
            Some(deadline) if deadline <= now => {
                entry.give_up(format!("no answer for {} until the deadline: {reason}", entry.message.to));
                true
            }
            Some(deadline) => {
                earliest = Some(earliest.map_or(deadline, |earliest| earliest.min(deadline)));
                false
            }
            None => false,
        };
        self.waiting.retain_mut(|entry| !late(entry));
        self.flying.values_mut().for_each(|entry| {
            late(entry);
        });
        self.earliest = earliest.map(|earliest| earliest.max(now + SWEEP));
    }
}

async fn ready(preparing: &mut Preparing) -> Prepared {
    match preparing {
        Some(preparing) => preparing.await,
        None => std::future::pending().await,
    }
}

impl Drop for Worker {
    /// What was submitted and not taken over yet has an outcome, too.
    fn drop(&mut self) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Publish(entry) = command {
                self.waiting.push_back(entry);
            }
        }
        self.give_up("the transport is gone");
    }
}
