//! What health says while the broker does not do its part.

use std::collections::BTreeSet;

use bus_conformance::{
    Probe, eventually,
    faulty::{Answer, carrying, towards},
};
use bus_core::consumer::{Context, Failure};

use crate::stage::{Stage, Ticked, Tocked, problem, quiet};

#[tokio::test]
async fn a_lost_subscription_shows_while_all_handlers_are_busy_and_until_it_is_back() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.concurrency(1).prefetch(5).consumer(probe.handler()))).await;
    for number in 0..3 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    assert_eq!(probe.next().await.message.number, 0);
    // The other two are delivered too, and wait.
    quiet().await;
    stage.faults.lose("work", "the channel was closed");
    eventually("the loss to show", || problem(&bus).as_deref() == Some("the channel was closed")).await;
    assert!(!bus.health().healthy);
    probe.let_through(1);
    stage.completed("work", 1).await;
    quiet().await;
    assert_eq!(probe.left().await, 0, "what waited comes again from the broker, and is not handled before");
    stage.faults.restore("work");
    eventually("the subscription to be back", || bus.health().healthy).await;
    probe.let_through(3);
    let again: BTreeSet<_> = probe.take(3).await.into_iter().map(|ticked| ticked.number).collect();
    assert_eq!(again, (0..3).collect());
    stage.completed("work", 4).await;
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

#[tokio::test]
async fn a_move_that_is_refused_shows_until_it_goes_through() {
    for (answer, says) in [
        (Answer::Rejected, "a scripted refusal"),
        (Answer::NotSent, "a scripted outage"),
        (Answer::Unroutable, "no queue"),
    ] {
        let stage = Stage::new().await;
        let bus =
            stage.bus(|b| b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no".into())))).await;
        stage.faults.answer(usize::MAX, towards("work_error"), answer);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        eventually("the move to show", || {
            problem(&bus).is_some_and(|problem| problem.contains("work_error") && problem.contains(says))
        })
        .await;
        assert!(!bus.health().healthy);
        stage.faults.heal();
        stage.lying("work_error", 1).await;
        eventually("health", || bus.health().healthy).await;
        bus.stop().await;
    }
}

#[tokio::test]
async fn a_handlers_message_that_cannot_be_sent_shows_until_it_can() {
    let stage = Stage::new().await;
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| e.consumer(async |_: Ticked, ctx: Context| ctx.publish(Tocked { number: 1 }).await))
        })
        .await;
    stage.faults.answer(usize::MAX, carrying::<Tocked>, Answer::NotSent);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    eventually("the outage to show", || problem(&bus).is_some_and(|problem| problem.contains("a scripted outage")))
        .await;
    stage.faults.heal();
    eventually("health", || bus.health().healthy).await;
    stage.completed("work", 1).await;
    bus.stop().await;
}
