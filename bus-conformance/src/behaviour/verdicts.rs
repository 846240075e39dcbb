use bus_core::{
    Retry,
    consumer::{Context, Discard, Failure},
    fault::Fault,
};

use crate::{
    Place, lying,
    messages::Ticked,
    probe::{Probe, watched},
};

/// What a handler calls permanent is not tried again, whatever the policy says.
pub async fn a_permanent_failure_is_not_retried(place: Place) {
    let probe = Probe::open();
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.retry(Retry::immediate(3)).consumer(move |message: Ticked, ctx: Context| {
                    let handled = watched.clone().handle(message, ctx);
                    async move { handled.await.and(Err(Failure::permanent("it was never ordered"))) }
                })
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let [letter] = &lying(&*place.transport().await, "work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_message(), Some("it was never ordered"));
    assert_eq!(letter.headers.get("MT-Fault-RetryCount"), None);
    assert_eq!(probe.next().await.ctx.attempt(), 0);
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

/// Errors of a type that the policy names are not tried again, and others are.
pub async fn a_failure_that_the_policy_excludes_ends_in_error_at_once(place: Place) {
    let probe = Probe::open();
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                let retry = Retry::immediate(1).unless::<std::num::ParseIntError>();
                e.retry(retry).consumer(move |message: Ticked, ctx: Context| {
                    let hopeless = message.number == 1;
                    let handled = watched.clone().handle(message, ctx);
                    async move {
                        handled.await?;
                        if hopeless {
                            "seven".parse::<u32>()?;
                        }
                        Err::<(), Failure>("later".into())
                    }
                })
            })
        })
        .await;
    let transport = place.transport().await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let [letter] = &lying(&*transport, "work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_type(), Some("core::num::error::ParseIntError"));
    assert_eq!(letter.headers.get("MT-Fault-RetryCount"), None);
    assert_eq!(probe.next().await.ctx.attempt(), 0);
    bus.publish(Ticked { number: 2 }).await.unwrap();
    lying(&*transport, "work_error", 2).await;
    for attempt in [0, 1] {
        let seen = probe.next().await;
        assert_eq!((seen.message.number, seen.ctx.attempt()), (2, attempt));
    }
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

/// What a handler will have nothing to do with is done: no retry, no fault, and it lies nowhere.
pub async fn a_discarded_message_is_completed_and_nowhere_else(place: Place) {
    let (probe, faults) = (Probe::open(), Probe::<Fault<Ticked>>::open());
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.retry(Retry::immediate(3)).consumer(move |message: Ticked, ctx: Context| {
                    let handled = watched.clone().handle(message, ctx);
                    async move { handled.await.and(Err(Failure::from(Discard::new("it is out of date")))) }
                })
            })
            .endpoint("watch", |e| e.consumer(watched!(faults, Fault<Ticked>)))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    assert_eq!(probe.next().await.message, Ticked { number: 1 });
    bus.stop().await;
    assert_eq!((probe.left().await, faults.left().await), (0, 0));
    let transport = place.transport().await;
    for queue in ["work", "work_error", "work_skipped", "watch"] {
        assert_eq!(transport.browse(queue, 10).await.unwrap().len(), 0, "{queue}");
    }
}
