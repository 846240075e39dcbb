//! The broker takes no messages, and gives those that it has.

use std::{
    collections::{HashMap, HashSet},
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bus_core::{
    Bus,
    consumer::{Context, Failure},
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    health::Watch,
    load::{Bounds, KINDS, Load, Numbered, Passed, Settings, builder, of_kind},
    stage::{Place, Stage},
    table::Row,
    tally::Tally,
};

const MESSAGES: u32 = 5000;

/// How long the impatient try to send.
const PATIENCE: Duration = Duration::from_secs(3);
/// What waits for each of their handlers, and for those that send nothing.
const WAITING: u32 = 100;
const QUIET: u32 = 1000;

pub(crate) async fn it_raises_a_memory_alarm(stage: &mut Stage) -> Vec<Row> {
    let (place, other) = (stage.place(), stage.place());
    let messages = stage.messages(MESSAGES);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    let impatient = Impatient::start(&other).await;
    load.handled(messages / 3).await;
    let raised = load.strike();
    stage.server(|server| server.control(&["set_vm_memory_high_watermark", "absolute", "1"]).unwrap());
    let complaint = load.health.complains(raised, "blocked by the broker").await;
    impatient.begin();
    let standing = Duration::from_secs(if stage.soak() { 180 } else { 30 });
    let quiet = impatient.quiet(&other, raised + standing).await;
    tokio::time::sleep_until((raised + standing).into()).await;
    let still = stage.server(|server| server.control(&["eval", "rabbit_alarm:get_alarms()."]).unwrap());
    let cleared = Instant::now();
    stage.server(|server| server.control(&["set_vm_memory_high_watermark", "0.4"]).unwrap());
    let bounds = Bounds { back: Bounds::ONCE.back + cleared.elapsed(), times: 0 };
    let mut rows = load.end("memory alarm", cleared, bounds).await;
    rows[0].expect(complaint.is_some(), "health did not say so");
    rows[0].expect(still.contains("resource_limit"), format!("the alarm did not last: {still}"));
    rows.extend(quiet);
    rows.extend(impatient.end(&other, standing).await);
    rows
}

pub(crate) async fn it_raises_a_disk_alarm(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    load.handled(messages / 3).await;
    let raised = load.strike();
    stage.server(|server| server.control(&["set_disk_free_limit", "1000000GB"]).unwrap());
    let complaint = load.health.complains(raised, "blocked by the broker").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let cleared = Instant::now();
    stage.server(|server| server.control(&["set_disk_free_limit", "50MB"]).unwrap());
    let bounds = Bounds { back: Bounds::ONCE.back + cleared.elapsed(), times: 0 };
    let mut rows = load.end("disk alarm", cleared, bounds).await;
    rows[0].expect(complaint.is_some(), "health did not say so");
    rows
}

/// A bus whose sends give up sooner than the alarm, and whose handlers wait until it is raised.
struct Impatient {
    bus: Bus,
    health: Watch,
    begin: watch::Sender<bool>,
    kinds: Vec<(&'static str, Arc<Handlers>)>,
}

#[derive(Default)]
struct Handlers {
    /// Runs of those that only hand over what they send, and of those that wait for the confirm.
    plain: Tally,
    confirmed: Tally,
    /// Of those that send nothing.
    quiet: Tally,
    /// What came of the first two, by number, with the ids that it came under.
    came: [Mutex<HashMap<u32, Vec<Option<Uuid>>>>; 2],
}

impl Impatient {
    async fn start(place: &Place) -> Self {
        let begin = watch::Sender::new(false);
        let mut builder = builder(&place.url()).send_timeout(PATIENCE);
        let mut kinds = Vec::new();
        for kind in KINDS {
            let handlers = Arc::new(Handlers::default());
            kinds.push((kind, handlers.clone()));
            for (index, name) in ["plain", "confirmed"].into_iter().enumerate() {
                let (notes, begun) = (handlers.clone(), begin.subscribe());
                let pass = move |message: Numbered, ctx: Context| {
                    let (notes, mut begun) = (notes.clone(), begun.clone());
                    async move {
                        let _ = begun.wait_for(|begun| *begun).await;
                        let sent = ctx.send(&*format!("queue:of-{name}-{kind}"), Passed { number: message.number });
                        match name {
                            "plain" => {
                                notes.plain.note(message.number);
                                sent.into_future().await?;
                            }
                            _ => {
                                notes.confirmed.note(message.number);
                                sent.confirmed().await?;
                            }
                        }
                        Ok::<_, Failure>(())
                    }
                };
                let notes = handlers.clone();
                let come = move |message: Passed, ctx: Context| {
                    let mut came = notes.came[index].lock().unwrap();
                    came.entry(message.number).or_default().push(ctx.message_id());
                    async { Ok::<_, Failure>(()) }
                };
                builder = builder
                    .endpoint(format!("{name}-{kind}"), |e| of_kind(e.consumer(pass).prefetch(50), kind))
                    .endpoint(format!("of-{name}-{kind}"), |e| of_kind(e.consumer(come), kind));
            }
            let begun = begin.subscribe();
            let end = move |message: Numbered| {
                let (notes, mut begun) = (handlers.clone(), begun.clone());
                async move {
                    let _ = begun.wait_for(|begun| *begun).await;
                    notes.quiet.note(message.number);
                    Ok::<_, Failure>(())
                }
            };
            builder = builder.endpoint(format!("quiet-{kind}"), |e| of_kind(e.consumer(end).prefetch(50), kind));
        }
        let bus = builder.build().unwrap();
        bus.start().await.unwrap();
        for kind in KINDS {
            for (name, messages) in [("plain", WAITING), ("confirmed", WAITING), ("quiet", QUIET)] {
                let to = format!("queue:{name}-{kind}");
                let sends = (0..messages).map(|number| bus.send(&*to, Numbered { number }).into_future());
                futures_util::future::try_join_all(sends).await.unwrap();
            }
        }
        Self { health: Watch::of(&bus), bus, begin, kinds }
    }

    fn begin(&self) {
        self.begin.send_replace(true);
    }

    /// What sends nothing goes on: by `deadline` all of it is handled, and the broker has the acknowledgements.
    async fn quiet(&self, place: &Place, deadline: Instant) -> Vec<Row> {
        let mut rows = Vec::new();
        for (kind, handlers) in &self.kinds {
            // The API says it late.
            let left = || place.get(&format!("queues/{}/quiet-{kind}", place.name()))?["messages"].as_u64();
            while (handlers.quiet.distinct() < QUIET as usize || left() != Some(0)) && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let (left, blocked) = (left(), self.says_blocked());
            let mut row = handlers.quiet.row("memory alarm, nothing to send", kind, QUIET as usize);
            row.expect(left == Some(0), format!("{left:?} are not acknowledged"));
            row.expect(row.duplicated == 0, "some came twice");
            row.expect(blocked, "its connection for publishing was not blocked");
            rows.push(row);
        }
        rows
    }

    fn says_blocked(&self) -> bool {
        self.bus.health().connection.is_some_and(|why| why.contains("blocked"))
    }

    /// Judges what gave up sending again and again.
    async fn end(self, place: &Place, standing: Duration) -> Vec<Row> {
        let all = |handlers: &Handlers| handlers.came.iter().all(|came| came.lock().unwrap().len() == WAITING as usize);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.kinds.iter().all(|(_, handlers)| all(handlers)) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let well = self.health.well(Duration::from_secs(5)).await;
        self.bus.stop().await;
        let mut rows = Vec::new();
        // One run for each deadline that passes, one before the alarm was noticed, and the one that succeeds.
        let most = standing.as_secs() / PATIENCE.as_secs() + 2;
        for (kind, handlers) in &self.kinds {
            for (index, (name, runs)) in
                [("plain", &handlers.plain), ("confirmed", &handlers.confirmed)].into_iter().enumerate()
            {
                let errors = place.ready(&format!("{name}-{kind}_error")).await;
                let came = handlers.came[index].lock().unwrap();
                let ids: HashMap<u32, HashSet<_>> = came.iter().map(|(of, ids)| (*of, ids.iter().collect())).collect();
                let most_ids = ids.values().map(HashSet::len).max().unwrap_or_default();
                let mut row = runs.row(&format!("memory alarm, {name} sends for 3 s"), kind, WAITING as usize);
                row.received = came.len();
                row.lost = WAITING as usize - came.len();
                row.duplicated = came.values().map(|ids| ids.len() - 1).sum();
                row.expect(row.lost == 0, format!("{} of what handlers sent did not come", row.lost));
                row.expect(errors.unwrap_or_default() == 0, format!("{errors:?} in the error queue"));
                let again = runs.again();
                if name == "plain" {
                    row.expect(again == 0, format!("{again} handlers ran again that had succeeded"));
                    row.expect(most_ids == 1, format!("one came under {most_ids} ids"));
                } else {
                    row.expect(again > 0, "no handler was told that its send had not succeeded");
                    let runs = again as u64 + u64::from(WAITING);
                    row.expect(runs <= u64::from(WAITING) * most, format!("{runs} runs in {standing:?}"));
                    row.expect(most_ids as u64 <= most, format!("one came under {most_ids} ids"));
                }
                if let Err(problem) = &well {
                    row.problems.push(format!("not well again: {problem}"));
                }
                rows.push(row);
            }
        }
        rows
    }
}
