//! Endpoints with an outbox on a store that misbehaves.

mod scripted;

use std::time::Duration;

use bus_conformance::{
    Handled, Probe, eventually,
    faulty::{Answer, Step, carrying},
    soon,
};
use bus_core::{
    Bus, Retry,
    bus::EndpointBuilder,
    clock::Clock,
    consumer::{Context, Failure, Verdict},
    persistence::PersistenceError,
};
use scripted::{Call, Scripted, Trouble};
use uuid::Uuid;

use crate::stage::{Attempts, Stage, Ticked, Tocked, pass, problem, quiet};

/// A bus over that store, whose endpoint `work` publishes a `Tocked` for each `Ticked`.
async fn bus(
    stage: &Stage,
    store: &Scripted,
    attempts: &Attempts,
    work: impl FnOnce(EndpointBuilder) -> EndpointBuilder,
) -> Bus {
    let noted = attempts.clone();
    let handler = move |Ticked { number }: Ticked, ctx: Context| -> Handled {
        noted.note(ctx.attempt());
        Box::pin(async move { ctx.publish(Tocked { number }).await.map_err(Failure::from) })
    };
    stage
        .bus(|b| {
            b.persistence(store.clone())
                .stop_timeout(Duration::from_millis(50))
                .endpoint("work", |e| work(e.effectively_once()).consumer(handler))
        })
        .await
}

/// The ids of the `Tocked`s that were handed over.
fn sent(stage: &Stage) -> Vec<String> {
    let steps = stage.faults.steps();
    let sent = steps.iter().filter_map(Step::submitted).filter(|message| carrying::<Tocked>(message));
    sent.map(|message| message.message_id.as_deref().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_no_attempt_and_health_says_why_until_it_is_back() {
    // How often the handler ran until then: once for each time that the store was asked after it.
    for (call, runs_in_vain) in [(Call::Begin, false), (Call::Claim, false), (Call::Append, true), (Call::Commit, true)]
    {
        let (stage, store, attempts) = (Stage::new().await, Scripted::default(), Attempts::default());
        let bus = bus(&stage, &store, &attempts, |e| e).await;
        store.trouble(usize::MAX, call, Trouble::Unavailable);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        eventually("health to say so", || problem(&bus).is_some_and(|why| why.contains("a scripted outage"))).await;
        eventually("another try", || store.count(call) >= 2).await;
        assert!(sent(&stage).is_empty(), "{call:?}");
        store.heal();
        stage.completed("work", 1).await;
        assert!(bus.health().healthy, "{call:?}");
        let attempts = attempts.so_far();
        assert!(attempts.iter().all(|attempt| *attempt == 0), "{call:?} is uncounted: {attempts:?}");
        assert_eq!(attempts.len() > 1, runs_in_vain, "{call:?}: {attempts:?}");
        assert_eq!(sent(&stage).len(), 1, "{call:?}: what an attempt in vain sent never leaves");
        bus.stop().await;
        assert_eq!(stage.count("work_error").await, 0);
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_not_done_twice_and_what_was_unsent_leaves() {
    let (stage, store, attempts) = (Stage::new().await, Scripted::default(), Attempts::default());
    let bus = bus(&stage, &store, &attempts, |e| e).await;
    store.trouble(1, Call::Commit, Trouble::AnswerLost);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.completed("work", 1).await;
    assert_eq!(attempts.so_far(), [0]);
    assert_eq!((store.count(Call::Claim), store.count(Call::Delivered)), (2, 1));
    assert_eq!(sent(&stage).len(), 1);
    bus.stop().await;
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (0, 0));
}

#[tokio::test]
async fn a_store_that_refuses_is_a_failure_that_the_retry_policy_is_asked_about() {
    for (call, ran) in [(Call::Begin, false), (Call::Claim, false), (Call::Append, true), (Call::Commit, true)] {
        for (trouble, says) in [
            (Trouble::Conflict, "a scripted row was changed by somebody else meanwhile"),
            (Trouble::Refused, "the store refused: a scripted refusal"),
        ] {
            let (stage, store, attempts) = (Stage::new().await, Scripted::default(), Attempts::default());
            let bus = bus(&stage, &store, &attempts, |e| e.retry(Retry::immediate(1))).await;
            store.trouble(1, call, trouble);
            bus.publish(Ticked { number: 1 }).await.unwrap();
            stage.completed("work", 1).await;
            let expected: &[u32] = if ran { &[0, 1] } else { &[1] };
            assert_eq!(attempts.so_far(), expected, "{call:?} {trouble:?}");
            assert_eq!(sent(&stage).len(), 1, "{call:?} {trouble:?}");
            store.trouble(2, call, trouble);
            bus.publish(Ticked { number: 2 }).await.unwrap();
            let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
            assert_eq!(letter.fault_message(), Some(says), "{call:?}");
            assert_eq!(letter.headers.get("MT-Fault-RetryCount"), Some(&1.into()));
            assert_eq!(sent(&stage).len(), 1, "{call:?} {trouble:?}: of a failure nothing leaves");
            bus.stop().await;
        }
    }
}

#[tokio::test]
async fn filters_and_classifiers_see_what_a_store_refuses() {
    let (stage, store, attempts) = (Stage::new().await, Scripted::default(), Attempts::default());
    let work = |e: EndpointBuilder| e.retry(Retry::immediate(3).unless::<PersistenceError>());
    let excluded = bus(&stage, &store, &attempts, work).await;
    for (count, call) in [(1, Call::Claim), (2, Call::Commit)] {
        store.trouble(1, call, Trouble::Refused);
        excluded.publish(Ticked { number: 1 }).await.unwrap();
        for letter in stage.lying("work_error", count).await {
            assert_eq!(letter.headers.get("MT-Fault-RetryCount"), None, "{call:?}");
        }
    }
    excluded.stop().await;

    let stage = Stage::new().await;
    let discard = |e: EndpointBuilder| e.classify(|_: &PersistenceError| Verdict::Discard);
    let classified = bus(&stage, &store, &attempts, discard).await;
    for (count, call) in [(1, Call::Claim), (2, Call::Commit)] {
        store.trouble(1, call, Trouble::Conflict);
        classified.publish(Ticked { number: 1 }).await.unwrap();
        stage.completed("work", count).await;
    }
    classified.stop().await;
    assert_eq!((stage.count("work_error").await, sent(&stage).len()), (0, 0));
}

#[tokio::test]
async fn a_store_that_never_answers_does_not_hold_up_a_stop() {
    for call in [Call::Begin, Call::Claim, Call::Append, Call::Commit] {
        let (stage, store, attempts) = (Stage::new().await, Scripted::default(), Attempts::default());
        let bus = bus(&stage, &store, &attempts, |e| e).await;
        store.trouble(1, call, Trouble::Silent);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        eventually("the call", || store.count(call) == 1).await;
        soon("the stop", bus.stop()).await;
        assert_eq!((stage.count("work").await, sent(&stage).len()), (1, 0), "{call:?}");
        // Nothing of the unit is left: the message can be claimed.
        bus.start().await.unwrap();
        stage.completed("work", 1).await;
        bus.stop().await;
        assert_eq!((stage.count("work").await, stage.count("work_error").await), (0, 0), "{call:?}");
        assert_eq!(sent(&stage).len(), 1, "{call:?}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_shows_in_health_after_five_seconds() {
    for call in [Call::Begin, Call::Append, Call::Commit, Call::Delivered] {
        let (stage, store, clock) = (Stage::new().await, Scripted::default(), Clock::manual(7));
        let bus = stage
            .bus(|b| {
                b.persistence(store.clone()).clock(clock.clone()).endpoint("work", |e| {
                    let publishing = async |Ticked { number }, ctx: Context| ctx.publish(Tocked { number }).await;
                    e.outbox().consumer(publishing)
                })
            })
            .await;
        store.trouble(1, call, Trouble::Silent);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        eventually("the call", || store.count(call) == 1).await;
        pass(&clock, Duration::from_secs(4)).await;
        assert_eq!(problem(&bus), None, "{call:?}");
        pass(&clock, Duration::from_secs(2)).await;
        let said = problem(&bus).unwrap_or_default();
        assert!(said.contains("the store has not answered when asked to"), "{call:?}: {said}");
        let stop = tokio::spawn(async move { bus.stop().await });
        pass(&clock, Duration::from_secs(60)).await;
        soon("the stop", stop).await.unwrap();
    }
}

#[tokio::test]
async fn what_waits_for_a_silent_store_at_the_begin_goes_back_at_once() {
    for call in [Call::Begin, Call::Claim] {
        let (stage, store, gate) = (Stage::new().await, Scripted::default(), Probe::<Tocked>::closed());
        let bus = stage
            .bus(|b| {
                b.persistence(store.clone()).stop_timeout(Duration::MAX).endpoint("work", |e| {
                    e.outbox().consumer(async |_: Ticked| Ok::<(), Failure>(())).consumer(gate.handler())
                })
            })
            .await;
        bus.publish(Tocked { number: 1 }).await.unwrap();
        gate.next().await;
        store.trouble(1, call, Trouble::Silent);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        eventually("the call", || store.count(call) == 2).await;
        let stop = tokio::spawn({
            let bus = bus.clone();
            async move { bus.stop().await }
        });
        quiet().await;
        assert_eq!(stage.count("work").await, 1, "{call:?}: while the other one is still at work");
        gate.let_through(1);
        soon("the stop", stop).await.unwrap();
    }
}

#[tokio::test]
async fn a_store_that_cannot_note_what_was_sent_does_no_harm_and_it_is_sent_once_more_with_the_same_id() {
    for trouble in [Trouble::Unavailable, Trouble::Refused] {
        let (stage, store, attempts) = (Stage::new().await, Scripted::default(), Attempts::default());
        let bus = bus(&stage, &store, &attempts, |e| e).await;
        store.trouble(1, Call::Delivered, trouble);
        let id = Uuid::now_v7();
        bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
        stage.completed("work", 1).await;
        assert!(bus.health().healthy);
        bus.stop().await;
        bus.start().await.unwrap();
        // As if its acknowledgement had been lost.
        bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
        stage.completed("work", 2).await;
        let ids = sent(&stage);
        assert_eq!(ids, vec![ids[0].clone(); 2], "{trouble:?}");
        // This time it was noted.
        bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
        stage.completed("work", 3).await;
        assert_eq!((sent(&stage).len(), attempts.so_far()), (2, vec![0]), "{trouble:?}");
        bus.stop().await;
        assert_eq!(stage.count("work_error").await, 0);
    }
}

#[tokio::test]
async fn a_store_that_never_notes_what_was_sent_does_not_hold_up_a_stop_and_the_message_is_done() {
    let (stage, store, attempts) = (Stage::new().await, Scripted::default(), Attempts::default());
    let bus = bus(&stage, &store, &attempts, |e| e).await;
    store.trouble(1, Call::Delivered, Trouble::Silent);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    eventually("the call", || store.count(Call::Delivered) == 1).await;
    soon("the stop", bus.stop()).await;
    assert_eq!((stage.count("work").await, attempts.so_far()), (0, vec![0]), "all of it was sent");
}

#[tokio::test]
async fn an_outage_of_broker_and_store_one_after_the_other_loses_nothing() {
    let (stage, store, attempts) = (Stage::new().await, Scripted::default(), Attempts::default());
    let bus = bus(&stage, &store, &attempts, |e| e).await;
    store.trouble(2, Call::Commit, Trouble::AnswerLost);
    store.trouble(1, Call::Claim, Trouble::Unavailable);
    store.trouble(1, Call::Begin, Trouble::Unavailable);
    stage.faults.answer(2, carrying::<Tocked>, Answer::NotSent);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.completed("work", 1).await;
    assert_eq!(attempts.so_far(), [0]);
    let ids = sent(&stage);
    assert_eq!(ids, vec![ids[0].clone(); 3]);
    bus.stop().await;
}
