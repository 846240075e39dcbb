//! What an operator reads: changes of state, not every try.

use std::{cell::RefCell, io, sync::Once, time::Duration};

use bus_conformance::{
    Probe, eventually,
    faulty::{Answer, carrying, towards},
};
use bus_core::{
    clock::Clock,
    consumer::{Context, Failure},
};

use crate::stage::{Stage, Ticked, Tocked, pass, quiet};

/// The lines that this thread logs, from level info up: level and text.
#[derive(Debug, Clone, Copy)]
struct Log;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Log {
    /// One subscriber for all threads: with one for each, a line that two of them meet first at once may be lost.
    fn begin() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let lines = tracing_subscriber::fmt().with_ansi(false).without_time().with_target(false);
            lines.with_writer(|| Self).init();
        });
        Self.taken();
        Self
    }

    /// Those that came since the last call.
    fn taken(self) -> Vec<String> {
        let text = String::from_utf8(LINES.take()).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const HOUR: Duration = Duration::from_secs(3600);

fn one(lines: &[String], begins: &str, contains: &str) {
    assert!(matches!(lines, [line] if line.starts_with(begins) && line.contains(contains)), "{lines:#?}");
}

#[tokio::test]
async fn an_outage_of_an_hour_is_one_line_when_it_begins_and_one_when_it_is_over() {
    let (log, clock) = (Log::begin(), Clock::manual(1));
    let stage = Stage::new().await;
    let bus = stage
        .bus(|b| {
            b.clock(clock.clone()).endpoint("work", |e| {
                e.consumer(async |ticked: Ticked, ctx: Context| {
                    if ticked.number == 0 {
                        return Err(Failure::from("no"));
                    }
                    Ok(ctx.publish(Tocked { number: 1 }).confirmed().await?)
                })
            })
        })
        .await;
    one(&log.taken(), "INFO the bus is started", "endpoints=1");

    // A handler cannot send.
    stage.faults.answer(usize::MAX, carrying::<Tocked>, Answer::NotSent);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    pass(&clock, HOUR).await;
    one(&log.taken(), "WARN an endpoint holds messages", "a scripted outage");
    stage.faults.heal();
    pass(&clock, Duration::from_secs(2)).await;
    one(&log.taken(), "INFO an endpoint works again", "after=36");

    // A message cannot be moved, first because nobody is there, then because the broker refuses it.
    pass(&clock, HOUR).await;
    stage.faults.answer(100, towards("work_error"), Answer::NotSent);
    stage.faults.answer(usize::MAX, towards("work_error"), Answer::Rejected);
    bus.publish(Ticked { number: 0 }).await.unwrap();
    pass(&clock, HOUR).await;
    let lines = log.taken();
    one(&lines[..1], "ERROR a consumer failed for good", "error=\"no\"");
    one(&lines[1..2], "WARN an endpoint holds messages", "a scripted outage");
    one(&lines[2..], "ERROR an endpoint cannot move a message", "a scripted refusal");
    stage.faults.heal();
    pass(&clock, Duration::from_secs(2)).await;
    one(&log.taken(), "INFO an endpoint works again", "");

    // The broker is away for the topology.
    stage.faults.away(Some("a scripted absence"));
    pass(&clock, HOUR).await;
    one(&log.taken(), "WARN queues and bindings could not be brought about again", "a scripted absence");
    stage.faults.away(None);
    pass(&clock, Duration::from_secs(2)).await;
    one(&log.taken(), "INFO queues and bindings are as they should be again", "after=35");

    // The subscription is lost.
    stage.faults.lose("work", "the channel was closed");
    pass(&clock, HOUR).await;
    one(&log.taken(), "WARN an endpoint does not receive", "the channel was closed");
    stage.faults.restore("work");
    pass(&clock, Duration::from_secs(1)).await;
    one(&log.taken(), "INFO an endpoint works again", "");
    bus.stop().await;
    one(&log.taken(), "INFO the bus is stopped", "");
}

#[tokio::test]
async fn a_subscription_that_comes_and_goes_does_not_fill_the_log_and_one_that_stays_away_is_told() {
    let (log, clock) = (Log::begin(), Clock::manual(1));
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let bus = stage.bus(|b| b.clock(clock.clone()).endpoint("work", |e| e.consumer(probe.handler()))).await;
    log.taken();
    for _ in 0..100 {
        stage.faults.lose("work", "the channel was closed");
        eventually("the loss", || !bus.health().healthy).await;
        stage.faults.restore("work");
        eventually("the recovery", || bus.health().healthy).await;
    }
    assert_eq!(log.taken().len(), 4, "two of them, and their ends");
    stage.faults.lose("work", "the channel was closed for long");
    pass(&clock, HOUR).await;
    one(&log.taken(), "WARN an endpoint does not receive", "for long");
    stage.faults.restore("work");
    quiet().await;
    one(&log.taken(), "INFO an endpoint works again", "");
    bus.stop().await;
}

#[tokio::test]
async fn a_started_bus_that_is_dropped_without_a_stop_warns_with_what_was_at_work() {
    let log = Log::begin();
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let endpoint = |b: bus_core::Builder| b.endpoint("work", |e| e.concurrency(5).consumer(probe.handler()));
    drop(stage.place.bus(endpoint));
    let stopped = stage.bus(endpoint).await;
    stopped.stop().await;
    drop(stopped);
    assert_eq!(log.taken().len(), 2, "started and stopped");
    let bus = stage.bus(endpoint).await;
    for number in 0..2 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    probe.take(2).await;
    log.taken();
    let second = bus.clone();
    drop(bus);
    quiet().await;
    assert_eq!(log.taken(), [""; 0], "there is another handle");
    drop(second);
    quiet().await;
    one(&log.taken(), "WARN the last handle of a started bus was dropped without `stop()`", "messages=2");
    assert_eq!(stage.lying("work", 2).await.len(), 2);
}

#[tokio::test]
async fn an_observer_that_panics_is_told_of_once() {
    let log = Log::begin();
    let stage = Stage::new().await;
    let bus = stage
        .bus(|b| {
            b.observer(|_: &bus_core::observer::Event<'_>| panic!("help"))
                .endpoint("work", |e| e.consumer(async |_: Ticked| Ok::<(), Failure>(())))
        })
        .await;
    for number in 0..10 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    stage.completed("work", 10).await;
    bus.stop().await;
    let panics: Vec<_> = log.taken().into_iter().filter(|line| line.contains("observer")).collect();
    one(&panics, "WARN an observer panicked", "help");
}
