use bus_core::Retry;

use crate::{
    Place, lying,
    messages::{Said, Ticked, Tocked, elsewhere},
    probe::{Probe, watched},
    put::{put, to},
};

/// Garbage is kept byte for byte where a person finds it.
pub async fn a_body_that_is_no_envelope_ends_in_error(place: Place) {
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked)))).await;
    let transport = place.transport().await;
    put(&*transport, to("work", "no envelope \u{1F680}")).await;
    put(&*transport, to("work", "")).await;
    let letters = lying(&*transport, "work_error", 2).await;
    let mut bodies: Vec<_> = letters.iter().map(|letter| letter.body.clone()).collect();
    bodies.sort();
    assert_eq!(bodies, ["".as_bytes(), "no envelope \u{1F680}".as_bytes()]);
    for letter in letters {
        let said = letter.fault_message().unwrap_or_default();
        assert!(said.starts_with("the body is no MassTransit envelope: "), "{said}");
    }
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

/// A message that no consumer of the endpoint takes is moved, not lost and not failed.
pub async fn a_type_without_consumer_ends_in_skipped(place: Place) {
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked)))).await;
    bus.send("queue:work", Tocked { number: 1 }).await.unwrap();
    let transport = place.transport().await;
    let [letter] = &lying(&*transport, "work_skipped", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.reason(), Some("dead-letter"));
    assert_eq!(letter.fault_message(), None);
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
    assert_eq!(transport.browse("work_error", 10).await.unwrap().len(), 0);
}

/// A payload that another program wrote for another idea of the type is moved at once: it will never fit.
pub async fn a_payload_that_does_not_fit_its_type_ends_in_error_without_a_retry(place: Place) {
    let probe = Probe::<Ticked>::open();
    let bus =
        place.started(|b| b.endpoint("work", |e| e.retry(Retry::immediate(3)).consumer(watched!(probe, Ticked)))).await;
    bus.publish(elsewhere::Ticked { number: "seven".to_owned() }).await.unwrap();
    let [letter] = &lying(&*place.transport().await, "work_error", 1).await[..] else { panic!("one message") };
    let said = letter.fault_message().unwrap_or_default();
    assert!(said.starts_with("the payload is no urn:message:Bus.Conformance:Ticked: "), "{said}");
    assert_eq!(letter.headers.get("MT-Fault-RetryCount"), None);
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

/// A body that is larger than the endpoint reads is kept whole where a person finds it, with both sizes.
pub async fn an_oversize_body_ends_in_error(place: Place) {
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.max_body(4096).consumer(watched!(probe, Said)))).await;
    let (long, short) = (Said { text: "x".repeat(4096) }, Said { text: "x".to_owned() });
    bus.publish(long.clone()).await.unwrap();
    bus.publish(short.clone()).await.unwrap();
    let [letter] = &lying(&*place.transport().await, "work_error", 1).await[..] else { panic!("one message") };
    let said = letter.fault_message().unwrap_or_default();
    let expected = format!("the body has {} bytes, and the endpoint reads at most 4096", letter.body.len());
    assert!(said.starts_with(&expected), "{said}");
    let envelope = bus_core::envelope::Envelope::read(&letter.body).unwrap();
    assert_eq!(envelope.message.len(), r#"{"text":""}"#.len() + long.text.len());
    assert_eq!(probe.next().await.message, short);
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}
