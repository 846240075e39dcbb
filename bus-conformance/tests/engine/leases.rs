//! Deliveries that belong to their receiver for a while only.

use std::time::Duration;

use bus_conformance::{
    Probe,
    faulty::{Renewals, Step},
    soon,
};
use bus_core::{
    Bus, Error,
    bus::EndpointBuilder,
    clock::Clock,
    consumer::{Context, Failure},
};
use uuid::Uuid;

use crate::stage::{Stage, Ticked, Tocked, pass, quiet};

const SECOND: Duration = Duration::from_secs(1);

/// A bus whose endpoint `work` has leases of ten seconds, and a clock that stands still.
async fn leasing(stage: &Stage, clock: &Clock, work: impl FnOnce(EndpointBuilder) -> EndpointBuilder) -> Bus {
    let lease = bus_inmemory::endpoint().lease(10 * SECOND);
    stage.bus(|b| b.clock(clock.clone()).endpoint("work", |e| work(e.with(lease)))).await
}

/// What was said of the deliveries of `id`.
fn said(stage: &Stage, id: Uuid, which: impl Fn(&Step) -> bool) -> usize {
    let is_of = |step: &Step| match step {
        Step::Completed(_, of) | Step::Released(_, of) | Step::Renewed(_, of) => {
            of.as_deref() == Some(&*id.to_string())
        }
        _ => false,
    };
    stage.faults.steps().iter().filter(|step| is_of(step) && which(step)).count()
}

fn renewals_of(stage: &Stage, id: Uuid) -> usize {
    said(stage, id, |step| matches!(step, Step::Renewed(..)))
}

#[tokio::test]
async fn a_handler_that_takes_longer_than_its_lease_keeps_its_message_by_renewals() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let probe = Probe::<Ticked>::closed();
    let bus = leasing(&stage, &clock, |e| e.consumer(probe.handler())).await;
    let id = Uuid::now_v7();
    bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
    probe.next().await;
    pass(&clock, 60 * SECOND).await;
    assert_eq!((stage.count("work").await, probe.left().await), (0, 0), "it is nobody else's");
    assert_eq!(renewals_of(&stage, id), 12, "at the half of each lease");
    probe.let_through(1);
    stage.completed("work", 1).await;
    pass(&clock, 60 * SECOND).await;
    assert_eq!(renewals_of(&stage, id), 12, "none after its end");
    bus.stop().await;
    assert_eq!((stage.count("work").await, probe.left().await), (0, 0));
}

#[tokio::test]
async fn a_lease_that_cannot_be_renewed_ends_its_handler_and_the_message_comes_again() {
    for renewals in [Renewals::Refused, Renewals::Unanswered] {
        let (stage, clock) = (Stage::new().await, Clock::manual(1));
        let probe = Probe::<Ticked>::closed();
        let bus = leasing(&stage, &clock, |e| e.consumer(probe.handler())).await;
        stage.faults.renewals(renewals);
        let id = Uuid::now_v7();
        bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
        let first = probe.next().await.ctx;
        pass(&clock, 10 * SECOND - Duration::from_nanos(1)).await;
        assert_eq!((renewals_of(&stage, id), stage.count("work").await, probe.left().await), (1, 0, 0), "{renewals:?}");
        first.publish(Tocked { number: 1 }).await.expect("it is ours to the end");
        pass(&clock, Duration::from_nanos(1)).await;
        let late = first.publish(Tocked { number: 1 }).await;
        assert!(matches!(late, Err(Error::ContextClosed)), "{renewals:?}: {late:?}");
        let again = probe.next().await.ctx;
        assert!(again.redelivered(), "{renewals:?}");
        let ends =
            stage.faults.steps().into_iter().find(|step| matches!(step, Step::Released(..) | Step::Completed(..)));
        assert!(matches!(ends, Some(Step::Released(..))), "{renewals:?}: {ends:?}");
        assert_eq!(again.message_id(), Some(id));
        stage.faults.renewals(Renewals::Granted);
        probe.let_through(1);
        soon("the stop", bus.stop()).await;
        assert_eq!((stage.count("work").await, stage.count("work_error").await), (0, 0), "{renewals:?}");
        assert_eq!(probe.left().await, 0, "{renewals:?}");
    }
}

#[tokio::test]
async fn a_delivery_that_waited_beyond_half_its_lease_is_renewed_before_it_is_begun() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let probe = Probe::<Ticked>::closed();
    let bus = leasing(&stage, &clock, |e| e.concurrency(1).prefetch(3).consumer(probe.handler())).await;
    let [first, second, third] = [(); 3].map(|()| Uuid::now_v7());
    bus.publish(Ticked { number: 1 }).message_id(first).await.unwrap();
    bus.publish(Ticked { number: 2 }).message_id(second).await.unwrap();
    probe.next().await;
    pass(&clock, 6 * SECOND).await;
    bus.publish(Ticked { number: 3 }).message_id(third).await.unwrap();
    quiet().await;
    assert_eq!(renewals_of(&stage, second), 0);
    probe.let_through(1);
    assert_eq!(probe.next().await.message.number, 2);
    assert_eq!(renewals_of(&stage, second), 1, "it has the time of a whole lease");
    probe.let_through(1);
    assert_eq!(probe.next().await.message.number, 3);
    assert_eq!(renewals_of(&stage, third), 0, "half of its lease is left");
    probe.let_through(1);
    stage.completed("work", 3).await;
    bus.stop().await;
}

#[tokio::test]
async fn a_delivery_that_waited_too_long_and_cannot_be_renewed_is_not_begun_and_comes_again() {
    for renewals in [Renewals::Refused, Renewals::Unanswered] {
        let (stage, clock) = (Stage::new().await, Clock::manual(1));
        let probe = Probe::<Ticked>::closed();
        let bus = leasing(&stage, &clock, |e| e.concurrency(1).prefetch(2).consumer(probe.handler())).await;
        bus.publish(Ticked { number: 1 }).await.unwrap();
        let id = Uuid::now_v7();
        bus.publish(Ticked { number: 2 }).message_id(id).await.unwrap();
        probe.next().await;
        pass(&clock, 6 * SECOND).await;
        stage.faults.renewals(renewals);
        probe.let_through(1);
        quiet().await;
        let seen = probe.left().await;
        if renewals == Renewals::Refused {
            // It went back at once, and came again as good as new.
            assert_eq!(seen, 1);
        } else {
            assert_eq!(seen, 0, "nobody knows whose it is");
            pass(&clock, 4 * SECOND).await;
        }
        let again = probe.next().await;
        assert_eq!((again.message.number, again.ctx.redelivered()), (2, true), "{renewals:?}");
        assert_eq!(said(&stage, id, |step| matches!(step, Step::Released(..))), 1, "{renewals:?}");
        stage.faults.renewals(Renewals::Granted);
        probe.let_through(1);
        soon("the stop", bus.stop()).await;
        assert_eq!((stage.count("work").await, probe.left().await), (0, 0), "{renewals:?}");
    }
}

#[tokio::test]
async fn a_delivery_whose_lease_ended_while_it_waited_is_handled_once() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let probe = Probe::<Ticked>::closed();
    let bus = leasing(&stage, &clock, |e| e.concurrency(1).prefetch(2).consumer(probe.handler())).await;
    for number in 1..=2 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    probe.next().await;
    pass(&clock, 35 * SECOND).await;
    probe.let_through(2);
    assert_eq!(probe.next().await.message.number, 2);
    quiet().await;
    bus.stop().await;
    assert_eq!((stage.count("work").await, probe.left().await), (0, 0));
}

#[tokio::test]
async fn an_endpoint_that_may_hold_messages_longer_than_their_lease_is_told_so_by_build() {
    let stage = Stage::new().await;
    stage.faults.claim_lease(30 * SECOND);
    let handler = async |_: Ticked| Ok::<(), Failure>(());
    let hours = async |_: Tocked, _: Context| Ok::<(), Failure>(());
    let bus = stage.place.bus(|b| {
        b.endpoint("fits", |e| e.prefetch(12).concurrency(4).timeout(10 * SECOND).consumer(handler))
            .endpoint("orders", |e| e.prefetch(13).concurrency(4).timeout(10 * SECOND).consumer(handler))
            .endpoint("unknown", |e| e.prefetch(100).concurrency(1).consumer(handler))
            .endpoint("one", |e| {
                e.prefetch(4).concurrency(4).consumer(handler).consumer_with(hours, |c| c.timeout(3600 * SECOND))
            })
            .endpoint("for-ever", |e| e.timeout(Duration::MAX).consumer(handler))
    });
    let [orders, one] = bus.warnings() else { panic!("{:#?}", bus.warnings()) };
    assert!(
        orders.starts_with("endpoint `orders`: ") && orders.contains("32.5s") && orders.contains("30s"),
        "{orders}"
    );
    assert!(orders.contains("a prefetch of 12"), "{orders}");
    assert!(one.starts_with("endpoint `one`: ") && one.contains("3600s"), "{one}");

    let none = Stage::new().await;
    let bus = none.place.bus(|b| b.endpoint("orders", |e| e.prefetch(500).timeout(3600 * SECOND).consumer(handler)));
    assert!(bus.warnings().is_empty(), "{:?}", bus.warnings());
}
