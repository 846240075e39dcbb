use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bus_core::{
    Error, Posted, Retry,
    address::Destination,
    consumer::{Context, Failure},
    transport::Transport,
};
use uuid::Uuid;

use crate::{
    Place, lying,
    messages::Ticked,
    probe::{Probe, watched},
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

/// Every consumer of a type gets the message, also behind one that fails; the message is moved once.
pub async fn several_consumers_of_a_type_each_run_and_a_failure_moves_the_message_once(place: Place) {
    let (first, last) = (Probe::open(), Probe::open());
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.consumer(watched!(first, Ticked))
                    .consumer(async |_: Ticked| Err::<(), Failure>("the second one's".into()))
                    .consumer(async |_: Ticked| Err::<(), Failure>("the third one's".into()))
                    .consumer(watched!(last, Ticked))
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    assert_eq!((first.next().await.message.number, last.next().await.message.number), (1, 1));
    let transport = place.transport().await;
    lying(&*transport, "work_error", 1).await;
    bus.stop().await;
    let [letter] = &lying(&*transport, "work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_message(), Some("the second one's"));
    assert_eq!((first.left().await, last.left().await), (0, 0));
}

/// What a broker in trouble did to a handler is not the message's failure: it is handled again, uncounted.
pub async fn a_failure_of_the_infrastructure_is_no_attempt(place: Place) {
    let probe = Probe::open();
    let (watched, attempts) = (probe.clone(), Arc::new(Mutex::new(Vec::new())));
    let noted = attempts.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.consumer(move |message: Ticked, ctx: Context| {
                    let calls = {
                        let mut attempts = noted.lock().unwrap();
                        attempts.push(ctx.attempt());
                        attempts.len()
                    };
                    let handled = watched.clone().handle(message, ctx);
                    async move { if calls < 3 { Err(an_outage().into()) } else { handled.await } }
                })
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    assert_eq!(probe.next().await.message, Ticked { number: 1 });
    bus.stop().await;
    assert_eq!(*attempts.lock().unwrap(), [0, 0, 0]);
    let transport = place.transport().await;
    for queue in ["work", "work_error"] {
        assert_eq!(transport.browse(queue, 10).await.unwrap().len(), 0, "{queue}");
    }
}

/// As a call of a bus reports it, to this broker or to another one.
fn an_outage() -> Error {
    let (message_type, address) = ("urn:message:Elsewhere:Asked".to_owned(), "queue:elsewhere".to_owned());
    let message = Box::new(Posted { message_type, message_id: Uuid::now_v7(), address });
    Error::NotSent { message, source: "nobody answers there".into() }
}

/// All attempts on a message see the same one, and so does who finds it in `_error`.
pub async fn a_message_that_is_retried_keeps_its_id_and_body(place: Place) {
    let probe = Probe::open();
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.retry(Retry::immediate(2)).consumer(move |message: Ticked, ctx: Context| {
                    let handled = watched.clone().handle(message, ctx);
                    async move { handled.await.and(Err(Failure::from("again"))) }
                })
            })
        })
        .await;
    let (id, correlation) = (Uuid::now_v7(), Uuid::now_v7());
    bus.publish(Ticked { number: 5 }).message_id(id).correlation_id(correlation).await.unwrap();
    let mut bodies = Vec::new();
    for attempt in 0..3 {
        let seen = probe.next().await;
        assert_eq!((seen.message.number, seen.ctx.attempt()), (5, attempt));
        assert_eq!((seen.ctx.message_id(), seen.ctx.correlation_id()), (Some(id), Some(correlation)));
        bodies.push(seen.ctx.incoming().body.clone());
    }
    let [letter] = &lying(&*place.transport().await, "work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.message_id.as_deref(), Some(&*id.to_string()));
    assert!(bodies.iter().all(|body| *body == letter.body));
    bus.stop().await;
}

fn work_address(transport: &dyn Transport) -> String {
    transport.absolute(&Destination::Topic("work".into()))
}
