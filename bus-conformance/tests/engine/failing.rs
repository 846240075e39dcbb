//! What becomes of messages that fail, and of handlers that do worse than that.

use std::{collections::BTreeSet, fmt};

use bus_conformance::{
    Probe,
    faulty::{Step, carrying, towards},
};
use bus_core::{
    Retry,
    address::Destination,
    clock::Clock,
    consumer::{Context, Failure},
    fault::Fault,
    transport::{Class, Outgoing, PublishOutcome},
};
use bytes::Bytes;

use crate::stage::{Attempts, Bomb, Stage, Ticked, elsewhere, only, quiet};

#[tokio::test]
async fn a_move_to_error_is_confirmed_before_the_original_is_completed() {
    let stage = Stage::new().await;
    let bus =
        stage.bus(|b| b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no".into())))).await;
    let withheld = stage.faults.withhold(towards("work_error"));
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let moved = |steps: &[Step]| steps.iter().filter_map(Step::submitted).any(towards("work_error"));
    stage.faults.until("the move", moved).await;
    quiet().await;
    assert!(!stage.has_completed("work"), "the copy is not confirmed yet");
    withheld.release();
    let steps = stage.completed("work", 1).await;
    let confirmed = only(&steps, |step| step.confirms(towards("work_error")));
    assert!(confirmed < only(&steps, |step| step.completes("work")), "{steps:#?}");
    bus.stop().await;
}

#[tokio::test]
async fn a_payload_that_does_not_decode_is_not_retried() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.retry(Retry::immediate(5)).consumer(probe.handler()))).await;
    bus.publish(elsewhere::Ticked { number: "seven".to_owned() }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    let said = letter.fault_message().unwrap();
    assert!(said.starts_with("the payload is no urn:message:Bus.Engine:Ticked: "), "{said}");
    assert_eq!(letter.headers.get("MT-Fault-RetryCount"), None);
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

#[tokio::test]
async fn a_message_without_an_id_has_none_at_any_attempt_nor_in_error() {
    const BODY: &[u8] = br#"{"messageType":["urn:message:Bus.Engine:Ticked"],"message":{"number":1}}"#;
    let stage = Stage::new().await;
    let handled = Probe::<Ticked>::open();
    let faults = Probe::<Fault<Ticked>>::open();
    let fails = async |_: Ticked| Err::<(), Failure>("no".into());
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| e.retry(Retry::immediate(1)).consumer(handled.handler()).consumer(fails))
                .endpoint("told", |e| e.consumer(faults.handler()))
        })
        .await;
    stage.put("work", BODY).await;
    assert_eq!(faults.next().await.message.faulted_message_id, None);
    assert_eq!(handled.next().await.ctx.message_id(), None);
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    // A person who sends it back sends the same message, not one with an id of this move's own.
    assert_eq!((letter.message_id.as_deref(), &*letter.body), (None, BODY));
    bus.stop().await;
}

#[tokio::test]
async fn the_second_consumer_of_a_type_runs_although_the_first_fails() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.consumer(async |_: Ticked| Err::<(), Failure>("the first one's".into())).consumer(probe.handler())
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    probe.next().await;
    let steps = stage.completed("work", 1).await;
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
    only(&steps, |step| step.confirms(towards("work_error")));
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_message(), Some("the first one's"));
}

#[tokio::test]
async fn two_consumers_that_fail_move_their_message_once() {
    let stage = Stage::new().await;
    let failing = async |_: Ticked| Err::<(), Failure>("no".into());
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(failing).consumer(failing))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let steps = stage.completed("work", 1).await;
    only(&steps, |step| step.confirms(towards("work_error")));
    let told = steps.iter().filter(|step| step.confirms(carrying::<Fault<Ticked>>)).count();
    assert_eq!(told, 2, "each failure is told of");
    bus.stop().await;
}

#[tokio::test]
async fn a_fault_goes_to_the_fault_address_else_to_the_response_address_else_to_everybody() {
    let stage = Stage::new().await;
    let [faults, replies, everybody] = [Probe::<Fault<Ticked>>::open(), Probe::open(), Probe::open()];
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no".into())))
                .endpoint("faults", |e| e.consumer(faults.handler()).without_subscriptions())
                .endpoint("replies", |e| e.consumer(replies.handler()).without_subscriptions())
                .endpoint("everybody", |e| e.consumer(everybody.handler()))
        })
        .await;
    let (fault, reply) = ("queue:faults", "queue:replies");
    bus.publish(Ticked { number: 1 }).fault_address(fault).response_address(reply).await.unwrap();
    bus.publish(Ticked { number: 2 }).response_address(reply).await.unwrap();
    bus.publish(Ticked { number: 3 }).await.unwrap();
    assert_eq!(faults.next().await.message.message.number, 1);
    assert_eq!(replies.next().await.message.message.number, 2);
    assert_eq!(everybody.next().await.message.message.number, 3);
    stage.lying("work_error", 3).await;
    bus.stop().await;
    assert_eq!((faults.left().await, replies.left().await, everybody.left().await), (0, 0, 0));
}

#[tokio::test]
async fn a_concurrency_of_two_lets_two_handlers_run_and_not_three() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.concurrency(2).prefetch(5).consumer(probe.handler()))).await;
    for number in 0..5 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    probe.take(2).await;
    quiet().await;
    assert_eq!(probe.left().await, 0, "two run");
    for _ in 0..3 {
        probe.let_through(1);
        probe.next().await;
        quiet().await;
        assert_eq!(probe.left().await, 0, "one more for one that ended");
    }
    probe.let_through(2);
    stage.completed("work", 5).await;
    bus.stop().await;
}

struct Speechless;

impl fmt::Debug for Speechless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("nothing to show")
    }
}

impl fmt::Display for Speechless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("nothing to say")
    }
}

impl std::error::Error for Speechless {}

#[tokio::test]
async fn errors_and_panics_that_panic_again_are_one_failed_attempt_each() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let (attempts, handler) = (Attempts::default(), probe.handler());
    let noted = attempts.clone();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.concurrency(1).consumer(move |ticked: Ticked, ctx: Context| {
                    noted.note(ticked.number);
                    let number = ticked.number;
                    let fine = handler(ticked, ctx);
                    async move {
                        match number {
                            0 => Err(Speechless.into()),
                            1 => std::panic::panic_any(Bomb),
                            2 => Err(Bomb.into()),
                            _ => fine.await,
                        }
                    }
                })
            })
        })
        .await;
    for number in 0..4 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    while probe.next().await.message.number != 3 {}
    stage.lying("work_error", 3).await;
    stage.completed("work", 4).await;
    assert!(bus.health().healthy, "{:?}", bus.health());
    bus.stop().await;
    assert_eq!(attempts.so_far(), [0, 1, 2, 3]);
}

#[tokio::test]
async fn the_reason_of_an_earlier_failure_does_not_survive_the_next_move() {
    let stage = Stage::new().await;
    let bus =
        stage.bus(|b| b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("new".into())))).await;
    for body in [
        r#"{"message":{"number":1},"messageType":["urn:message:Bus.Engine:Ticked"]}"#,
        r#"{"message":{},"messageType":["urn:message:Bus.Engine:Nothing"]}"#,
    ] {
        let transport = stage.place.transport().await;
        let deadline = Clock::real().after(std::time::Duration::from_secs(30));
        let to = Destination::Queue("work".into());
        let mut message = Outgoing::new(to, Bytes::from_static(body.as_bytes()), deadline);
        for stale in ["MT-Reason", "mt-fault-message", "MT-Fault-ConsumerType", "MT-Fault-RetryCount", "MT-Fault-Own"] {
            message.headers.set(stale, "old");
        }
        message.headers.set("tenant", "north");
        let permit = transport.publisher().ready(body.len(), Class::Application).await;
        let outcome = transport.publisher().submit(permit, message).await;
        assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
    }
    let stale = |letter: &bus_core::transport::DeadLetter| -> BTreeSet<String> {
        let old = letter.headers.iter().filter(|(_, value)| **value == "old".into());
        old.map(|(name, _)| name.to_owned()).collect()
    };
    let [failed] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert_eq!((failed.reason(), failed.fault_message()), (Some("fault"), Some("new")));
    let [skipped] = &stage.lying("work_skipped", 1).await[..] else { panic!("one message") };
    assert_eq!((skipped.reason(), skipped.fault_message()), (Some("dead-letter"), None));
    for letter in [failed, skipped] {
        assert_eq!(stale(letter), BTreeSet::new());
        assert_eq!(letter.headers.text("tenant"), Some("north"));
    }
    bus.stop().await;
}
