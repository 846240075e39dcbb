//! Handlers that run when their subscription is lost, and those that the broker does not wait for any longer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bus_conformance::{Probe, eventually, faulty::towards, soon};
use bus_core::{clock::Clock, consumer::Failure};
use tokio::sync::Notify;

use crate::stage::{Stage, Ticked, pass, problem, quiet};

/// Cuts the subscription, and brings it back.
async fn cut(stage: &Stage) {
    stage.faults.lose("work", "a scripted cut");
    quiet().await;
    stage.faults.restore("work");
    quiet().await;
}

/// The broker waited long enough: it cuts the subscription, and takes it anew.
async fn wait_no_longer(stage: &Stage) {
    stage.faults.wait_no_longer("work", "the acknowledgement timed out");
    quiet().await;
    stage.faults.restore("work");
    quiet().await;
}

#[tokio::test]
async fn a_message_that_comes_again_while_its_handler_runs_is_done_when_the_handler_is() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.concurrency(2).consumer(probe.handler()))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    probe.next().await;
    for _ in 0..5 {
        cut(&stage).await;
    }
    assert_eq!(probe.left().await, 0, "it runs already");
    // It took no place either.
    bus.publish(Ticked { number: 2 }).await.unwrap();
    assert_eq!(probe.next().await.message.number, 2);
    probe.let_through(2);
    stage.completed("work", 2).await;
    quiet().await;
    assert_eq!((probe.left().await, stage.count("work").await), (0, 0));
    bus.stop().await;
    assert_eq!(stage.count("work").await, 0);
}

const TWIN: &[u8] = br#"{"messageType":["urn:message:Bus.Engine:Ticked"],"message":{"number":1}}"#;

/// Of those nobody knows which comes again: one that is settled already does not.
#[tokio::test]
async fn messages_without_an_id_that_come_again_while_their_handlers_run_are_handled_again() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.concurrency(4).consumer(probe.handler()))).await;
    for _ in 0..2 {
        stage.put("work", TWIN).await;
    }
    probe.take(2).await;
    cut(&stage).await;
    probe.take(2).await;
    probe.let_through(4);
    stage.completed("work", 2).await;
    bus.stop().await;
    assert_eq!((probe.left().await, stage.count("work").await), (0, 0));
}

/// A stop that meets a lost subscription with all places taken.
#[tokio::test]
async fn a_bus_that_was_stopped_while_lost_handlers_had_all_places_is_well_when_it_is_started_again() {
    let stage = Stage::new().await;
    let (probe, clock) = (Probe::<Ticked>::closed(), Clock::manual(1));
    let bus =
        stage.bus(|b| b.clock(clock.clone()).endpoint("work", |e| e.concurrency(1).consumer(probe.handler()))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    probe.next().await;
    let stopping = tokio::spawn({
        let bus = bus.clone();
        async move { bus.stop().await }
    });
    quiet().await;
    stage.faults.lose("work", "a scripted cut");
    quiet().await;
    probe.let_through(1);
    soon("the stop", stopping).await.unwrap();
    stage.faults.restore("work");
    bus.start().await.unwrap();
    probe.next().await;
    probe.let_through(1);
    pass(&clock, Duration::from_secs(400)).await;
    assert!(bus.health().healthy, "{:?}", bus.health());
    bus.stop().await;
}

#[tokio::test]
async fn twins_that_run_when_they_are_lost_are_both_done() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.concurrency(3).consumer(probe.handler()))).await;
    for _ in 0..2 {
        stage.put_with_id("work", Some("twin"), TWIN).await;
    }
    probe.take(2).await;
    cut(&stage).await;
    assert_eq!(probe.left().await, 0);
    // A third one is none of them.
    stage.put_with_id("work", Some("twin"), TWIN).await;
    probe.next().await;
    probe.let_through(3);
    stage.completed("work", 3).await;
    bus.stop().await;
    assert_eq!((probe.left().await, stage.count("work").await), (0, 0));
}

#[tokio::test]
async fn a_message_that_came_again_is_begun_when_its_first_handler_did_not_come_to_its_end() {
    let stage = Stage::new().await;
    let (runs, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
    let (counts, gate) = (runs.clone(), go.clone());
    let handle = move |_: Ticked| {
        let (counts, gate) = (counts.clone(), gate.clone());
        async move {
            if counts.fetch_add(1, Ordering::Relaxed) == 0 {
                gate.notified().await;
                // No attempt of its own: it is held until the endpoint stops.
                return Err(Failure::from("no"));
            }
            Ok(())
        }
    };
    let bus = stage.bus(|b| b.endpoint("work", |e| e.concurrency(1).consumer(handle))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    eventually("the first run", || runs.load(Ordering::Relaxed) == 1).await;
    cut(&stage).await;
    go.notify_one();
    // It was moved, and could not be settled: nobody knows, and it is handled again.
    soon("the second run", stage.lying("work_error", 1)).await;
    eventually("the second run", || runs.load(Ordering::Relaxed) == 2).await;
    eventually("the end", || stage.has_completed("work")).await;
    bus.stop().await;
    assert_eq!(stage.count("work").await, 0);
}

#[tokio::test]
async fn a_handler_that_never_returns_is_cancelled_when_the_broker_does_not_wait_and_its_message_goes_to_error() {
    let stage = Stage::new().await;
    let clock = Clock::manual(1);
    let (runs, running) = (Arc::new(AtomicU32::new(0)), Arc::new(()));
    let (counts, alive) = (runs.clone(), running.clone());
    let probe = Probe::<Ticked>::open();
    let others = probe.clone();
    let handle = move |ticked: Ticked, ctx| {
        let (counts, alive, others) = (counts.clone(), alive.clone(), others.clone());
        async move {
            if ticked.number > 0 {
                return others.handle(ticked, ctx).await;
            }
            counts.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
            drop(alive);
            Ok(())
        }
    };
    let bus = stage.bus(|b| b.clock(clock.clone()).endpoint("work", |e| e.concurrency(2).consumer(handle))).await;
    // What the handler itself keeps.
    let idle = Arc::strong_count(&running);
    bus.publish(Ticked { number: 0 }).await.unwrap();
    quiet().await;
    for round in 1..=5 {
        assert_eq!((runs.load(Ordering::Relaxed), Arc::strong_count(&running)), (round, idle + 1));
        // Others get on meanwhile, and it is never alone.
        bus.publish(Ticked { number: round }).await.unwrap();
        assert_eq!(probe.next().await.message.number, round);
        pass(&clock, Duration::from_secs(1800)).await;
        wait_no_longer(&stage).await;
        pass(&clock, Duration::from_secs(1)).await;
    }
    assert_eq!((runs.load(Ordering::Relaxed), Arc::strong_count(&running)), (5, idle));
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    let said = letter.fault_message().unwrap();
    assert!(said.starts_with("its handler took longer than the broker waits: 5 times"), "{said}");
    assert!(letter.headers.get("Bus-Overdue").is_none() && letter.headers.get("Bus-Starts").is_none());
    bus.stop().await;
    assert_eq!((stage.count("work").await, probe.left().await), (0, 0));
}

#[tokio::test]
async fn who_only_waited_behind_others_is_not_to_blame() {
    let stage = Stage::new().await;
    let clock = Clock::manual(1);
    let probe = Probe::<Ticked>::closed();
    let bus = stage
        .bus(|b| b.clock(clock.clone()).endpoint("work", |e| e.concurrency(1).prefetch(10).consumer(probe.handler())))
        .await;
    for number in 0..2 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    for number in 0..2 {
        assert_eq!(probe.next().await.message.number, number);
        pass(&clock, Duration::from_secs(1000 - u64::from(number) * 200)).await;
        if number == 0 {
            probe.let_through(1);
            quiet().await;
        }
    }
    // Delivered for 1 800 s and at work for 800.
    wait_no_longer(&stage).await;
    probe.let_through(1);
    stage.completed("work", 2).await;
    bus.stop().await;
    assert_eq!((probe.left().await, stage.count("work").await), (0, 0));
    let copies = stage.faults.steps().iter().filter_map(|step| step.submitted()).filter(|m| towards("work")(m)).count();
    assert_eq!(copies, 0);
}

#[tokio::test]
async fn an_endpoint_whose_places_are_all_taken_by_handlers_that_were_lost_says_so() {
    let stage = Stage::new().await;
    let clock = Clock::manual(1);
    let probe = Probe::<Ticked>::closed();
    let bus =
        stage.bus(|b| b.clock(clock.clone()).endpoint("work", |e| e.concurrency(2).consumer(probe.handler()))).await;
    for number in 0..2 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    probe.take(2).await;
    pass(&clock, Duration::from_secs(1000)).await;
    assert_eq!(problem(&bus), None);
    cut(&stage).await;
    pass(&clock, Duration::from_secs(299)).await;
    assert_eq!(problem(&bus), None, "they may come to their end");
    pass(&clock, Duration::from_secs(1)).await;
    let said = problem(&bus).unwrap();
    assert!(said.contains("all 2 places") && said.contains("300 s") && said.contains(".timeout"), "{said}");
    probe.let_through(1);
    eventually("a place", || problem(&bus).is_none()).await;
    probe.let_through(1);
    stage.completed("work", 2).await;
    bus.stop().await;
}
