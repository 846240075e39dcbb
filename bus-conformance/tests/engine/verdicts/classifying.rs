//! What endpoints make of errors by their type.

use bus_conformance::{
    Probe,
    faulty::{Answer, carrying, towards},
};
use bus_core::{
    Error, Retry,
    consumer::{Context, DecodeError, Failure, Verdict},
};

use super::{Configure, NoSuchTick, failing, plain};
use crate::stage::{Attempts, Stage, Ticked, Tocked, only, quiet};

#[tokio::test]
async fn a_refused_message_of_the_handlers_is_classified_too() {
    let cases: [(Configure, usize); 2] =
        [(|e| e.classify(|_: &Error| Verdict::Permanent), 1), (|e| e.classify(|_: &Error| Verdict::Discard), 0)];
    for (endpoint, moved) in cases {
        let stage = Stage::new().await;
        let attempts = Attempts::default();
        let noted = attempts.clone();
        let handler = move |_: Ticked, ctx: Context| {
            noted.note(ctx.attempt());
            async move {
                ctx.publish(Tocked { number: 1 }).await?;
                ctx.send("queue:other", Tocked { number: 2 }).await
            }
        };
        let bus = stage
            .bus(|b| {
                b.endpoint("work", |e| endpoint(e.retry(Retry::immediate(3))).consumer(handler))
                    .endpoint("other", |e| e.consumer(async |_: Tocked| Ok::<(), Failure>(())).without_subscriptions())
            })
            .await;
        stage.faults.answer(1, carrying::<Tocked>, Answer::Unroutable);
        let withheld = stage.faults.withhold(towards("other"));
        bus.publish(Ticked { number: 1 }).await.unwrap();
        if moved == 0 {
            stage
                .faults
                .until("the other message", |steps| {
                    steps.iter().filter_map(|step| step.submitted()).any(towards("other"))
                })
                .await;
            quiet().await;
            assert!(!stage.has_completed("work"), "the other message is waited for");
        }
        withheld.release();
        stage.completed("work", 1).await;
        bus.stop().await;
        assert_eq!(attempts.so_far(), [0]);
        assert_eq!(stage.count("work_error").await, moved);
    }
}

#[tokio::test]
async fn a_classifier_or_filter_that_panics_is_a_failure_and_the_next_message_is_handled() {
    let cases: [Configure; 3] = [
        |e| e.retry(Retry::immediate(1)).classify(|_: &NoSuchTick| panic!("a judge without words")),
        |e| e.retry(Retry::immediate(1).unless_if(|_: &NoSuchTick| panic!("a judge without words"))),
        |e| e.retry(Retry::immediate(1).only_if(|_: &NoSuchTick| panic!("a judge without words"))),
    ];
    for endpoint in cases {
        let stage = Stage::new().await;
        let attempts = Attempts::default();
        let probe = Probe::<Tocked>::open();
        let (handler, fine) = (failing(&attempts, plain), probe.handler());
        let bus =
            stage.bus(|b| b.endpoint("work", |e| endpoint(e).concurrency(1).consumer(handler).consumer(fine))).await;
        bus.publish(Ticked { number: 1 }).await.unwrap();
        bus.publish(Tocked { number: 1 }).await.unwrap();
        probe.next().await;
        let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
        let said = letter.fault_message().unwrap();
        assert!(said.starts_with("the handler's own: no such tick"), "{said}");
        assert!(said.contains("a judge without words"), "{said}");
        stage.completed("work", 2).await;
        assert_eq!(attempts.so_far(), [0, 1]);
        assert!(bus.health().healthy, "{:?}", bus.health());
        bus.stop().await;
    }
}

#[tokio::test]
async fn a_classifier_that_panics_over_a_refused_message_fails_the_attempt() {
    let stage = Stage::new().await;
    let attempts = Attempts::default();
    let noted = attempts.clone();
    let handler = move |_: Ticked, ctx: Context| {
        noted.note(ctx.attempt());
        async move { ctx.publish(Tocked { number: 1 }).await }
    };
    let classify = |_: &Error| -> Verdict { panic!("a judge without words") };
    let bus =
        stage.bus(|b| b.endpoint("work", |e| e.retry(Retry::immediate(1)).classify(classify).consumer(handler))).await;
    stage.faults.answer(usize::MAX, carrying::<Tocked>, Answer::Rejected);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    let said = letter.fault_message().unwrap();
    assert!(said.contains("a scripted refusal") && said.contains("a judge without words"), "{said}");
    assert_eq!(attempts.so_far(), [0, 1]);
    bus.stop().await;
}

#[tokio::test]
async fn a_payload_that_does_not_decode_can_be_discarded() {
    #[derive(Debug, serde::Serialize, serde::Deserialize, bus_core::Message)]
    #[message(namespace = "Bus.Engine", name = "Ticked", crate = bus_core)]
    struct Older {
        number: String,
    }
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let handler = probe.handler();
    let bus =
        stage.bus(|b| b.endpoint("work", |e| e.classify(|_: &DecodeError| Verdict::Discard).consumer(handler))).await;
    bus.publish(Older { number: "seven".to_owned() }).await.unwrap();
    let steps = stage.completed("work", 1).await;
    only(&steps, |step| step.submitted().is_some());
    bus.stop().await;
    assert_eq!((probe.left().await, stage.count("work_error").await), (0, 0));
}
