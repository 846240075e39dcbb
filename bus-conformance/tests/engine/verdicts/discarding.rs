//! Messages that a handler will have nothing to do with.

use bus_conformance::faulty::{Answer, carrying};
use bus_core::{
    Retry,
    consumer::{Context, Discard, Failure, Verdict},
};

use super::{Cause, Configure, NoSuchTick, Own, discarded, failed, failing, plain};
use crate::stage::{Attempts, Stage, Ticked, Tocked, only, quiet};

#[tokio::test]
async fn a_discarded_message_is_completed_and_nowhere_else() {
    let cases: [(Cause, Configure); 4] = [
        (discarded, |e| e.retry(Retry::immediate(3))),
        (|| Failure::discard("an old tick"), |e| e),
        (plain, |e| e.classify(|_: &NoSuchTick| Verdict::Discard)),
        (plain, |e| e.retry(Retry::immediate(3).unless::<Own>()).classify(|_: &Own| Verdict::Discard)),
    ];
    for (cause, endpoint) in cases {
        let stage = Stage::new().await;
        let (bus, attempts) = failed(&stage, cause, endpoint).await;
        let steps = stage.completed("work", 1).await;
        bus.stop().await;
        assert_eq!(attempts.so_far(), [0]);
        // No fault, no move: nothing but the message itself was ever sent.
        only(&steps, |step| step.submitted().is_some());
        assert_eq!((stage.count("work").await, stage.count("work_error").await), (0, 0));
    }
}

#[tokio::test]
async fn a_consumer_that_discards_does_not_decide_for_another() {
    let stage = Stage::new().await;
    let [first, second] = [Attempts::default(), Attempts::default()];
    let [discards, fails] = [failing(&first, discarded), failing(&second, plain)];
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(discards).consumer(fails))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_message(), Some("the handler's own: no such tick"));
    assert_eq!((first.so_far(), second.so_far()), (vec![0], vec![0]));
    bus.stop().await;
}

/// A handler that sends a `Tocked`, and then discards its message.
async fn sends_and_discards(_: Ticked, ctx: Context) -> Result<(), Failure> {
    ctx.publish(Tocked { number: 1 }).await?;
    Err(Discard::new("it is refused, and everybody was told").into())
}

#[tokio::test]
async fn what_was_sent_before_a_discard_is_confirmed_before_the_message_is_completed() {
    let stage = Stage::new().await;
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(sends_and_discards))).await;
    let withheld = stage.faults.withhold(carrying::<Tocked>);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage
        .faults
        .until("the handler's message", |steps| {
            steps.iter().filter_map(|step| step.submitted()).any(carrying::<Tocked>)
        })
        .await;
    quiet().await;
    assert!(!stage.has_completed("work"), "the confirm is not there yet");
    withheld.release();
    let steps = stage.completed("work", 1).await;
    let confirmed = only(&steps, |step| step.confirms(carrying::<Tocked>));
    assert!(confirmed < only(&steps, |step| step.completes("work")), "{steps:#?}");
    bus.stop().await;
}

#[tokio::test]
async fn what_was_sent_before_a_discard_outlives_an_outage_and_a_refusal_fails_the_attempt() {
    let stage = Stage::new().await;
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(sends_and_discards))).await;
    stage.faults.answer(1, carrying::<Tocked>, Answer::NotSent);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let steps = stage.completed("work", 1).await;
    only(&steps, |step| step.confirms(carrying::<Tocked>));
    assert_eq!(stage.count("work_error").await, 0);
    stage.faults.answer(1, carrying::<Tocked>, Answer::Rejected);
    bus.publish(Ticked { number: 2 }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    let said = letter.fault_message().unwrap();
    assert!(said.contains("a scripted refusal"), "{said}");
    bus.stop().await;
}
