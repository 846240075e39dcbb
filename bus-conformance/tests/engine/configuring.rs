//! What is said once for all endpoints, and what an endpoint says itself.

use bus_core::{
    Error, Retry,
    bus::EndpointBuilder,
    consumer::Failure,
    envelope::{Envelope, HeaderValue},
    transport::{DeadLetter, Outgoing},
};

use crate::stage::{Stage, Ticked, only};

fn retries(letter: &DeadLetter) -> Option<i32> {
    match letter.headers.get("MT-Fault-RetryCount") {
        Some(HeaderValue::Int32(retries)) => Some(*retries),
        _ => None,
    }
}

#[tokio::test]
async fn defaults_are_for_the_endpoints_that_come_after_them_and_an_endpoint_outweighs_them() {
    let stage = Stage::new().await;
    let failing = async |_: Ticked| Err::<(), Failure>("no".into());
    let bus = stage
        .bus(|b| {
            b.endpoint("before", |e| e.consumer(failing))
                .endpoint_defaults(|e| e.retry(Retry::immediate(1)))
                .endpoint("between", |e| e.consumer(failing))
                .endpoint_defaults(|e| e.retry(Retry::immediate(2)))
                .endpoint("after", |e| e.consumer(failing))
                .endpoint("own", |e| e.consumer(failing).retry(Retry::immediate(3)))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    for (queue, expected) in [("before", None), ("between", Some(1)), ("after", Some(2)), ("own", Some(3))] {
        let letters = stage.lying(&format!("{queue}_error"), 1).await;
        assert_eq!(retries(&letters[0]), expected, "{queue}");
    }
    bus.stop().await;
}

struct Named;

#[bus_core::consumer(crate = bus_core)]
impl Named {
    #[handle]
    async fn ticked(&self, _: Ticked) -> Result<(), Failure> {
        Err("no".into())
    }
}

#[tokio::test]
async fn defaults_are_for_an_endpoint_that_is_named_after_its_consumer_too() {
    let stage = Stage::new().await;
    let bus = stage.bus(|b| b.endpoint_defaults(|e| e.retry(Retry::immediate(1))).consumer(Named)).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    assert_eq!(retries(&stage.lying("named_error", 1).await[0]), Some(1));
    bus.stop().await;
}

#[tokio::test]
async fn a_body_of_exactly_the_largest_size_is_read() {
    let stage = Stage::new().await;
    let body = br#"{"message":{"number":1},"messageType":["urn:message:Bus.Engine:Ticked"]}"#;
    let failing = async |_: Ticked| Err::<(), Failure>("it was read".into());
    let bus = stage
        .bus(|b| {
            b.endpoint("fits", |e| e.max_body(body.len()).consumer(failing))
                .endpoint("short", |e| e.max_body(body.len() - 1).raw_json().consumer(failing))
        })
        .await;
    stage.put("fits", body).await;
    stage.put("short", body).await;
    assert_eq!(stage.lying("fits_error", 1).await[0].fault_message(), Some("it was read"));
    let said = format!(
        "the body has {} bytes, and the endpoint reads at most {}: `max_body` of the endpoint says how many",
        body.len(),
        body.len() - 1
    );
    assert_eq!(stage.lying("short_error", 1).await[0].fault_message(), Some(&*said));
    let told = |message: &Outgoing| {
        let envelope = Envelope::read(&message.body);
        envelope.is_ok_and(|told| told.message_type.contains(&"urn:message:MassTransit:ReceiveFault".to_owned()))
    };
    only(&stage.faults.steps(), |step| step.confirms(told));
    bus.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_would_read_no_body_at_all_is_refused() {
    let stage = Stage::new().await;
    let line = line!() + 1;
    let mute = |e: EndpointBuilder| e.max_body(0).consumer(async |_: Ticked| Ok::<(), Failure>(()));
    let refused = stage.place.builder().endpoint("work", mute).build().unwrap_err();
    let Error::Build(error) = refused else { panic!("{refused:?}") };
    let [problem] = error.problems() else { panic!("{error}") };
    assert_eq!(problem.text, "`max_body` must be at least 1 byte");
    assert_eq!(problem.location.map(std::panic::Location::line), Some(line));
}

#[tokio::test]
async fn limits_that_cannot_be_reached_are_warned_of() {
    let stage = Stage::new().await;
    let handler = async |_: Ticked| Ok::<(), Failure>(());
    let bus = stage.place.bus(|b| {
        b.endpoint("few", |e| e.prefetch(2).concurrency(3).consumer(handler))
            .endpoint("own", |e| e.concurrency(4).consumer_with(handler, |c| c.concurrency(5)))
            .endpoint("fits", |e| e.prefetch(4).concurrency(4).consumer_with(handler, |c| c.concurrency(4)))
    });
    let [few, own] = bus.warnings() else { panic!("{:#?}", bus.warnings()) };
    assert!(few.starts_with("endpoint `few`: its prefetch of 2 is below its concurrency of 3"), "{few}");
    assert!(own.starts_with("endpoint `own`, consumer `a closure`: its own concurrency of 5 is above"), "{own}");
    assert!(few.contains(&format!(" --> {}:", file!())) && own.contains(&format!(" --> {}:", file!())));
}

#[tokio::test]
async fn a_topology_that_would_be_declared_without_a_pause_is_refused() {
    let stage = Stage::new().await;
    let refused = stage.place.builder().topology_round(std::time::Duration::ZERO).build().unwrap_err();
    let Error::Build(error) = refused else { panic!("{refused:?}") };
    let [problem] = error.problems() else { panic!("{error}") };
    assert_eq!(problem.text, "`topology_round` must be longer than zero; 60 s is the default");
    assert_eq!(problem.location.unwrap().file(), file!());
}
