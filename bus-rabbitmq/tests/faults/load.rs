//! Numbered messages through both publishers and two consumers in a row, on classic and quorum queues at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bus_core::{
    Builder, Bus, Error, Message,
    bus::{Catalog, EndpointBuilder},
    consumer::{Context, Failure},
};
use bus_rabbitmq::{DRIVER, endpoint};
use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, task::JoinSet};

use crate::{health::Watch, table::Row};

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
    pub(crate) prefetch: u16,
}

impl Settings {
    pub(crate) fn new(messages: u32) -> Self {
        Self { messages, senders: 100, prefetch: 100 }
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

#[derive(Default)]
struct Seen {
    kinds: [Mutex<Counts>; 2],
    news: Notify,
}

#[derive(Default)]
struct Counts {
    next: u32,
    /// So many are sent; none says that it goes on and on.
    goal: Option<u32>,
    paused: bool,
    /// How many are being sent.
    sending: u32,
    /// How many of them the fault itself took.
    taken: u32,
    confirmed: usize,
    /// How often each number was handled by the first and the second consumer.
    first: HashMap<u32, u32>,
    second: HashMap<u32, u32>,
    /// When anything was handled, by either of them, and when anything was confirmed.
    handled: Vec<Instant>,
    confirms: Vec<Instant>,
    errors: Vec<String>,
}

/// How many are sent, and not handled to the end yet, at the most.
const BACKLOG: u32 = 500;

/// How many are sent after the fault at the least.
const AFTER: u32 = 500;

/// How long nothing may happen before the rest counts as lost.
const SILENCE: Duration = Duration::from_secs(20);

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
        reset_peak();
        let seen = Arc::new(Seen::default());
        let mut builder = builder(url);
        for (index, kind) in KINDS.into_iter().enumerate() {
            let first = seen.clone();
            let pass = move |message: Numbered, ctx: Context| {
                let seen = first.clone();
                async move {
                    ctx.send(&*format!("queue:second-{kind}"), Passed { number: message.number }).await?;
                    seen.note(index, |counts| *counts.first.entry(message.number).or_default() += 1);
                    Ok::<_, Failure>(())
                }
            };
            let second = seen.clone();
            let end = move |message: Passed| {
                second.note(index, |counts| *counts.second.entry(message.number).or_default() += 1);
                async { Ok::<_, Failure>(()) }
            };
            builder = builder
                .endpoint(format!("first-{kind}"), |e| of_kind(e.consumer(pass).prefetch(settings.prefetch), kind))
                .endpoint(format!("second-{kind}"), |e| of_kind(e.consumer(end).prefetch(settings.prefetch), kind));
        }
        let bus = builder.build().unwrap();
        bus.start().await.unwrap();
        let mut senders = JoinSet::new();
        for index in 0..KINDS.len() {
            for _ in 0..settings.senders {
                senders.spawn(send(bus.clone(), seen.clone(), index));
            }
        }
        Self { health: Watch::of(&bus), bus, settings, seen, senders }
    }

    /// Waits until so many were handled to the end, of each kind.
    pub(crate) async fn handled(&self, count: u32) {
        let enough = |seen: &Seen| seen.kinds.iter().all(|kind| kind.lock().unwrap().second.len() >= count as usize);
        self.seen.until(|seen| enough(seen)).await;
    }

    /// The fault itself took so many of a kind: an operator deleted them.
    pub(crate) fn taken(&self, kind: usize, messages: u32) {
        self.seen.kinds[kind].lock().unwrap().taken += messages;
        self.seen.news.notify_waiters();
    }

    /// Waits until nothing is being sent, and lets nothing be sent.
    pub(crate) async fn pause(&self) {
        self.seen.kinds.iter().for_each(|kind| kind.lock().unwrap().paused = true);
        self.seen.until(|seen| seen.kinds.iter().all(|kind| kind.lock().unwrap().sending == 0)).await;
    }

    pub(crate) fn resume(&self) {
        self.seen.kinds.iter().for_each(|kind| kind.lock().unwrap().paused = false);
        self.seen.news.notify_waiters();
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
                counts.second.len() + counts.taken as usize >= goal && counts.confirmed == goal
            })
        };
        let mut before = 0;
        while tokio::time::timeout(SILENCE, self.seen.until(|seen| all(seen))).await.is_err() {
            let now = self.seen.kinds.iter().map(|kind| kind.lock().unwrap().handled.len()).sum();
            if std::mem::replace(&mut before, now) == now {
                break;
            }
        }
        let well = self.health.well(Duration::from_secs(5)).await;
        let peak_mb = peak_mb();
        self.senders.shutdown().await;
        self.bus.stop().await;
        let rows = KINDS.into_iter().enumerate().map(|(index, queue)| {
            let counts = self.seen.kinds[index].lock().unwrap();
            let total = counts.goal.unwrap_or_default() as usize;
            let again = |seen: &HashMap<u32, u32>| seen.values().map(|times| *times as usize - 1).sum::<usize>();
            let (first, second) = (again(&counts.first), again(&counts.second));
            let back = |times: &[Instant]| times.iter().find(|at| **at >= answered).map(|at| *at - answered);
            let (handled, confirmed) = (back(&counts.handled), back(&counts.confirms));
            let back = handled.zip(confirmed).map(|(handled, confirmed)| handled.max(confirmed));
            let mut row = Row {
                fault: fault.to_owned(),
                queue,
                sent: counts.confirmed,
                received: counts.second.len(),
                lost: total - counts.second.len(),
                duplicated: first + second,
                back: back.map(|back| back.as_secs_f64()),
                peak_mb,
                problems: counts.errors.iter().take(2).cloned().collect(),
            };
            let prefetch = usize::from(self.settings.prefetch);
            let at_first = bounds.times * (prefetch + self.settings.senders as usize);
            // Each that is handled again is sent again; beside those what was on its way, and what was not settled.
            let at_second = first + bounds.times * 2 * prefetch;
            let taken = counts.taken as usize;
            row.expect(row.lost <= taken, format!("{} lost, not {taken}", total - row.received));
            row.expect(counts.confirmed == total, format!("{} of {total} were sent", counts.confirmed));
            row.expect(first <= at_first, format!("{first} came twice at the first, more than {at_first}"));
            row.expect(second <= at_second, format!("{second} came twice at the second, more than {at_second}"));
            row.expect(
                back.is_some_and(|back| back <= bounds.back),
                format!("back after {back:?} (handled {handled:?}, confirmed {confirmed:?}), not {:?}", bounds.back),
            );
            if let Err(problem) = &well {
                row.problems.push(format!("not well again: {problem}"));
            }
            row
        });
        rows.collect()
    }
}

impl Seen {
    fn note(&self, kind: usize, note: impl FnOnce(&mut Counts)) {
        {
            let mut counts = self.kinds[kind].lock().unwrap();
            note(&mut counts);
            counts.handled.push(Instant::now());
        }
        self.news.notify_waiters();
    }

    async fn until(&self, mut is: impl FnMut(&Self) -> bool) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if is(self) {
                return;
            }
            news.await;
        }
    }
}

async fn send(bus: Bus, seen: Arc<Seen>, index: usize) {
    let address = format!("queue:first-{}", KINDS[index]);
    loop {
        // A fault is to meet both: sending does not run away from handling.
        let mut number = None;
        let mut done = false;
        seen.until(|seen| {
            let counts = &mut *seen.kinds[index].lock().unwrap();
            done = counts.goal.is_some_and(|goal| counts.next >= goal);
            if !done && !counts.paused && counts.next < counts.second.len() as u32 + counts.taken + BACKLOG {
                number = Some(counts.next);
                counts.next += 1;
                counts.sending += 1;
            }
            done || number.is_some()
        })
        .await;
        let Some(number) = number else { return };
        let sent = loop {
            match bus.send(&*address, Numbered { number }).await {
                // Nobody has it, the sender knows, and tries again. A quorum queue that is being deleted refuses.
                Err(Error::Unroutable { .. } | Error::Rejected { .. }) => {}
                sent => break sent,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        {
            let mut counts = seen.kinds[index].lock().unwrap();
            counts.sending -= 1;
            match sent {
                Ok(_) => {
                    counts.confirmed += 1;
                    counts.confirms.push(Instant::now());
                }
                Err(error) => counts.errors.push(chain(&error)),
            }
        }
        seen.news.notify_waiters();
    }
}

pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

/// Linux forgets the highest resident memory so far.
pub(crate) fn reset_peak() {
    // Elsewhere the peak is that of the whole run.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

pub(crate) fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1024
}
