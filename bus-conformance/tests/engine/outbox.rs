//! Endpoints whose attempts are units of work: what a handler sends is one with its success, and a message is
//! handled once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bus_conformance::{
    Handled, Probe,
    faulty::{Answer, carrying, towards},
};
use bus_core::{
    Builder, Bus, Retry,
    bus::EndpointBuilder,
    consumer::{Context, Failure},
};
use uuid::Uuid;

use crate::stage::{Attempts, Stage, Ticked, Tocked, only, problem, quiet};

/// A bus whose endpoint `work` has an outbox.
async fn with_outbox(stage: &Stage, endpoint: impl FnOnce(EndpointBuilder) -> EndpointBuilder) -> Bus {
    stage.bus(|b| b.endpoint("work", |e| endpoint(e.outbox()))).await
}

/// A handler that counts its calls and publishes a `Tocked` of the call's number.
fn publishing(calls: &Attempts) -> impl Fn(Ticked, Context) -> Handled + Send + Sync + use<> {
    let calls = calls.clone();
    move |_, ctx| {
        let number = u32::try_from(calls.note(ctx.attempt())).unwrap();
        Box::pin(async move { ctx.publish(Tocked { number }).await.map_err(Failure::from) })
    }
}

fn tocked(stage: &Stage) -> usize {
    let sent = stage.faults.steps();
    sent.iter().filter_map(|step| step.submitted()).filter(|message| carrying::<Tocked>(message)).count()
}

#[tokio::test]
async fn what_a_handler_sends_leaves_after_it_succeeded_and_never_if_it_failed() {
    let stage = Stage::new().await;
    let probe = Probe::<Tocked>::open();
    let watch = stage.bus(|b| b.endpoint("watch", |e| e.consumer(probe.handler()))).await;
    let (before, gate) = (Arc::new(AtomicU32::new(0)), Probe::<Ticked>::closed());
    let (count, opening) = (before.clone(), gate.clone());
    let bus = with_outbox(&stage, |e| {
        e.retry(Retry::immediate(1)).consumer(move |ticked: Ticked, ctx: Context| {
            let (count, gate) = (count.clone(), opening.clone());
            async move {
                // Nothing is waited for, `confirmed()` or not.
                ctx.publish(Tocked { number: ctx.attempt() }).confirmed().await?;
                count.fetch_add(1, Ordering::SeqCst);
                if ctx.attempt() == 0 {
                    return Err("after it has sent".into());
                }
                gate.handle(ticked, ctx).await
            }
        })
    })
    .await;
    watch.send("queue:work", Ticked { number: 1 }).await.unwrap();
    gate.next().await;
    quiet().await;
    assert_eq!((before.load(Ordering::SeqCst), tocked(&stage)), (2, 0), "two attempts, and nothing has left");
    gate.let_through(1);
    assert_eq!(probe.next().await.message, Tocked { number: 1 });
    let steps = stage.completed("work", 1).await;
    assert!(only(&steps, |step| step.confirms(carrying::<Tocked>)) < only(&steps, |step| step.completes("work")));
    bus.stop().await;
    watch.stop().await;
    assert_eq!(probe.left().await, 0);
}

#[tokio::test]
async fn a_message_that_comes_twice_is_handled_once_by_each_consumer() {
    let stage = Stage::new().await;
    let (first, second) = (Attempts::default(), Attempts::default());
    // Two closures of one name.
    let count = |calls: &Attempts| {
        let calls = calls.clone();
        move |_: Ticked, ctx: Context| {
            calls.note(ctx.attempt());
            async { Ok::<(), Failure>(()) }
        }
    };
    let bus = with_outbox(&stage, |e| e.consumer(count(&first)).consumer(count(&second))).await;
    let id = Uuid::now_v7();
    for _ in 0..3 {
        bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
    }
    bus.publish(Ticked { number: 2 }).await.unwrap();
    stage.completed("work", 4).await;
    assert_eq!((first.so_far().len(), second.so_far().len()), (2, 2));
    bus.stop().await;
}

#[tokio::test]
async fn a_message_that_comes_while_it_is_handled_waits_for_the_end_of_that() {
    for fails in [false, true] {
        let stage = Stage::new().await;
        let probe = Probe::<Ticked>::closed();
        let handler = probe.handler();
        let bus = with_outbox(&stage, |e| {
            e.consumer(move |ticked: Ticked, ctx: Context| {
                let redelivered = ctx.message_id();
                let seen = handler(ticked, ctx);
                async move {
                    seen.await?;
                    if fails && redelivered.is_some() { Err(Failure::from("no")) } else { Ok(()) }
                }
            })
        })
        .await;
        let id = Uuid::now_v7();
        for _ in 0..2 {
            bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
        }
        probe.next().await;
        quiet().await;
        assert_eq!(probe.left().await, 0, "the second one waits");
        probe.let_through(2);
        stage.completed("work", 2).await;
        bus.stop().await;
        assert_eq!(probe.left().await, usize::from(fails), "what failed did not happen");
    }
}

#[tokio::test]
async fn a_stop_returns_a_message_that_waits_for_its_twin() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = with_outbox(&stage, |e| e.consumer(probe.handler())).await;
    let id = Uuid::now_v7();
    for _ in 0..2 {
        bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
    }
    probe.next().await;
    quiet().await;
    let stop = tokio::spawn({
        let bus = bus.clone();
        async move { bus.stop().await }
    });
    quiet().await;
    probe.let_through(1);
    stop.await.unwrap();
    assert_eq!((stage.count("work").await, probe.left().await), (1, 0));
}

#[tokio::test]
async fn after_the_commit_an_outage_is_waited_for_without_a_second_run() {
    for answer in [Answer::NotSent, Answer::Unknown] {
        let stage = Stage::new().await;
        let calls = Attempts::default();
        let bus = with_outbox(&stage, |e| e.consumer(publishing(&calls))).await;
        stage.faults.answer(2, carrying::<Tocked>, answer);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        let steps = stage.completed("work", 1).await;
        assert_eq!(calls.so_far(), [0], "{answer:?}");
        let sent = steps.iter().filter_map(|step| step.submitted()).filter(|message| carrying::<Tocked>(message));
        let ids: Vec<_> = sent.map(|message| message.message_id.clone().unwrap()).collect();
        assert_eq!(ids, vec![ids[0].clone(); 3], "{answer:?}");
        bus.stop().await;
    }
}

#[tokio::test]
async fn what_was_committed_and_did_not_leave_before_a_stop_leaves_after_the_next_start() {
    let stage = Stage::new().await;
    let (calls, probe) = (Attempts::default(), Probe::<Tocked>::open());
    let watch = stage.bus(|b| b.endpoint("watch", |e| e.consumer(probe.handler()))).await;
    let bus = with_outbox(&stage, |e| e.consumer(publishing(&calls))).await;
    stage.faults.answer(usize::MAX, carrying::<Tocked>, Answer::NotSent);
    watch.send("queue:work", Ticked { number: 1 }).await.unwrap();
    stage
        .faults
        .until("the outage", |steps| steps.iter().any(|step| step.submitted().is_some_and(carrying::<Tocked>)))
        .await;
    bus_conformance::eventually("health to say so", || problem(&bus).is_some_and(|why| why.contains("held"))).await;
    bus.stop().await;
    assert_eq!(stage.count("work").await, 1, "it went back");
    stage.faults.heal();
    bus.start().await.unwrap();
    assert_eq!(probe.next().await.message, Tocked { number: 0 });
    stage.completed("work", 1).await;
    bus.stop().await;
    watch.stop().await;
    assert_eq!((calls.so_far().len(), probe.left().await), (1, 0), "the handler ran once");
}

#[tokio::test]
async fn a_message_that_was_committed_and_reaches_nobody_is_found_in_error() {
    for (answer, says) in [(Answer::Unroutable, "it reaches no queue"), (Answer::Rejected, "a scripted refusal")] {
        let stage = Stage::new().await;
        let calls = Attempts::default();
        let bus = with_outbox(&stage, |e| e.consumer(publishing(&calls))).await;
        stage.faults.answer(1, carrying::<Tocked>, answer);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
        let said = letter.fault_message().unwrap();
        assert!(said.contains(says) && said.contains("Tocked"), "{said}");
        assert_eq!(bus_core::envelope::Envelope::read(&letter.body).unwrap().message, r#"{"number":0}"#);
        stage.completed("work", 1).await;
        bus.stop().await;
        assert_eq!(calls.so_far(), [0], "what is done is done");
    }
}

#[tokio::test]
async fn a_handled_message_is_remembered_for_half_an_hour() {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let url = format!("memory://outbox-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let calls = Attempts::default();
    let configure = |b: Builder| b.endpoint("work", |e| e.outbox().consumer(publishing(&calls)));
    let h = bus_core::testing::Harness::on(&bus_inmemory::DRIVER, url, configure).await;
    let id = Uuid::now_v7();
    let half_an_hour = Duration::from_secs(30 * 60);
    for (pause, runs) in [(Duration::ZERO, 1), (half_an_hour - Duration::from_secs(1), 1), (Duration::from_secs(1), 2)]
    {
        h.advance(pause).await;
        let bus: &Bus = &h;
        bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
        h.settled().await;
        assert_eq!(calls.so_far().len(), runs);
    }
}

#[tokio::test]
async fn an_attempt_with_an_outbox_sends_no_more_than_ten_thousand_messages() {
    let stage = Stage::new().await;
    let bus = with_outbox(&stage, |e| {
        e.consumer(async |_: Ticked, ctx: Context| {
            for number in 0..=10_000 {
                ctx.publish(Tocked { number }).await?;
            }
            Ok::<(), Failure>(())
        })
    })
    .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert!(letter.fault_message().unwrap().contains("at most 10000 messages"), "{:?}", letter.fault_message());
    assert_eq!(tocked(&stage), 0);
    bus.stop().await;
}

#[tokio::test]
async fn what_asks_for_a_durable_store_is_refused_without_one() {
    let stage = Stage::new().await;
    let consumer = async |_: Ticked| Ok::<(), Failure>(());
    let refused = stage.place.builder().endpoint("work", |e| e.effectively_once().outbox().consumer(consumer)).build();
    let said = refused.unwrap_err().to_string();
    assert!(
        said.contains("endpoint `work`: `.effectively_once()` needs a store") && said.contains(".persistence("),
        "{said}"
    );
}

#[tokio::test]
async fn a_fault_does_not_wait_for_an_outbox() {
    let stage = Stage::new().await;
    let bus = with_outbox(&stage, |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no".into()))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.lying("work_error", 1).await;
    bus.stop().await;
    let steps = stage.faults.steps();
    let fault = steps.iter().position(|step| step.confirms(carrying::<bus_core::fault::Fault<Ticked>>)).unwrap();
    assert!(fault < steps.iter().position(|step| step.confirms(towards("work_error"))).unwrap());
}
