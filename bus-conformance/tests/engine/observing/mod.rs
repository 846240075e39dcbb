//! What observers are told, and that they disturb nothing.

mod seen;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bus_conformance::{
    Probe, eventually,
    faulty::{Answer, carrying, towards},
    soon,
};
use bus_core::{
    Error, Retry,
    clock::Clock,
    consumer::{Context, Discard, Failure},
    observer::Event,
};

use futures_util::FutureExt;
use seen::Seen;

use crate::stage::{Stage, Ticked, Tocked, quiet};

#[tokio::test]
async fn a_message_that_succeeds_is_told_of_from_its_sending_to_its_end() {
    let (stage, seen) = (Stage::new().await, Seen::default());
    let bus = stage
        .bus(|b| {
            b.observer(seen.observer()).endpoint("work", |e| {
                e.consumer(async |_: Ticked, ctx: Context| ctx.publish(Tocked { number: 1 }).await)
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    seen.until("work completed Ticked").await;
    bus.stop().await;
    let expected = [
        "endpoint work started",
        "bus started",
        "program publishes Ticked",
        "sent Ticked",
        "work received Ticked",
        "work publishes Tocked",
        "sent Tocked",
        "work consumed Ticked, attempt 0",
        "work completed Ticked",
        "endpoint work stopped",
        "bus stopped",
    ];
    assert_eq!(*seen.0.lock().unwrap(), expected);
}

#[tokio::test]
async fn each_attempt_that_fails_says_what_comes_next_and_how_long_it_took() {
    let (stage, seen, clock) = (Stage::new().await, Seen::default(), Clock::manual(1));
    let took = Arc::<Mutex<Vec<Duration>>>::default();
    let (times, slow) = (took.clone(), clock.clone());
    let bus = stage
        .bus(|b| {
            b.clock(clock.clone())
                .observer(seen.observer())
                .observer(move |event: &Event<'_>| match event {
                    Event::AttemptFailed { took, .. }
                    | Event::Consumed { took, .. }
                    | Event::Completed { took, .. } => {
                        times.lock().unwrap().push(*took);
                    }
                    _ => {}
                })
                .endpoint("work", |e| {
                    e.retry(Retry::interval(2, Duration::from_secs(5))).consumer(move |_: Ticked, ctx: Context| {
                        let clock = slow.clone();
                        async move {
                            clock.sleep(Duration::from_secs(1)).await;
                            if ctx.attempt() < 2 { Err::<(), Failure>("not yet".into()) } else { Ok(()) }
                        }
                    })
                })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    crate::stage::pass(&clock, Duration::from_secs(20)).await;
    let expected = [
        "program publishes Ticked",
        "sent Ticked",
        "work received Ticked",
        "work failed, attempt 0: not yet: Retry { after: 5s }",
        "work failed, attempt 1: not yet: Retry { after: 5s }",
        "work consumed Ticked, attempt 2",
        "work completed Ticked",
    ];
    assert_eq!(seen.of_messages(), expected);
    assert_eq!(*took.lock().unwrap(), [1, 1, 1, 13].map(Duration::from_secs));
    bus.stop().await;
}

#[tokio::test]
async fn failures_for_good_panics_what_nobody_takes_and_what_nobody_can_read_are_told_with_where_they_went() {
    let (stage, seen) = (Stage::new().await, Seen::default());
    let bus = stage
        .bus(|b| {
            b.observer(seen.observer()).endpoint("work", |e| {
                e.consumer(async |ticked: Ticked| match ticked.number {
                    1 => Err::<(), Failure>("no".into()),
                    2 => panic!("help"),
                    _ => Err(Discard::new("stale").into()),
                })
            })
        })
        .await;
    let mut known = 0;
    let mut new = |count: usize| {
        let lines = seen.of_messages();
        let new = lines[known..].to_vec();
        assert_eq!(new.len(), count, "{new:#?}");
        known = lines.len();
        new
    };
    for number in 1..=3 {
        bus.publish(Ticked { number }).await.unwrap();
        stage.completed("work", number as usize).await;
        quiet().await;
        match number {
            1 => assert_eq!(
                new(7)[2..],
                [
                    "work received Ticked",
                    "work failed, attempt 0: no: Error",
                    "work publishes Ticked",
                    "sent Ticked",
                    "work moved to work_error: no"
                ]
            ),
            2 => assert_eq!(new(7)[3], "work failed, attempt 0: the consumer panicked: help: Error"),
            _ => assert_eq!(
                new(6)[2..],
                [
                    "work received Ticked",
                    "work failed, attempt 0: stale: Discarded",
                    "work consumed Ticked, attempt 0",
                    "work completed Ticked"
                ]
            ),
        }
    }
    bus.send("queue:work", Tocked { number: 4 }).await.unwrap();
    stage.completed("work", 4).await;
    quiet().await;
    assert_eq!(new(4)[2..], ["work received Tocked", "work moved to work_skipped: no consumer takes its type"]);
    stage.put("work", b"no envelope").await;
    stage.completed("work", 5).await;
    quiet().await;
    let lines = new(4);
    assert_eq!(lines[0], "work received ?");
    assert!(lines[3].starts_with("work moved to work_error: the body is no MassTransit envelope"), "{lines:#?}");
    bus.stop().await;
}

#[tokio::test]
async fn a_message_that_comes_again_later_is_told_with_its_round_and_has_one_end_each_time() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (stage, seen, clock) = (Stage::new().await, Seen::default(), Clock::manual(1));
    let again = Arc::<Mutex<Vec<bool>>>::default();
    let noted = again.clone();
    let bus = stage
        .bus(|b| {
            b.clock(clock.clone())
                .observer(seen.observer())
                .observer(move |event: &Event<'_>| {
                    if let Event::Received { message, .. } = event {
                        noted.lock().unwrap().push(message.redelivered);
                    }
                })
                .endpoint("work", |e| {
                    e.retry(Retry::immediate(1))
                        .redeliver([HOUR])
                        .consumer(async |_: Ticked| Err::<(), Failure>("no".into()))
                })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    crate::stage::pass(&clock, HOUR + HOUR).await;
    seen.until("work moved to work_error: no").await;
    let lines = seen.of_messages();
    let of_work: Vec<_> =
        lines[2..].iter().filter(|line| line.starts_with("work") && !line.contains("publishes")).collect();
    let expected = [
        "work received Ticked",
        "work failed, attempt 0: no: Retry { after: 0ns }",
        "work failed, attempt 1: no: Redeliver { after: 3600s, round: 1 }",
        "work put off, round 1 in 3600s, after 0ns: no",
        "work received Ticked",
        "work failed, attempt 0: no: Retry { after: 0ns }",
        "work failed, attempt 1: no: Error",
        "work moved to work_error: no",
    ];
    assert_eq!(of_work, expected);
    assert_eq!(*again.lock().unwrap(), [false, true]);
    bus.stop().await;
}

#[tokio::test]
async fn a_round_that_cannot_be_made_until_the_stop_is_told_to_go_back() {
    let (stage, seen, clock) = (Stage::new().await, Seen::default(), Clock::manual(1));
    let bus = stage
        .bus(|b| {
            b.clock(clock.clone()).observer(seen.observer()).endpoint("work", |e| {
                e.redeliver([Duration::from_secs(60)]).consumer(async |_: Ticked| Err::<(), Failure>("no".into()))
            })
        })
        .await;
    stage.faults.answer(usize::MAX, |message| message.delay.is_some(), Answer::NotSent);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    seen.until("work failed, attempt 0: no: Redeliver { after: 60s, round: 1 }").await;
    bus.stop().await;
    assert!(seen.has("work returned: None"), "{:#?}", seen.of_messages());
    assert!(!seen.of_messages().iter().any(|line| line.starts_with("work put off")));
}

#[tokio::test]
async fn a_send_that_fails_is_told_with_what_became_of_it() {
    let (stage, seen) = (Stage::new().await, Seen::default());
    let bus = stage.bus(|b| b.observer(seen.observer())).await;
    assert!(matches!(bus.send("queue:nowhere", Ticked { number: 1 }).await, Err(Error::Unroutable { .. })));
    for (answer, told) in [
        (Answer::NotSent, "Ticked not sent"),
        (Answer::Unknown, "Ticked unknown"),
        (Answer::Rejected, "Ticked rejected"),
    ] {
        stage.faults.answer(1, carrying::<Ticked>, answer);
        bus.publish(Ticked { number: 1 }).await.unwrap_err();
        assert!(seen.has(told), "{seen:?}");
    }
    assert!(seen.has("Ticked unroutable"), "{seen:?}");
    // A sender that goes away hears of nothing; the observer does.
    let before = seen.of_messages().len();
    let withheld = stage.faults.withhold(carrying::<Tocked>);
    {
        let mut sending = std::pin::pin!(std::future::IntoFuture::into_future(bus.publish(Tocked { number: 1 })));
        assert!(sending.as_mut().now_or_never().is_none());
    }
    assert_eq!(seen.of_messages()[before..], ["program publishes Tocked", "Tocked unknown"]);
    withheld.release();
    bus.stop().await;
}

#[tokio::test]
async fn what_a_failed_attempt_sent_has_an_end_too() {
    let (stage, seen) = (Stage::new().await, Seen::default());
    let bus = stage
        .bus(|b| {
            b.observer(seen.observer()).endpoint("work", |e| {
                e.retry(Retry::immediate(1)).consumer(async |_: Ticked, ctx: Context| {
                    ctx.publish(Tocked { number: 1 }).await?;
                    if ctx.attempt() == 0 { Err::<(), Failure>("no".into()) } else { Ok(()) }
                })
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    seen.until("work completed Ticked").await;
    let tocked: Vec<_> = seen.of_messages().into_iter().filter(|line| line.ends_with("Tocked")).collect();
    assert_eq!(tocked, ["work publishes Tocked", "sent Tocked", "work publishes Tocked", "sent Tocked"]);
    bus.stop().await;
}

#[tokio::test]
async fn with_an_outbox_only_what_is_committed_is_told_and_a_message_that_comes_again_is() {
    let (stage, seen) = (Stage::new().await, Seen::default());
    let bus = stage
        .bus(|b| {
            b.observer(seen.observer()).endpoint("work", |e| {
                e.outbox().retry(Retry::immediate(1)).consumer(async |_: Ticked, ctx: Context| {
                    ctx.publish(Tocked { number: 1 }).await?;
                    if ctx.attempt() == 0 { Err::<(), Failure>("no".into()) } else { Ok(()) }
                })
            })
        })
        .await;
    stage.faults.complete_late(1);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    seen.until("work completed Ticked").await;
    let expected = [
        "work received Ticked",
        "work failed, attempt 0: no: Retry { after: 0ns }",
        "work publishes Tocked",
        "sent Tocked",
        "work consumed Ticked, attempt 1",
        "work returned: Some(LeaseLost)",
    ];
    assert_eq!(seen.of_messages()[2..8], expected);
    assert!(seen.has("work had Ticked"), "{seen:?}");
    bus.stop().await;
}

#[tokio::test]
async fn an_outage_is_told_once_when_it_begins_and_once_when_it_is_over() {
    let (stage, seen, clock) = (Stage::new().await, Seen::default(), Clock::manual(1));
    let bus = stage
        .bus(|b| {
            b.clock(clock.clone()).observer(seen.observer()).endpoint("work", |e| {
                e.consumer(async |_: Ticked, ctx: Context| ctx.publish(Tocked { number: 1 }).confirmed().await)
            })
        })
        .await;
    stage.faults.answer(usize::MAX, carrying::<Tocked>, Answer::NotSent);
    for number in 0..3 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    crate::stage::pass(&clock, Duration::from_secs(600)).await;
    let degraded = || seen.0.lock().unwrap().iter().filter(|line| line.starts_with("endpoint work degraded")).count();
    let recovered = || seen.0.lock().unwrap().iter().filter(|line| *line == "endpoint work recovered").count();
    assert_eq!((degraded(), recovered()), (1, 0));
    let held = seen.of_messages().iter().filter(|line| line.ends_with("Held")).count();
    assert!(held > 1000, "each attempt is told: {held}");
    stage.faults.heal();
    crate::stage::pass(&clock, Duration::from_secs(2)).await;
    assert_eq!((degraded(), recovered()), (1, 1));
    assert!(bus.health().healthy, "{:?}", bus.health());
    // A lost subscription is told in the same way.
    stage.faults.lose("work", "the channel was closed");
    seen.until("endpoint work degraded: the channel was closed").await;
    stage.faults.restore("work");
    eventually("the recovery", || recovered() == 2).await;
    // So is a move that is refused.
    stage.faults.answer(usize::MAX, towards("work_skipped"), Answer::Rejected);
    bus.send("queue:work", Tocked { number: 1 }).await.unwrap();
    crate::stage::pass(&clock, Duration::from_secs(60)).await;
    assert_eq!(degraded(), 3);
    stage.faults.heal();
    crate::stage::pass(&clock, Duration::from_secs(2)).await;
    assert_eq!((degraded(), recovered()), (3, 3));
    bus.stop().await;
}

#[tokio::test]
async fn a_handler_that_is_cancelled_by_the_stop_is_told_to_go_back() {
    let (stage, seen, probe) = (Stage::new().await, Seen::default(), Probe::<Ticked>::closed());
    let bus = stage
        .bus(|b| {
            b.observer(seen.observer()).stop_timeout(Duration::ZERO).endpoint("work", |e| e.consumer(probe.handler()))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    probe.next().await;
    bus.stop().await;
    assert_eq!(seen.of_messages()[3..], ["work returned: None"]);
    assert_eq!(stage.count("work").await, 1);
}

#[tokio::test]
async fn starts_that_fail_are_told_and_observers_are_called_in_their_order() {
    let (stage, seen) = (Stage::new().await, Seen::default());
    let order = Arc::<Mutex<Vec<u32>>>::default();
    let noting = |number: u32| {
        let order = order.clone();
        move |_: &Event<'_>| order.lock().unwrap().push(number)
    };
    let bus = stage.place.bus(|b| b.observer(noting(1)).observer(seen.observer()).observer(noting(2)));
    stage.faults.away(Some("a scripted outage"));
    let error = bus.start().await.unwrap_err();
    assert_eq!(*seen.0.lock().unwrap(), [format!("bus start failed: {error}")]);
    stage.faults.away(None);
    bus.start().await.unwrap();
    assert_eq!(*order.lock().unwrap(), [1, 2, 1, 2]);
    bus.stop().await;
}

/// Panics with every event, also with a payload whose destructor panics.
fn panicking() -> (impl Fn(&Event<'_>) + Send + Sync + 'static, Arc<AtomicUsize>) {
    let count = Arc::<AtomicUsize>::default();
    let counted = count.clone();
    let panic = move |_: &Event<'_>| {
        if counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            std::panic::panic_any(crate::stage::Bomb);
        }
        panic!("an observer that panics");
    };
    (panic, count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_that_panics_under_load_loses_nothing_and_settles_nothing_twice() {
    const MESSAGES: u32 = 200;
    let (stage, seen) = (Stage::new().await, Seen::default());
    let (panic, told) = panicking();
    let handled = Arc::<Mutex<BTreeSet<u32>>>::default();
    let (noted, tocks) = (handled.clone(), Arc::new(AtomicU32::new(0)));
    let tocked = tocks.clone();
    let bus = stage
        .bus(|b| {
            b.observer(panic)
                .observer(seen.observer())
                .endpoint("work", |e| {
                    e.concurrency(8).retry(Retry::immediate(1)).consumer(move |ticked: Ticked, ctx: Context| {
                        let noted = noted.clone();
                        async move {
                            let Ticked { number } = ticked;
                            ctx.publish(Tocked { number }).await?;
                            match number % 4 {
                                0 if ctx.attempt() == 0 => return Err(Failure::from("once")),
                                1 => return Err(Failure::from("for good")),
                                _ => {}
                            }
                            noted.lock().unwrap().insert(number);
                            Ok(())
                        }
                    })
                })
                .endpoint("tocks", |e| {
                    e.consumer(move |_: Tocked| {
                        tocked.fetch_add(1, Ordering::Relaxed);
                        async { Ok::<(), Failure>(()) }
                    })
                })
        })
        .await;
    for number in 0..MESSAGES {
        bus.publish(Ticked { number }).await.unwrap();
    }
    let steps = stage.completed("work", MESSAGES as usize).await;
    // One of four has a second attempt, one of four has two that fail.
    let expected = MESSAGES + MESSAGES / 2;
    eventually("all that was sent", || tocks.load(Ordering::Relaxed) == expected).await;
    soon("the stop", bus.stop()).await;
    assert_eq!(*handled.lock().unwrap(), (0..MESSAGES).filter(|number| number % 4 != 1).collect());
    assert_eq!(steps.iter().filter(|step| step.completes("work")).count(), MESSAGES as usize);
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (0, MESSAGES as usize / 4));
    let lines = seen.0.lock().unwrap();
    assert_eq!(told.load(Ordering::Relaxed), lines.len(), "the other one is told of everything");
    let ends = |what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!(ends("work received"), MESSAGES as usize);
    assert_eq!(ends("work completed") + ends("work moved"), MESSAGES as usize);
}

#[tokio::test]
async fn the_debug_of_an_event_has_no_body() {
    const MARKER: u32 = 918_273_645;
    let stage = Stage::new().await;
    let shown = Arc::<Mutex<String>>::default();
    let written = shown.clone();
    let bus = stage
        .bus(|b| {
            b.observer(move |event: &Event<'_>| written.lock().unwrap().push_str(&format!("{event:?}\n"))).endpoint(
                "work",
                |e| {
                    e.retry(Retry::immediate(1)).consumer(async |ticked: Ticked, ctx: Context| {
                        ctx.publish(Tocked { number: ticked.number }).await?;
                        Err::<(), Failure>("no".into())
                    })
                },
            )
        })
        .await;
    bus.publish(Ticked { number: MARKER }).await.unwrap();
    stage.lying("work_error", 1).await;
    bus.stop().await;
    let shown = shown.lock().unwrap();
    assert!(shown.contains("AttemptFailed") && shown.contains("Moved") && shown.contains("Sending"), "{shown}");
    assert!(!shown.contains(&MARKER.to_string()), "{shown}");
}
