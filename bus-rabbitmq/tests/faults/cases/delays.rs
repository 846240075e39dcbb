//! Rounds of redelivery, and what happens to the levels that they wait in.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::consumer::{Context, Failure};
use futures_util::future::join_all;
use lapin::{options::QueueDeleteOptions, types::AMQPValue};
use tokio::task::block_in_place;
use xtask::rabbitmq::Server;

use crate::{
    child::{Child, DELAYS, Handled, Handler, Work},
    health::Watch,
    load::{KINDS, Numbered, builder, of_kind},
    memory::reset_peak,
    stage::Stage,
    table::Row,
    tally::Tally,
};

const SECOND: Duration = Duration::from_secs(1);
/// What was told that long before a kill may not have been settled yet.
const OUT: Duration = SECOND;

/// The process is killed in each delay, and the broker in the last one.
pub(crate) async fn rounds_are_exact_across_kills(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 20;
    const ROUNDS: u32 = DELAYS.len() as u32;
    let mut all = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        let mut work = Work::new(place.url(), kind);
        work.handler = Handler::Fails;
        let handled = Arc::new(Handled::default());
        let child = Child::start(&work, &handled).await;
        let bus = builder(&place.url()).build().unwrap();
        bus.start().await.unwrap();
        let sends = (0..MESSAGES).map(|number| bus.send("queue:q", Numbered { number }).into_future());
        for sent in join_all(sends).await {
            sent.unwrap();
        }
        all.push((place, work, handled, Some(child), bus));
    }
    let mut kills = Vec::new();
    for round in 0..ROUNDS {
        for (_, work, handled, child, _) in &mut all {
            handled.tally.until((MESSAGES * (round + 1)) as usize).await;
            // Most have begun to wait.
            tokio::time::sleep(Duration::from_millis(200)).await;
            block_in_place(|| child.take().map(Child::kill));
            kills.push(Instant::now());
            if round < ROUNDS - 1 {
                *child = Some(Child::start(work, handled).await);
            }
        }
    }
    // The processes are away still, and what waits has not come to the next level yet.
    stage.server(Server::kill);
    let broker_killed = Instant::now();
    stage.server(|server| server.start_again().unwrap());
    for (_, work, handled, child, _) in &mut all {
        *child = Some(Child::start(work, handled).await);
    }
    let mut rows = Vec::new();
    for (place, work, handled, child, bus) in all {
        let all = tokio::time::timeout(20 * SECOND, handled.tally.until((MESSAGES * (ROUNDS + 1)) as usize)).await;
        place.until_ready("q_error", MESSAGES).await;
        bus.stop().await;
        drop(child);
        let aside = place.taken("q_error").await;
        let mut runs: BTreeMap<(u32, u32), Vec<Instant>> = BTreeMap::new();
        for (at, told) in &*handled.order.lock().unwrap() {
            runs.entry((told / 10, told % 10)).or_default().push(*at);
        }
        let mut row = handled.tally.row("killed in each delay, and the broker", work.kind, runs.len());
        (row.sent, row.received) = (MESSAGES as usize, aside.len().min(MESSAGES as usize));
        row.lost = row.sent - row.received;
        row.expect(all.is_ok(), "not every round was run");
        let expected: Vec<_> =
            (0..MESSAGES).flat_map(|number| (0..=ROUNDS).map(move |round| (number, round))).collect();
        row.expect(runs.keys().copied().eq(expected), format!("rounds were {:?}", runs.keys()));
        for ((number, round), times) in &runs {
            // One for each of the round before, and one more for each kill that a run was out at.
            let before = round.checked_sub(1).map_or(1, |before| runs.get(&(*number, before)).map_or(0, Vec::len));
            let out = |kill: &&Instant| times.iter().any(|at| at <= *kill && **kill - *at < OUT);
            // On a slow machine it has: what a level hands over while its broker is killed it may hand over again.
            let since = |at: &Instant| *at + DELAYS[2] / 2 < broker_killed;
            let moved = *round == ROUNDS && runs.get(&(*number, 2)).is_some_and(|times| times.iter().any(since));
            let allowed = before + kills.iter().filter(out).count() + usize::from(moved);
            row.expect(times.len() <= allowed, format!("round {round} of {number} ran {} times", times.len()));
        }
        let numbers: HashMap<u32, usize> = aside.iter().fold(HashMap::new(), |mut numbers, delivery| {
            let body: serde_json::Value = serde_json::from_slice(&delivery.data).unwrap();
            *numbers.entry(body["message"]["number"].as_u64().unwrap() as u32).or_default() += 1;
            numbers
        });
        row.expect(numbers.len() == MESSAGES as usize, format!("{} are in `_error`", numbers.len()));
        for (number, copies) in &numbers {
            let ran = runs.get(&(*number, ROUNDS)).map_or(0, Vec::len);
            row.expect(*copies <= ran, format!("{number} is in `_error` {copies} times, and ran {ran} times"));
        }
        let counts: Vec<_> = aside.iter().map(count).collect();
        let exact = counts.iter().all(|count| *count == Some(i64::from(ROUNDS)));
        row.expect(exact, format!("the rounds in `_error` are {counts:?}"));
        rows.push(row);
    }
    rows
}

/// The rounds that a message made.
fn count(delivery: &lapin::message::BasicGetMessage) -> Option<i64> {
    match delivery.properties.headers().as_ref()?.inner().get("MT-Redelivery-Count")? {
        AMQPValue::LongInt(count) => Some((*count).into()),
        AMQPValue::LongLongInt(count) => Some(*count),
        AMQPValue::LongString(count) => count.to_string().parse().ok(),
        _ => None,
    }
}

/// The longest delay that can be asked for.
pub(crate) async fn a_year_outlasts_a_killed_broker(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 10;
    const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
    /// The highest power of two in it.
    const LEVEL: &str = "bus-delay-level-24";
    let place = stage.place();
    reset_peak();
    let tally = Arc::new(Tally::default());
    let counts = tally.clone();
    let fail = |_: Numbered| async { Err::<(), _>(Failure::from("it always fails")) };
    let fail_once = move |message: Numbered, ctx: Context| {
        let counts = counts.clone();
        async move {
            if ctx.redelivery_count() == 0 {
                return Err(Failure::from("the first round fails"));
            }
            counts.note(message.number);
            Ok(())
        }
    };
    let bus = builder(&place.url())
        .endpoint("year", |e| e.consumer(fail).redeliver([YEAR]))
        .endpoint("second", |e| e.consumer(fail_once).redeliver([SECOND]))
        .build()
        .unwrap();
    bus.start().await.unwrap();
    for number in 0..MESSAGES {
        bus.send("queue:year", Numbered { number }).await.unwrap();
    }
    let before = place.until_ready(LEVEL, MESSAGES).await;
    // RabbitMQ 3.10 finds a quorum queue no more that was declared less than half a second before it is killed.
    tokio::time::sleep(SECOND).await;
    stage.server(Server::kill);
    stage.server(|server| server.start_again().unwrap());
    for number in 0..MESSAGES {
        bus.send("queue:second", Numbered { number }).await.unwrap();
    }
    let short = tokio::time::timeout(10 * SECOND, tally.until(MESSAGES as usize)).await;
    let after = place.until_ready(LEVEL, MESSAGES).await;
    let (year, aside) = (place.ready("year").await, place.ready("year_error").await.unwrap_or_default());
    bus.stop().await;
    let mut row = tally.row("a delay of 366 days, broker killed", "classic", MESSAGES as usize);
    row.expect((before, after) == (MESSAGES, MESSAGES), format!("{before} and then {after} waited"));
    row.expect((year, aside) == (Some(0), 0), format!("{year:?} came back, and {aside} are in `_error`"));
    row.expect(short.is_ok(), "a delay of a second was not over in time");
    vec![row]
}

/// What waited in it is gone with it: nothing else is.
pub(crate) async fn a_level_is_deleted(stage: &mut Stage) -> Vec<Row> {
    const EACH: u32 = 20;
    let place = stage.place();
    reset_peak();
    let tally = Arc::new(Tally::default());
    let fail_once = |counts: Arc<Tally>| {
        move |message: Numbered, ctx: Context| {
            let counts = counts.clone();
            async move {
                if ctx.redelivery_count() == 0 {
                    return Err(Failure::from("the first round fails"));
                }
                counts.note(message.number);
                Ok(())
            }
        }
    };
    let (two, four) = (fail_once(tally.clone()), fail_once(tally.clone()));
    let bus = builder(&place.url())
        .endpoint("two", |e| e.consumer(two).redeliver([2 * SECOND]))
        .endpoint("four", |e| of_kind(e.consumer(four), "quorum").redeliver([4 * SECOND]))
        .build()
        .unwrap();
    bus.start().await.unwrap();
    let watch = Watch::of(&bus);
    let send = |queue: &'static str, numbers: std::ops::Range<u32>| {
        let sends: Vec<_> = numbers.map(|number| bus.send(queue, Numbered { number }).into_future()).collect();
        async { join_all(sends).await.into_iter().for_each(|sent| sent.unwrap()) }
    };
    send("queue:four", 0..EACH).await;
    send("queue:two", EACH..2 * EACH).await;
    place.until_ready("bus-delay-level-01", EACH).await;
    let connection = place.connection().await;
    let channel = connection.create_channel().await.unwrap();
    let deleted = channel.queue_delete("bus-delay-level-01".into(), QueueDeleteOptions::default()).await.unwrap();
    // Those of the other level wait on, and later ones make the deleted one anew.
    send("queue:two", 2 * EACH..3 * EACH).await;
    let rest = tokio::time::timeout(15 * SECOND, tally.until((3 * EACH - deleted) as usize)).await;
    let well = watch.well(SECOND).await;
    bus.stop().await;
    let mut row = tally.row("a level deleted with what waits", "both", 3 * EACH as usize);
    row.problems.clear();
    row.expect(deleted == EACH, format!("{deleted} lay in the level"));
    row.expect(rest.is_ok() && row.lost == deleted as usize, format!("{} came", row.received));
    let others = (0..EACH).chain(2 * EACH..3 * EACH).filter(|number| tally.has(*number)).count();
    row.expect(others == 2 * EACH as usize, format!("{others} of the others came"));
    row.expect(row.duplicated == 0, "some came twice");
    row.expect(well.is_ok(), format!("health said {well:?}"));
    vec![row]
}
