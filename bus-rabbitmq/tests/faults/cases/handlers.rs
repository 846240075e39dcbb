//! What handlers do, and what happens to what they failed at.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use bus_core::{Retry, consumer::Failure};
use bus_rabbitmq::endpoint;
use futures_util::future::join_all;
use tokio::sync::{Barrier, watch};
use xtask::{Relay, rabbitmq::Server};

use crate::{
    health::Watch,
    load::{KINDS, Numbered, builder, of_kind},
    memory::reset_peak,
    raw,
    stage::{Place, Stage},
    table::Row,
    tally::Tally,
};

/// Sends numbers to `queue:q`, all at once.
async fn send(bus: &bus_core::Bus, numbers: std::ops::Range<u32>) {
    for sent in join_all(numbers.map(|number| bus.send("queue:q", Numbered { number }).into_future())).await {
        sent.unwrap();
    }
}

pub(crate) async fn a_thousand_panic(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 1000;
    const CONCURRENCY: u16 = 16;
    // A thousand backtraces help nobody.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        reset_peak();
        let (tally, tried, meeting) =
            (Arc::new(Tally::default()), Arc::new(Tally::default()), Arc::new(Barrier::new(CONCURRENCY.into())));
        let (counts, tries, meets) = (tally.clone(), tried.clone(), meeting.clone());
        let handle = move |message: Numbered| {
            let (counts, tries, meets) = (counts.clone(), tries.clone(), meets.clone());
            async move {
                if message.number >= MESSAGES {
                    // As many as there are places have to be here at once.
                    meets.wait().await;
                } else {
                    assert!(tries.note(message.number) > 1, "the first attempt panics");
                }
                counts.note(message.number);
                Ok::<_, Failure>(())
            }
        };
        let configured = |e: bus_core::bus::EndpointBuilder| {
            of_kind(e.consumer(handle).concurrency(CONCURRENCY).retry(Retry::immediate(1)), kind)
        };
        let bus = builder(&place.url()).endpoint("q", configured).build().unwrap();
        bus.start().await.unwrap();
        send(&bus, 0..MESSAGES).await;
        tally.until(MESSAGES as usize).await;
        send(&bus, MESSAGES..MESSAGES + u32::from(CONCURRENCY)).await;
        let total = MESSAGES as usize + usize::from(CONCURRENCY);
        let concurrent = tokio::time::timeout(Duration::from_secs(20), tally.until(total)).await.is_ok();
        bus.stop().await;
        let mut row = tally.row("1 000 panics", kind, total);
        row.expect(concurrent, "fewer places than before");
        row.expect(row.duplicated == 0, "some came twice");
        rows.push(row);
    }
    std::panic::set_hook(hook);
    rows
}

/// A stop waits for its deadline, and gives everything back.
pub(crate) async fn one_never_returns(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 10;
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        reset_peak();
        let (tally, begun) = (Arc::new(Tally::default()), Arc::new(Tally::default()));
        let begins = begun.clone();
        let never = move |message: Numbered| {
            begins.note(message.number);
            std::future::pending::<Result<(), Failure>>()
        };
        let counts = tally.clone();
        let count = move |message: Numbered| {
            counts.note(message.number);
            async { Ok::<_, Failure>(()) }
        };
        let bus = builder(&place.url())
            .stop_timeout(PATIENCE)
            .endpoint("q", |e| of_kind(e.consumer(never).prefetch(MESSAGES as u16).concurrency(1), kind))
            .build()
            .unwrap();
        bus.start().await.unwrap();
        send(&bus, 0..MESSAGES).await;
        begun.until(1).await;
        let stopping = Instant::now();
        bus.stop().await;
        let stopped = stopping.elapsed();
        let ready = place.ready("q").await;
        let bus = builder(&place.url()).endpoint("q", |e| of_kind(e.consumer(count), kind)).build().unwrap();
        bus.start().await.unwrap();
        tally.until(MESSAGES as usize).await;
        bus.stop().await;
        let mut row = tally.row("a handler never returns, and a stop", kind, MESSAGES as usize);
        row.expect(begun.distinct() == 1, "more were begun than there is room for");
        row.expect(ready == Some(MESSAGES), format!("{ready:?} were back after the stop"));
        row.expect(stopped <= PATIENCE + Duration::from_secs(3), format!("the stop took {stopped:?}"));
        rows.push(row);
    }
    rows
}

/// A quorum queue counts deliveries, and deletes a message after twenty: those that wait behind the hanging one survive.
pub(crate) async fn one_hangs_while_its_connection_is_cut_25_times_at_a_delivery_limit_of_20(
    stage: &mut Stage,
) -> Vec<Row> {
    const MESSAGES: u32 = 32;
    const CUTS: usize = 25;
    let place = stage.place();
    reset_peak();
    let relay = Relay::to(&*place.broker);
    let (begun, done) = (Arc::new(Tally::default()), Arc::new(Tally::default()));
    let (open, gate) = watch::channel(false);
    let (begins, ends) = (begun.clone(), done.clone());
    let handle = move |message: Numbered| {
        let (begins, ends, mut gate) = (begins.clone(), ends.clone(), gate.clone());
        async move {
            begins.note(message.number);
            gate.wait_for(|open| *open).await.map_err(|_| "the case is over")?;
            ends.note(message.number);
            Ok::<_, Failure>(())
        }
    };
    let limited = endpoint().quorum().argument("x-delivery-limit", 20);
    let bus = builder(&place.url_through(&relay, 10))
        .endpoint("q", |e| e.consumer(handle).prefetch(2 * MESSAGES as u16).concurrency(1).with(limited))
        .build()
        .unwrap();
    bus.start().await.unwrap();
    send(&bus, 0..MESSAGES).await;
    begun.until(1).await;
    for _ in 0..CUTS {
        // What was copied when it came is out again.
        tokio::time::sleep(Duration::from_millis(200)).await;
        relay.cut();
        tokio::time::sleep(Duration::from_millis(200)).await;
        while place.ready("q").await != Some(0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let before = begun.distinct();
    open.send(true).unwrap();
    // What is lost fails the row.
    let _ = tokio::time::timeout(Duration::from_secs(20), done.until(MESSAGES as usize)).await;
    bus.stop().await;
    let mut row = done.row("cut 25 × under a hanging handler, delivery limit 20", "quorum", MESSAGES as usize);
    row.expect(before == 1, format!("{before} were begun while one hung"));
    vec![row]
}

/// A thousand acknowledgements for a connection that is no more: they come to nothing, and the messages again.
pub(crate) async fn they_finish_on_a_cut_connection(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 1000;
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        reset_peak();
        let relay = Relay::to(&*place.broker);
        let (begun, done) = (Arc::new(Tally::default()), Arc::new(Tally::default()));
        let (open, gate) = watch::channel(false);
        let (begins, ends) = (begun.clone(), done.clone());
        let handle = move |message: Numbered| {
            let (begins, ends, mut gate) = (begins.clone(), ends.clone(), gate.clone());
            async move {
                begins.note(message.number);
                gate.wait_for(|open| *open).await.map_err(|_| "the case is over")?;
                ends.note(message.number);
                Ok::<_, Failure>(())
            }
        };
        let bus = builder(&place.url_through(&relay, 10))
            .endpoint("q", |e| of_kind(e.consumer(handle).prefetch(MESSAGES as u16), kind))
            .build()
            .unwrap();
        bus.start().await.unwrap();
        send(&bus, 0..MESSAGES).await;
        begun.until(MESSAGES as usize).await;
        relay.cut();
        open.send(true).unwrap();
        let answered = raw::answers(&place.broker).await;
        done.until_all(MESSAGES as usize, 2).await;
        let back = answered.elapsed();
        let health = Watch::of(&bus);
        let well = health.well(Duration::from_secs(5)).await;
        let steady = Instant::now();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let complaint = health.complained(steady);
        bus.stop().await;
        let mut row = done.row("1 000 acks on a cut connection", kind, MESSAGES as usize);
        row.back = Some(back.as_secs_f64());
        row.expect(row.duplicated <= MESSAGES as usize, "more came twice than were out");
        row.expect(well.is_ok() && complaint.is_none(), format!("not well again: {well:?} {complaint:?}"));
        let left = place.ready("q").await;
        row.expect(left == Some(0), format!("{left:?} are left in the queue"));
        rows.push(row);
    }
    rows
}

const USUAL_CONSUMER_TIMEOUT: Duration = Duration::from_secs(1800);

fn set_consumer_timeout(stage: &mut Stage, timeout: Duration) {
    let set = format!("application:set_env(rabbit, consumer_timeout, {}).", timeout.as_millis());
    stage.server(|server| server.control(&["eval", &set]).unwrap());
}

/// Deep prefetch, slow handlers: the broker closes the channel over and over, and all is handled all the same.
pub(crate) async fn they_hold_messages_longer_than_the_broker_allows(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 20;
    const EACH: Duration = Duration::from_millis(500);
    set_consumer_timeout(stage, Duration::from_secs(5));
    let (place, mut rows) = (stage.place(), Vec::new());
    reset_peak();
    let works = KINDS.map(|kind| {
        let url = place.url();
        async move {
            let tally = Arc::new(Tally::default());
            let counts = tally.clone();
            let handle = move |message: Numbered| {
                let counts = counts.clone();
                async move {
                    tokio::time::sleep(EACH).await;
                    counts.note(message.number);
                    Ok::<_, Failure>(())
                }
            };
            let queue = format!("q-{kind}");
            let bus = builder(&url)
                .endpoint(queue.clone(), |e| of_kind(e.consumer(handle).prefetch(MESSAGES as u16).concurrency(1), kind))
                .build()
                .unwrap();
            bus.start().await.unwrap();
            for number in 0..MESSAGES {
                bus.send(&*format!("queue:{queue}"), Numbered { number }).await.unwrap();
            }
            let health = Watch::of(&bus);
            let begun = Instant::now();
            tally.until(MESSAGES as usize).await;
            let complaint = health.complained(begun);
            bus.stop().await;
            let mut row = tally.row("consumer_timeout 5 s, deep prefetch", kind, MESSAGES as usize);
            row.expect(complaint.is_some(), "health did not say that the channel was closed");
            // Of each round the one that was at work.
            row.expect(row.duplicated <= 5, format!("{} came twice", row.duplicated));
            row
        }
    });
    rows.extend(join_all(works).await);
    set_consumer_timeout(stage, USUAL_CONSUMER_TIMEOUT);
    rows
}

/// A handler that never returns keeps no place, and its message does not come for ever.
pub(crate) async fn one_hangs_for_longer_than_the_broker_waits(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 101;
    const HANGS: u32 = 0;
    const BETWEEN: Duration = Duration::from_millis(200);
    set_consumer_timeout(stage, Duration::from_secs(2));
    let place = stage.place();
    reset_peak();
    let works = KINDS.map(|kind| {
        let place = &place;
        async move {
            let (tally, hung) = (Arc::new(Tally::default()), Arc::new(AtomicU32::new(0)));
            let (counts, hangs) = (tally.clone(), hung.clone());
            let handle = move |message: Numbered| {
                let (counts, hangs) = (counts.clone(), hangs.clone());
                async move {
                    if message.number == HANGS {
                        hangs.fetch_add(1, Ordering::Relaxed);
                        std::future::pending::<()>().await;
                    }
                    counts.note(message.number);
                    Ok::<_, Failure>(())
                }
            };
            let queue = format!("q-{kind}");
            let bus = builder(&place.url())
                .endpoint(queue.clone(), |e| of_kind(e.consumer(handle).prefetch(8).concurrency(4), kind))
                .build()
                .unwrap();
            bus.start().await.unwrap();
            for number in 0..MESSAGES {
                bus.send(&*format!("queue:{queue}"), Numbered { number }).await.unwrap();
                tokio::time::sleep(BETWEEN).await;
            }
            let others = tokio::time::timeout(Duration::from_secs(20), tally.until(MESSAGES as usize - 1)).await;
            let moved = place.until_ready(&format!("{queue}_error"), 1).await;
            let left = place.ready(&queue).await;
            bus.stop().await;
            let mut row = tally.row("consumer_timeout 2 s, a handler hangs", kind, MESSAGES as usize - 1);
            row.expect(others.is_ok(), "the others did not get on");
            row.expect(moved == 1, "it did not go to `_error`");
            row.expect(left == Some(0), format!("{left:?} are left in the queue"));
            row.expect(hung.load(Ordering::Relaxed) == 5, format!("it was begun {hung:?} times"));
            row
        }
    });
    let rows = join_all(works).await;
    set_consumer_timeout(stage, USUAL_CONSUMER_TIMEOUT);
    rows
}

pub(crate) async fn messages_fail_while_the_error_queue_is_deleted(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 300;
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        reset_peak();
        let tally = Arc::new(Tally::default());
        let tries = tally.clone();
        let fail = move |message: Numbered| {
            tries.note(message.number);
            async { Err::<(), _>(Failure::from("it always fails")) }
        };
        let bus = builder(&place.url()).endpoint("q", |e| of_kind(e.consumer(fail), kind)).build().unwrap();
        bus.start().await.unwrap();
        send(&bus, 0..MESSAGES / 3).await;
        let before = place.until_ready("q_error", MESSAGES / 3).await;
        // Again: exchange and queue, then the queue alone, while messages fail.
        place.delete("queues", "q_error");
        place.delete("exchanges", "q_error");
        send(&bus, MESSAGES / 3..2 * MESSAGES / 3).await;
        let between = place.until_ready("q_error", MESSAGES / 3).await;
        place.delete("queues", "q_error");
        send(&bus, 2 * MESSAGES / 3..MESSAGES).await;
        let after = place.until_ready("q_error", MESSAGES / 3).await;
        let left = place.ready("q").await;
        bus.stop().await;
        let mut row = tally.row("`_error` deleted, 2 ×", kind, MESSAGES as usize);
        row.received = (before + between + after) as usize;
        row.lost = MESSAGES as usize - row.received.min(MESSAGES as usize);
        let all = [before, between, after].iter().all(|moved| *moved == MESSAGES / 3);
        row.expect(all, format!("{before}, {between}, {after} are in `_error`, not {} each", MESSAGES / 3));
        row.expect(left == Some(0), format!("{left:?} are left in the queue"));
        row.expect(row.duplicated == 0, "some were handled twice: a hot loop");
        rows.push(row);
    }
    rows
}

/// A message that its sender lets the broker forget is not forgotten any more once it lies in `_error`.
pub(crate) async fn transient_messages_fail_and_the_broker_restarts(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 50;
    let place = stage.place();
    reset_peak();
    let mut builder = builder(&place.url());
    for kind in KINDS {
        let fail = |_: Numbered| async { Err::<(), _>(Failure::from("it always fails")) };
        builder = builder.endpoint(format!("q-{kind}"), |e| of_kind(e.consumer(fail), kind));
    }
    let bus = builder.build().unwrap();
    bus.start().await.unwrap();
    for kind in KINDS {
        for number in 0..MESSAGES {
            bus.send(&*format!("queue:q-{kind}"), Numbered { number }).transient().await.unwrap();
        }
        let moved = place.until_ready(&format!("q-{kind}_error"), MESSAGES).await;
        assert_eq!(moved, MESSAGES, "in `_error` of {kind}");
    }
    // RabbitMQ 3.10 finds a quorum queue no more that was declared less than half a second before it is killed.
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.server(Server::kill);
    stage.server(|server| server.start_again().unwrap());
    let mut rows = Vec::new();
    for queue in KINDS {
        let left = place.until_ready(&format!("q-{queue}_error"), MESSAGES).await;
        let mut row = Row {
            fault: "transient messages in `_error`, broker killed".to_owned(),
            queue,
            sent: MESSAGES as usize,
            received: left as usize,
            lost: (MESSAGES - left.min(MESSAGES)) as usize,
            peak_mb: crate::memory::peak_mb(),
            ..Row::default()
        };
        row.expect(left == MESSAGES, format!("{left} are left"));
        rows.push(row);
    }
    bus.stop().await;
    rows
}

/// Expiry, time to live and length are the queue's: what failed stays.
pub(crate) async fn messages_fail_at_an_endpoint_that_forgets(stage: &mut Stage) -> Vec<Row> {
    reset_peak();
    let stage = &*stage;
    join_all(KINDS.map(|kind| forgetful(stage.place(), kind))).await
}

async fn forgetful(place: Place, kind: &'static str) -> Row {
    const MESSAGES: u32 = 50;
    let (failed, mut failures) = watch::channel(0);
    let fail = move |_: Numbered| {
        failed.send_modify(|count| *count += 1);
        async { Err::<(), _>(Failure::from("it always fails")) }
    };
    let second = Duration::from_secs(1);
    // So few that `_error` could not hold them.
    let options = endpoint().expires(second).message_ttl(second).max_length(10);
    let options = if kind == "quorum" { options.quorum() } else { options };
    let bus = builder(&place.url()).endpoint("q", |e| e.consumer(fail).with(options)).build().unwrap();
    bus.start().await.unwrap();
    // One at a time: of more the queue itself would drop some.
    for number in 0..MESSAGES {
        bus.send("queue:q", Numbered { number }).await.unwrap();
        failures.wait_for(|count| *count > number).await.unwrap();
    }
    place.until_ready("q_error", MESSAGES).await;
    bus.stop().await;
    // The queue itself goes, and whatever had its arguments with it.
    while place.get(&format!("queues/{}/q", place.name())).is_some() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(second).await;
    let left = place.ready("q_error").await.unwrap_or_default();
    let mut row = Row {
        fault: "`_error` of an endpoint with expiry, TTL and length".to_owned(),
        queue: kind,
        sent: MESSAGES as usize,
        received: left as usize,
        lost: (MESSAGES - left.min(MESSAGES)) as usize,
        peak_mb: crate::memory::peak_mb(),
        ..Row::default()
    };
    row.expect(left == MESSAGES, format!("{left} are left"));
    row
}
