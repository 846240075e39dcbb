//! What handlers send: confirmed before their message is completed, sent again after an outage.

use bus_conformance::{
    Probe,
    faulty::{Answer, carrying, towards},
};
use bus_core::{
    Retry,
    consumer::{Context, Failure},
};
use futures_util::FutureExt;

use crate::stage::{Attempts, Stage, Ticked, Tocked, only, quiet};

#[tokio::test]
async fn what_a_handler_sends_is_confirmed_before_its_message_is_completed() {
    let stage = Stage::new().await;
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| e.consumer(async |_: Ticked, ctx: Context| ctx.publish(Tocked { number: 1 }).await))
        })
        .await;
    is_completed_after_its_confirm(stage, &bus).await;
}

#[tokio::test]
async fn a_confirm_that_the_handler_gave_up_on_is_awaited_all_the_same() {
    let stage = Stage::new().await;
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.consumer(async |_: Ticked, ctx: Context| {
                    let mut confirmed = ctx.publish(Tocked { number: 1 }).confirmed().into_future();
                    // As a timeout or a `select!` does it: looked at, and dropped.
                    assert!((&mut confirmed).now_or_never().is_none());
                    Ok::<(), Failure>(())
                })
            })
        })
        .await;
    is_completed_after_its_confirm(stage, &bus).await;
}

#[tokio::test]
async fn a_confirm_that_a_task_of_the_handlers_waits_for_is_awaited_too() {
    let stage = Stage::new().await;
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.consumer(async |_: Ticked, ctx: Context| {
                    tokio::spawn(async move { ctx.publish(Tocked { number: 1 }).confirmed().await });
                    // The task has handed its message over, and the handler is done before the confirm.
                    quiet().await;
                    Ok::<(), Failure>(())
                })
            })
        })
        .await;
    is_completed_after_its_confirm(stage, &bus).await;
}

async fn is_completed_after_its_confirm(stage: Stage, bus: &bus_core::Bus) {
    let withheld = stage.faults.withhold(carrying::<Tocked>);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let sent = |steps: &[bus_conformance::faulty::Step]| {
        steps.iter().filter_map(|step| step.submitted()).any(carrying::<Tocked>)
    };
    stage.faults.until("the handler's message", sent).await;
    // For the handler, which may be quiet itself, and for what comes after it.
    quiet().await;
    quiet().await;
    assert!(!stage.has_completed("work"), "the confirm is not there yet");
    withheld.release();
    let steps = stage.completed("work", 1).await;
    let confirmed = only(&steps, |step| step.confirms(carrying::<Tocked>));
    assert!(confirmed < only(&steps, |step| step.completes("work")), "{steps:#?}");
    bus.stop().await;
}

#[tokio::test]
async fn after_an_outage_a_handlers_messages_are_sent_again_without_a_second_run() {
    for answer in [Answer::NotSent, Answer::Unknown] {
        let stage = Stage::new().await;
        let probe = Probe::<Ticked>::open();
        let handler = probe.handler();
        let bus = stage
            .bus(|b| {
                b.endpoint("work", |e| {
                    e.consumer(move |ticked: Ticked, ctx: Context| {
                        let seen = handler(ticked, ctx.clone());
                        async move {
                            ctx.publish(Tocked { number: 1 }).await?;
                            seen.await
                        }
                    })
                })
            })
            .await;
        stage.faults.answer(2, carrying::<Tocked>, answer);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        probe.next().await;
        stage.completed("work", 1).await;
        bus.stop().await;
        assert_eq!(probe.left().await, 0, "{answer:?}: the handler ran once");
        let steps = stage.faults.steps();
        only(&steps, |step| step.completes("work"));
        let sent = steps.iter().filter_map(|step| step.submitted()).filter(|message| carrying::<Tocked>(message));
        let ids: Vec<_> = sent.map(|message| message.message_id.clone().unwrap()).collect();
        assert_eq!(ids, vec![ids[0].clone(); 3], "{answer:?}");
        assert_eq!(stage.count("work_error").await, 0);
    }
}

/// An error without a source: nothing in it tells of the broker.
#[derive(Debug)]
struct Opaque;

impl std::fmt::Display for Opaque {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("something went wrong")
    }
}

impl std::error::Error for Opaque {}

#[tokio::test]
async fn an_outage_that_a_handler_returns_is_no_attempt() {
    for answer in [Answer::NotSent, Answer::Unknown] {
        outage_is_no_attempt(answer, Failure::from).await;
    }
}

#[tokio::test]
async fn an_outage_is_no_attempt_even_if_the_handlers_error_hides_it() {
    for answer in [Answer::NotSent, Answer::Unknown] {
        outage_is_no_attempt(answer, |_| Opaque.into()).await;
    }
}

/// Two outages, then a failure of the handler's own, which is the first of two attempts.
async fn outage_is_no_attempt(answer: Answer, wrap: fn(bus_core::Error) -> Failure) {
    let stage = Stage::new().await;
    let attempts = Attempts::default();
    let noted = attempts.clone();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.retry(Retry::immediate(1)).consumer(move |_: Ticked, ctx: Context| {
                    let before = noted.note(ctx.attempt());
                    async move {
                        ctx.publish(Tocked { number: 1 }).confirmed().await.map_err(wrap)?;
                        if before == 2 { Err("the handler's own failure".into()) } else { Ok::<(), Failure>(()) }
                    }
                })
            })
        })
        .await;
    stage.faults.answer(2, carrying::<Tocked>, answer);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let steps = stage.completed("work", 1).await;
    assert_eq!(attempts.so_far(), [0, 0, 0, 1], "{answer:?}");
    assert!(!steps.iter().filter_map(|step| step.submitted()).any(towards("work_error")));
    bus.stop().await;
}

#[tokio::test]
async fn a_message_that_the_broker_refuses_fails_the_attempt_that_sent_it() {
    for (answer, says) in [(Answer::Rejected, "a scripted refusal"), (Answer::Unroutable, "reaches no queue")] {
        let stage = Stage::new().await;
        let attempts = Attempts::default();
        let noted = attempts.clone();
        let bus = stage
            .bus(|b| {
                b.endpoint("work", |e| {
                    e.retry(Retry::immediate(1)).consumer(move |_: Ticked, ctx: Context| {
                        noted.note(ctx.attempt());
                        async move { ctx.publish(Tocked { number: 1 }).await }
                    })
                })
            })
            .await;
        stage.faults.answer(2, carrying::<Tocked>, answer);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
        let said = letter.fault_message().unwrap();
        assert!(said.contains(says), "{said}");
        assert_eq!(attempts.so_far(), [0, 1]);
        bus.stop().await;
    }
}
