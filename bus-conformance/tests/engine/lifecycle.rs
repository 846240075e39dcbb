//! Starting and stopping, also when nobody answers.

use std::time::Duration;

use bus_conformance::{Probe, faulty::Step, soon};
use bus_core::{
    Error, Retry,
    clock::Clock,
    consumer::{Context, Failure},
};

use crate::stage::{Attempts, Stage, Ticked, Tocked, quiet};

#[tokio::test]
async fn the_longest_duration_means_for_ever() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let handler = probe.handler();
    let bus = stage
        .bus(|b| {
            b.send_timeout(Duration::MAX).start_timeout(Duration::MAX).stop_timeout(Duration::MAX).endpoint(
                "work",
                |e| {
                    e.retry(Retry::interval(1, Duration::MAX)).consumer(move |ticked: Ticked, ctx: Context| {
                        let seen = handler(ticked, ctx);
                        async move {
                            seen.await?;
                            Err::<(), Failure>("no".into())
                        }
                    })
                },
            )
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    bus.publish(Ticked { number: 2 }).timeout(Duration::MAX).await.unwrap();
    probe.take(2).await;
    quiet().await;
    assert!(bus.health().healthy, "{:?}", bus.health());
    soon("the stop", bus.stop()).await;
    assert_eq!(probe.left().await, 0, "the retry is far away");
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (2, 0));
}

#[tokio::test]
async fn a_start_ends_at_its_deadline_though_the_topology_is_not_answered() {
    let stage = Stage::new().await;
    stage.faults.hang_apply();
    let bus = stage.place.bus(|b| b.start_timeout(Duration::from_millis(20)));
    let error = soon("the start", bus.start()).await.unwrap_err();
    assert!(matches!(error, Error::StartTimeout), "{error:?}");
    assert!(matches!(bus.publish(Ticked { number: 1 }).await, Err(Error::NotStarted)));
}

#[tokio::test]
async fn a_start_that_brings_the_topology_about_ends_the_complaint_that_a_round_could_not() {
    let stage = Stage::new().await;
    let clock = Clock::manual(1);
    let bus = stage.bus(|b| b.clock(clock.clone())).await;
    quiet().await;
    stage.faults.away(Some("a scripted outage"));
    clock.advance_to(clock.after(Duration::from_secs(60)));
    quiet().await;
    assert!(bus.health().topology.is_some());
    stage.faults.away(None);
    bus.stop().await;
    bus.start().await.unwrap();
    assert!(bus.health().healthy, "{:?}", bus.health());
}

#[tokio::test]
async fn a_round_that_finds_no_connection_is_made_up_for_soon_after_there_is_one() {
    let stage = Stage::new().await;
    let clock = Clock::manual(1);
    let bus = stage.bus(|b| b.clock(clock.clone())).await;
    quiet().await;
    stage.faults.away(Some("a scripted outage"));
    clock.advance_to(clock.after(Duration::from_secs(60)));
    quiet().await;
    assert!(bus.health().topology.is_some());
    stage.faults.away(None);
    clock.advance_to(clock.after(Duration::from_secs(1)));
    quiet().await;
    assert!(bus.health().healthy, "{:?}", bus.health());
    // And the next is as far away as ever.
    let applied = || stage.faults.steps().iter().filter(|step| matches!(step, Step::Applying)).count();
    let before = applied();
    clock.advance_to(clock.after(Duration::from_secs(59)));
    quiet().await;
    assert_eq!(applied(), before);
}

#[tokio::test]
async fn a_start_ends_at_its_deadline_though_nobody_answers() {
    let stage = Stage::new().await;
    stage.faults.hang_connect();
    let bus = stage.place.bus(|b| b.start_timeout(Duration::from_millis(20)));
    let error = soon("the start", bus.start()).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
}

#[tokio::test]
async fn a_start_that_failed_leaves_nothing_and_may_be_called_again_when_the_broker_is_there() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let bus = stage.place.bus(|b| b.endpoint("work", |e| e.consumer(probe.handler())));
    stage.faults.away(Some("a scripted outage"));
    for _ in 0..3 {
        let error = soon("the start", bus.start()).await.unwrap_err();
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
        assert!(matches!(bus.publish(Ticked { number: 0 }).await, Err(Error::NotStarted)));
        assert_eq!(bus.health().endpoints[0].problem.as_deref(), Some("not started"));
    }
    stage.faults.away(None);
    bus.start().await.unwrap();
    assert!(bus.health().healthy, "{:?}", bus.health());
    bus.publish(Ticked { number: 1 }).await.unwrap();
    assert_eq!(probe.next().await.message.number, 1);
    bus.stop().await;
    assert_eq!((probe.left().await, stage.count("work").await), (0, 0), "nobody else received");
}

#[tokio::test]
async fn a_stop_ends_a_start_in_progress() {
    let stage = Stage::new().await;
    for connecting in [false, true] {
        if connecting {
            stage.faults.hang_connect();
        } else {
            stage.faults.hang_apply();
        }
        let before = stage.faults.steps().len();
        let bus = stage.place.bus(|b| b.start_timeout(Duration::MAX));
        let start = tokio::spawn({
            let bus = bus.clone();
            async move { bus.start().await }
        });
        let begun = |steps: &[Step]| {
            steps[before..]
                .iter()
                .any(|step| if connecting { matches!(step, Step::Connecting) } else { matches!(step, Step::Applying) })
        };
        stage.faults.until("the start to hang", begun).await;
        soon("the stop", bus.stop()).await;
        let error = soon("the start", start).await.unwrap().unwrap_err();
        assert!(matches!(error, Error::NotStarted), "{error:?}");
    }
}

#[tokio::test]
async fn a_stop_ends_a_start_that_was_only_just_called() {
    let stage = Stage::new().await;
    stage.faults.hang_apply();
    let bus = stage.place.bus(|b| b.start_timeout(Duration::MAX));
    let (started, ()) = soon("both", async { tokio::join!(bus.start(), bus.stop()) }).await;
    assert!(matches!(started, Err(Error::NotStarted)), "{started:?}");
}

#[tokio::test]
async fn a_bus_that_was_stopped_starts_again() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(probe.handler()))).await;
    for number in 0..3 {
        bus.publish(Ticked { number }).await.unwrap();
        assert_eq!(probe.next().await.message.number, number);
        bus.stop().await;
        bus.start().await.unwrap();
        assert!(bus.health().healthy, "{:?}", bus.health());
    }
    bus.stop().await;
}

#[tokio::test]
async fn what_was_on_its_way_at_a_stop_goes_back_before_the_handlers_are_done() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.prefetch(3).consumer(probe.handler()))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    probe.next().await;
    stage.faults.deliver_late();
    for number in 2..=3 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    quiet().await;
    assert_eq!(stage.count("work").await, 0);
    let stop = tokio::spawn({
        let bus = bus.clone();
        async move { bus.stop().await }
    });
    quiet().await;
    assert_eq!(stage.count("work").await, 2);
    probe.let_through(3);
    soon("the stop", stop).await.unwrap();
    assert_eq!((stage.count("work").await, probe.left().await), (2, 0));
}

#[tokio::test]
async fn a_stop_ends_retries_that_have_no_pause() {
    let stage = Stage::new().await;
    let attempts = Attempts::default();
    let noted = attempts.clone();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.retry(Retry::immediate(u32::MAX)).consumer(move |_: Ticked, ctx: Context| {
                    noted.note(ctx.attempt());
                    async { Err::<(), Failure>("no".into()) }
                })
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    soon("retries", async {
        while attempts.so_far().len() < 10 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    soon("the stop", bus.stop()).await;
    let so_far = attempts.so_far().len();
    quiet().await;
    assert_eq!(attempts.so_far().len(), so_far, "none after the stop");
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (1, 0), "it goes back, and is no failure");
}

#[tokio::test]
async fn an_endpoint_whose_error_queue_could_not_be_named_is_refused_at_build() {
    let stage = Stage::new().await;
    let build = |length: usize| {
        let name = "n".repeat(length);
        stage.place.builder().endpoint(name, |e| e.consumer(async |_: Ticked| Ok::<(), Failure>(()))).build()
    };
    assert!(build(247).is_ok());
    let no_room = |suffix| format!("the name leaves no room for `{suffix}` behind it: it has 256 bytes");
    let whole = "the name cannot be used: it has 256 bytes".to_owned();
    for (length, said) in [(248, no_room("_skipped")), (250, no_room("_error")), (256, whole)] {
        let refused = build(length).unwrap_err().to_string();
        assert!(refused.contains(&said), "{refused}");
    }
}

#[tokio::test]
async fn a_context_is_closed_too_when_its_handler_is_cancelled() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.stop_timeout(Duration::ZERO).endpoint("work", |e| e.consumer(probe.handler()))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let ctx = probe.next().await.ctx;
    bus.stop().await;
    bus.start().await.unwrap();
    let refused = ctx.publish(Tocked { number: 1 }).await;
    assert!(matches!(refused, Err(Error::ContextClosed)), "{refused:?}");
    bus.stop().await;
}
