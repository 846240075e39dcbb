//! What errors, classifiers and filters say about a failed message: how often it is tried, and where it ends.

mod classifying;
mod discarding;

use std::{fmt, future::Ready, time::Duration};

use bus_conformance::soon;
use bus_core::{
    BoxError, Bus, Error, Posted, Retry,
    bus::EndpointBuilder,
    consumer::{Context, Discard, Failure, ResultExt, Verdict},
    transport::DeadLetter,
};

use crate::stage::{Attempts, Stage, Ticked, only, quiet};

#[derive(Debug)]
struct NoSuchTick;

#[derive(Debug)]
struct Own(BoxError);

impl fmt::Display for NoSuchTick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such tick")
    }
}

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handler's own")
    }
}

impl std::error::Error for NoSuchTick {}

impl std::error::Error for Own {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// What a handler fails with.
type Cause = fn() -> Failure;

/// How its endpoint is configured.
type Configure = fn(EndpointBuilder) -> EndpointBuilder;

fn plain() -> Failure {
    Own(NoSuchTick.into()).into()
}

fn permanent() -> Failure {
    Own(Err::<(), _>(NoSuchTick).permanent().unwrap_err().into()).into()
}

fn at_once() -> Failure {
    Own(Err::<(), _>(NoSuchTick).retry_after(Duration::ZERO).unwrap_err().into()).into()
}

fn discarded() -> Failure {
    Own(Discard::new("an old tick").into()).into()
}

/// A handler that fails, and notes its attempts.
fn failing(attempts: &Attempts, cause: Cause) -> impl Fn(Ticked, Context) -> Ready<Result<(), Failure>> + use<> {
    let attempts = attempts.clone();
    move |_, ctx| {
        attempts.note(ctx.attempt());
        std::future::ready(Err(cause()))
    }
}

/// A bus whose endpoint `work` got one message that fails.
async fn failed(stage: &Stage, cause: Cause, endpoint: Configure) -> (Bus, Attempts) {
    let attempts = Attempts::default();
    let handler = failing(&attempts, cause);
    let bus = stage.bus(|b| b.endpoint("work", |e| endpoint(e).consumer(handler))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    (bus, attempts)
}

/// The attempts at a message that fails, and how it lies in `_error`.
async fn given_up(cause: Cause, endpoint: Configure) -> (Vec<u32>, DeadLetter) {
    let stage = Stage::new().await;
    let (bus, attempts) = failed(&stage, cause, endpoint).await;
    let letter = stage.lying("work_error", 1).await.remove(0);
    stage.completed("work", 1).await;
    assert!(bus.health().healthy, "{:?}", bus.health());
    bus.stop().await;
    (attempts.so_far(), letter)
}

/// The handler ran once, and its message is in `_error`.
async fn is_not_retried(cause: Cause, endpoint: Configure) {
    let (attempts, letter) = given_up(cause, endpoint).await;
    assert_eq!(attempts, [0]);
    assert_eq!(letter.headers.get("MT-Fault-RetryCount"), None);
}

#[tokio::test]
async fn a_permanent_failure_is_not_retried() {
    is_not_retried(permanent, |e| e.retry(Retry::immediate(3))).await;
    is_not_retried(|| Failure::permanent("no"), |e| e.retry(Retry::immediate(3))).await;
    is_not_retried(plain, |e| e.retry(Retry::immediate(3)).classify(|_: &NoSuchTick| Verdict::Permanent)).await;
    let (_, letter) = given_up(permanent, |e| e).await;
    assert_eq!(letter.fault_message(), Some("the handler's own: no such tick"));
    assert_eq!(letter.fault_type(), Some(std::any::type_name::<Own>()));
}

#[tokio::test]
async fn the_policys_filters_say_what_is_not_retried() {
    is_not_retried(plain, |e| e.retry(Retry::immediate(3).unless::<NoSuchTick>())).await;
    is_not_retried(plain, |e| e.retry(Retry::immediate(3).only::<fmt::Error>())).await;
    is_not_retried(|| panic!("oh"), |e| e.retry(Retry::immediate(3).only::<NoSuchTick>())).await;
    let (attempts, _) = given_up(plain, |e| e.retry(Retry::immediate(2).only::<NoSuchTick>())).await;
    assert_eq!(attempts, [0, 1, 2]);
}

#[tokio::test]
async fn a_pause_that_the_error_asks_for_takes_the_place_of_the_policys() {
    for cause in [at_once, || Failure::retry_after("no", Duration::ZERO)] {
        let (attempts, letter) = given_up(cause, |e| e.retry(Retry::interval(2, Duration::MAX))).await;
        assert_eq!(attempts, [0, 1, 2], "the policy's limit holds");
        assert_eq!(letter.headers.get("MT-Fault-RetryCount"), Some(&2.into()));
    }
    let (attempts, _) = given_up(plain, |e| {
        e.retry(Retry::interval(2, Duration::MAX)).classify(|_: &NoSuchTick| Verdict::RetryAfter(Duration::ZERO))
    })
    .await;
    assert_eq!(attempts, [0, 1, 2]);
    is_not_retried(at_once, |e| e).await;
}

#[tokio::test]
async fn a_pause_that_the_error_asks_for_is_kept_and_ends_with_a_stop() {
    let stage = Stage::new().await;
    let cause = || Failure::retry_after("closed", Duration::MAX);
    let (bus, attempts) = failed(&stage, cause, |e| e.retry(Retry::immediate(5))).await;
    quiet().await;
    assert_eq!(attempts.so_far(), [0]);
    soon("the stop", bus.stop()).await;
    assert_eq!(attempts.so_far(), [0]);
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (1, 0));
}

#[tokio::test]
async fn a_payload_that_does_not_decode_in_the_handler_is_not_retried() {
    let stage = Stage::new().await;
    let attempts = Attempts::default();
    let noted = attempts.clone();
    let handler = move |_: Ticked, ctx: Context| {
        noted.note(ctx.attempt());
        async move {
            ctx.message_as::<Named>()?;
            Ok::<(), Failure>(())
        }
    };
    let bus = stage.bus(|b| b.endpoint("work", |e| e.retry(Retry::immediate(3)).consumer(handler))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.lying("work_error", 1).await;
    assert_eq!(attempts.so_far(), [0]);
    bus.stop().await;
}

#[derive(Debug, serde::Serialize, serde::Deserialize, bus_core::Message)]
#[message(namespace = "Bus.Engine", crate = bus_core)]
struct Named {
    name: String,
}

#[tokio::test]
async fn a_policy_with_both_lists_of_errors_is_refused() {
    let stage = Stage::new().await;
    let retry = Retry::immediate(1).unless::<NoSuchTick>().only::<Own>();
    let handler = failing(&Attempts::default(), plain);
    let built = stage.place.builder().endpoint("work", |e| e.retry(retry).consumer(handler)).build();
    let said = built.unwrap_err().to_string();
    for named in ["endpoint `work`", "Own`", "NoSuchTick`", "keep one"] {
        assert!(said.contains(named), "{said}");
    }
}

/// An outage that only the error tells of.
fn outage() -> Result<(), Error> {
    let message =
        Posted { message_type: "urn:message:A:B".to_owned(), message_id: uuid::Uuid::nil(), address: String::new() };
    Err(Error::NotSent { message: Box::new(message), source: "somebody else's broker is away".into() })
}

#[tokio::test]
async fn an_outage_is_no_attempt_whatever_its_error_says() {
    let cases: [fn() -> Result<(), Failure>; 3] = [
        || Ok(outage().permanent()?),
        || Ok(outage().map_err(Discard::new)?),
        || Ok(outage().map_err(|error| Own(error.into())).retry_after(Duration::MAX)?),
    ];
    for case in cases {
        let stage = Stage::new().await;
        let attempts = Attempts::default();
        let noted = attempts.clone();
        let handler = move |_: Ticked, ctx: Context| {
            let before = noted.note(ctx.attempt());
            async move { if before < 2 { case() } else { Ok(()) } }
        };
        let classify = |_: &Error| -> Verdict { Verdict::Discard };
        let bus = stage.bus(|b| b.endpoint("work", |e| e.classify(classify).consumer(handler))).await;
        bus.publish(Ticked { number: 1 }).await.unwrap();
        let steps = stage.completed("work", 1).await;
        assert_eq!(attempts.so_far(), [0, 0, 0]);
        only(&steps, |step| step.submitted().is_some());
        bus.stop().await;
    }
}
