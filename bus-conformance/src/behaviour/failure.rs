use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bus_core::{
    Retry,
    address::Destination,
    clock::Clock,
    consumer::{Context, Failure},
    fault::Fault,
    transport::{Class, Outgoing, PublishOutcome, Transport},
};
use bytes::Bytes;
use uuid::Uuid;

use crate::{
    Place, lying,
    messages::{Ticked, Tocked},
    probe::{Probe, watched},
    soon,
};

/// A handler that panics fails like any other, and its place is free for the next message.
pub async fn a_panic_is_a_failure_and_the_next_message_is_handled(place: Place) {
    let probe = Probe::open();
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.concurrency(1).consumer(move |message: Ticked, ctx: Context| {
                    assert!(message.number.is_multiple_of(2), "odd numbers are too much for me");
                    watched.clone().handle(message, ctx)
                })
            })
        })
        .await;
    for number in 1..=6 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    let mut handled: Vec<_> = probe.take(3).await.into_iter().map(|ticked| ticked.number).collect();
    handled.sort_unstable();
    assert_eq!(handled, [2, 4, 6]);
    let letters = lying(&*place.transport().await, "work_error", 3).await;
    for letter in letters {
        assert_eq!(letter.fault_message(), Some("the consumer panicked: odd numbers are too much for me"));
        assert_eq!(letter.fault_type(), Some("panic"));
    }
    bus.stop().await;
}

/// A message that fails lies in `_error` as it was sent, with the reason beside it, once.
pub async fn a_failing_message_ends_in_error_with_reason_body_and_headers(place: Place) {
    let bus = place
        .started(|b| b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no such tick".into()))))
        .await;
    let id = Uuid::now_v7();
    bus.publish(Ticked { number: 5 }).message_id(id).header("tenant", "north").await.unwrap();
    let transport = place.transport().await;
    let [letter] = &lying(&*transport, "work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.reason(), Some("fault"));
    assert_eq!(letter.fault_message(), Some("no such tick"));
    assert_eq!(letter.headers.text("MT-Fault-MessageType"), Some("Bus.Conformance.Ticked"));
    assert_eq!(letter.headers.text("MT-Fault-InputAddress"), Some(&*work_address(&*transport)));
    assert_eq!(letter.headers.text("tenant"), Some("north"));
    assert_eq!(letter.message_id.as_deref(), Some(&*id.to_string()));
    let envelope = bus_core::envelope::Envelope::read(&letter.body).unwrap();
    assert_eq!(envelope.message_id, Some(id));
    assert_eq!(envelope.message.as_ref(), br#"{"number":5}"#);
    assert_eq!(envelope.headers()["tenant"], "north");
    bus.stop().await;
    assert_eq!(transport.browse("work", 10).await.unwrap().len(), 0, "it is not in its queue any more");
}

/// When a consumer gives up on a `Ticked`, consumers of `Fault<Ticked>` are told.
pub async fn a_fault_is_published(place: Place) {
    let probe = Probe::<Tocked>::open();
    let (faults, mut told) = tokio::sync::mpsc::unbounded_channel();
    let bus =
        place
            .started(|b| {
                b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no such tick".into())))
                    .endpoint("watch", |e| {
                        e.consumer(watched!(probe, Tocked)).consumer(move |fault: Fault<Ticked>| {
                            let faults = faults.clone();
                            async move { faults.send(fault).map_err(Failure::from) }
                        })
                    })
            })
            .await;
    let id = Uuid::now_v7();
    bus.publish(Ticked { number: 5 }).message_id(id).await.unwrap();
    let fault = soon("the fault", told.recv()).await.unwrap();
    assert_eq!(fault.message, Ticked { number: 5 });
    assert_eq!(fault.faulted_message_id, Some(id));
    assert_eq!(fault.exceptions[0].message.as_deref(), Some("no such tick"));
    assert_eq!(fault.fault_message_types.unwrap(), ["urn:message:Bus.Conformance:Ticked"]);
    bus.stop().await;
}

/// The policy's retries come first; a message that succeeds in one of them is done.
pub async fn retries_come_before_error(place: Place) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let probe = Probe::open();
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.retry(Retry::interval(2, Duration::from_millis(1))).consumer(move |message: Ticked, ctx: Context| {
                    let (probe, calls) = (watched.clone(), counted.clone());
                    async move {
                        calls.fetch_add(1, Ordering::SeqCst);
                        if message.number == 1 && ctx.attempt() == 2 {
                            return probe.handle(message, ctx).await;
                        }
                        Err("not yet".into())
                    }
                })
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    assert_eq!(probe.next().await.message, Ticked { number: 1 });
    bus.publish(Ticked { number: 2 }).await.unwrap();
    let [letter] = &lying(&*place.transport().await, "work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.headers.get("MT-Fault-RetryCount"), Some(&2.into()));
    assert_eq!(calls.load(Ordering::SeqCst), 6);
    bus.stop().await;
}

/// Garbage is kept byte for byte where a person finds it.
pub async fn a_body_that_is_no_envelope_ends_in_error(place: Place) {
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked)))).await;
    let transport = place.transport().await;
    put(&*transport, "work", "no envelope \u{1F680}".as_bytes()).await;
    put(&*transport, "work", b"").await;
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

async fn put(transport: &dyn Transport, queue: &str, body: &'static [u8]) {
    let publisher = transport.publisher();
    let deadline = Clock::real().now() + Duration::from_secs(10);
    let mut message = Outgoing::new(Destination::Queue(queue.into()), Bytes::from_static(body), deadline);
    message.mandatory = true;
    let permit = publisher.ready(body.len(), Class::Application).await;
    let outcome = publisher.submit(permit, message).await;
    assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
}

fn work_address(transport: &dyn Transport) -> String {
    transport.absolute(&Destination::Topic("work".into()))
}
