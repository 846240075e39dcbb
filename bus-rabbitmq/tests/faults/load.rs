//! Numbered messages through both publishers and two consumers in a row, on classic and quorum queues at once.

mod seen;
mod verdict;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{
    Builder, Bus, Error, Message, Retry,
    bus::{Catalog, EndpointBuilder},
    consumer::{Context, Failure},
};
use bus_rabbitmq::{DRIVER, endpoint};
pub(crate) use seen::{Deletion, Place};
use seen::{Seen, Try};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    health::Watch,
    memory::{peak_mb, reset_peak},
    table::Row,
};

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Faults", crate = bus_core)]
pub(crate) struct Numbered {
    pub(crate) number: u32,
}

/// What the first handler makes of one.
#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Faults", crate = bus_core)]
pub(crate) struct Passed {
    pub(crate) number: u32,
}

/// A kind of queue, as the table says it.
pub(crate) const KINDS: [&str; 2] = ["classic", "quorum"];

/// How a load is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Messages for each kind; more if the fault takes longer.
    pub(crate) messages: u32,
    /// How many are sent at once, for each kind.
    pub(crate) senders: u32,
    /// How many are sent, and not handled to the end yet, at the most, for each kind.
    pub(crate) backlog: u32,
    pub(crate) prefetch: u16,
    /// How often the topology is declared again.
    pub(crate) round: Duration,
    /// Queues are deleted: what they do not take then is sent again, with the same id.
    pub(crate) deleting: bool,
}

impl Settings {
    pub(crate) fn new(messages: u32) -> Self {
        let round = Duration::from_secs(60);
        Self { messages, senders: 300, backlog: 3000, prefetch: 100, round, deleting: false }
    }
}

/// What a bus may do wrong at the most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// From the broker's first answer.
    pub(crate) back: Duration,
    /// How often what was in flight may have come again.
    pub(crate) times: usize,
}

impl Bounds {
    /// The promise: two seconds.
    pub(crate) const ONCE: Self = Self { back: Duration::from_secs(2), times: 1 };
}

pub(crate) struct Load {
    pub(crate) bus: Bus,
    pub(crate) health: Watch,
    settings: Settings,
    seen: Arc<Seen>,
    senders: JoinSet<()>,
}

/// How many are sent after the fault at the least.
const AFTER: u32 = 500;

/// How long nothing may happen before the rest counts as lost.
const SILENCE: Duration = Duration::from_secs(20);

/// The same where something is lost in any case.
const SILENCE_OF_DELETED: Duration = Duration::from_secs(3);

/// Between tries to send what a queue did not take.
const AGAIN: Duration = Duration::from_millis(100);

pub(crate) fn builder(url: &str) -> Builder {
    Builder::new(url, Catalog { drivers: vec![&DRIVER], missing: Vec::new() })
        .start_timeout(Duration::from_secs(60))
        .send_timeout(Duration::from_secs(150))
}

/// An endpoint's kind.
pub(crate) fn of_kind(endpoint_builder: EndpointBuilder, kind: &str) -> EndpointBuilder {
    match kind {
        "quorum" => endpoint_builder.with(endpoint().quorum()),
        _ => endpoint_builder,
    }
}

impl Load {
    /// Starts a bus, and sending.
    pub(crate) async fn start(url: &str, settings: Settings) -> Self {
        Self::start_with(builder(url), settings).await
    }

    pub(crate) async fn start_with(builder: Builder, settings: Settings) -> Self {
        reset_peak();
        let seen = Arc::new(Seen::default());
        seen.room.iter().for_each(|room| room.add_permits(settings.backlog as usize));
        let mut builder = builder.topology_round(settings.round);
        for (index, kind) in KINDS.into_iter().enumerate() {
            let first = seen.clone();
            let pass = move |message: Numbered, ctx: Context| {
                let seen = first.clone();
                async move {
                    let began = Instant::now();
                    let passed = ctx.send(&*format!("queue:second-{kind}"), Passed { number: message.number });
                    match settings.deleting {
                        true => passed.confirmed().await?,
                        false => passed.await?,
                    }
                    let run = Try { began, ended: Some(Instant::now()) };
                    seen.note(index, |counts| counts.first(message.number, ctx.message_id(), run));
                    Ok::<_, Failure>(())
                }
            };
            let second = seen.clone();
            let end = move |message: Passed| {
                second.second(index, message.number);
                async { Ok::<_, Failure>(()) }
            };
            let retry = if settings.deleting { Retry::interval(100, AGAIN) } else { Retry::none() };
            let prefetch = settings.prefetch;
            builder = builder
                .endpoint(format!("first-{kind}"), |e| of_kind(e.consumer(pass).prefetch(prefetch).retry(retry), kind))
                .endpoint(format!("second-{kind}"), |e| of_kind(e.consumer(end).prefetch(prefetch), kind));
        }
        let bus = builder.build().unwrap();
        bus.start().await.unwrap();
        let mut senders = JoinSet::new();
        for index in 0..KINDS.len() {
            for _ in 0..settings.senders {
                senders.spawn(send(bus.clone(), seen.clone(), index, settings));
            }
        }
        Self { health: Watch::of(&bus), bus, settings, seen, senders }
    }

    /// Waits until so many were handled to the end, of each kind.
    ///
    /// # Panics
    /// If nothing goes on any more, with what health says.
    pub(crate) async fn handled(&self, count: u32) {
        let enough = |seen: &Seen| seen.kinds.iter().all(|kind| kind.lock().unwrap().second.len() >= count as usize);
        let mut before = 0;
        while tokio::time::timeout(2 * SILENCE, self.seen.until(|seen| enough(seen))).await.is_err() {
            let counts = self.seen.kinds.each_ref().map(|kind| kind.lock().unwrap().second.len());
            let now = counts.iter().sum();
            let stands = std::mem::replace(&mut before, now) == now;
            assert!(!stands, "it stands still: {counts:?} were handled\n{}", self.health.history());
        }
    }

    /// The fault comes now: notes how many it meets in flight, sent or being sent and not handled to the end.
    pub(crate) fn strike(&self) -> Instant {
        for kind in &self.seen.kinds {
            let mut counts = kind.lock().unwrap();
            let flying = counts.flying();
            counts.in_flight = Some(counts.in_flight.map_or(flying, |fewest| fewest.min(flying)));
        }
        Instant::now()
    }

    /// An operator deleted a queue of a kind, and what lay in it.
    pub(crate) fn deleted(&self, kind: usize, deletion: Deletion) {
        self.seen.room[kind].add_permits(deletion.ready as usize);
        self.seen.note(kind, |counts| counts.deletions.push(deletion));
    }

    /// Sends some more, waits for the rest, stops, and judges.
    pub(crate) async fn end(mut self, fault: &str, answered: Instant, bounds: Bounds) -> Vec<Row> {
        for kind in &self.seen.kinds {
            let mut counts = kind.lock().unwrap();
            counts.goal = Some(self.settings.messages.max(counts.next + AFTER));
        }
        self.seen.news.notify_waiters();
        let all = |seen: &Seen| {
            seen.kinds.iter().all(|kind| {
                let counts = kind.lock().unwrap();
                let goal = counts.goal.unwrap_or_default() as usize;
                let enough = counts.second.len() + counts.taken() as usize >= goal && counts.confirmed() == goal;
                // Of what was deleted some may have been sent twice.
                enough && counts.unexplained().is_empty()
            })
        };
        let silence = if self.settings.deleting { SILENCE_OF_DELETED } else { SILENCE };
        let mut before = 0;
        while tokio::time::timeout(silence, self.seen.until(|seen| all(seen))).await.is_err() {
            let now = self.seen.kinds.iter().map(|kind| kind.lock().unwrap().handled()).sum();
            if std::mem::replace(&mut before, now) == now {
                break;
            }
        }
        let well = self.health.well(Duration::from_secs(5)).await;
        let peak_mb = peak_mb();
        self.senders.shutdown().await;
        self.bus.stop().await;
        let rows = KINDS.into_iter().zip(&self.seen.kinds).map(|(queue, counts)| {
            let row = verdict::row(&counts.lock().unwrap(), self.settings, fault, answered, bounds);
            let mut row = Row { queue, peak_mb, ..row };
            if let Err(problem) = &well {
                row.problems.push(format!("not well again: {problem}"));
            }
            row
        });
        let rows: Vec<Row> = rows.collect();
        if rows.iter().any(|row| !row.problems.is_empty()) {
            print!("{}", self.health.history());
        }
        rows
    }
}

async fn send(bus: Bus, seen: Arc<Seen>, index: usize, settings: Settings) {
    let address = format!("queue:first-{}", KINDS[index]);
    loop {
        // A fault is to meet both: sending does not run away from handling.
        seen.room[index].acquire().await.unwrap().forget();
        let number = {
            let counts = &mut *seen.kinds[index].lock().unwrap();
            if counts.goal.is_some_and(|goal| counts.next >= goal) {
                return;
            }
            counts.next += 1;
            counts.next - 1
        };
        let id = Uuid::new_v4();
        loop {
            let began = Instant::now();
            seen.kinds[index].lock().unwrap().sent.insert(number, Try { began, ended: None });
            match bus.send(&*address, Numbered { number }).message_id(id).await {
                Ok(()) => {
                    seen.note(index, |counts| {
                        counts.confirms.note();
                        counts.sent.insert(number, Try { began, ended: Some(Instant::now()) });
                    });
                    break;
                }
                // Nobody has it, the sender knows, and tries again. A quorum queue that is being deleted refuses.
                Err(Error::Unroutable { .. } | Error::Rejected { .. }) if settings.deleting => {
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => {
                    seen.note(index, |counts| counts.errors.push(chain(&error)));
                    break;
                }
            }
        }
    }
}

/// An error with all that is behind it.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}
