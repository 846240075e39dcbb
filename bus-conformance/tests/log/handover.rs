//! A lane goes from one process to another.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use bus_conformance::{Probe, eventually, soon};
use bus_core::{
    bus::EndpointBuilder,
    consumer::{Context, Failure},
};
use tokio::sync::mpsc;

use crate::stage::{Stage, Ticked, quiet};

#[tokio::test]
async fn processes_come_and_go_and_every_lane_is_handled_in_order_and_once() {
    const ROUNDS: usize = 6;
    let stage = Stage::new().await;
    let handled: Arc<Mutex<Vec<usize>>> = Arc::default();
    let process = |e: EndpointBuilder| {
        let handled = handled.clone();
        e.consumer(move |message: Ticked, _: Context| {
            let handled = handled.clone();
            async move {
                // Others are at work meanwhile, in other lanes.
                tokio::task::yield_now().await;
                handled.lock().unwrap().push(message.number);
                Ok::<(), Failure>(())
            }
        })
    };
    let send = async || stage.send((0..20).map(|at| at % 2 * 10 + at / 2)).await;
    let mut running = vec![stage.bus(process).await];
    for round in 0..ROUNDS {
        let sent = send();
        if round % 2 == 0 {
            let (_, bus) = tokio::join!(sent, stage.bus(process));
            running.push(bus);
        } else {
            let bus = running.remove(0);
            tokio::join!(sent, bus.stop());
        }
    }
    eventually("all of them", || stage.committed(0) + stage.committed(1) == 20 * ROUNDS as u64).await;
    let expected: Vec<_> = (0..ROUNDS).flat_map(|_| 0..10).collect();
    for lane in 0..2 {
        let of_lane = handled
            .lock()
            .unwrap()
            .iter()
            .filter(|number| **number / 10 == lane)
            .map(|number| number % 10)
            .collect::<Vec<_>>();
        assert_eq!(of_lane, expected);
    }
    for bus in running {
        bus.stop().await;
    }
}

#[tokio::test]
async fn a_handler_may_finish_before_its_lane_goes_and_the_other_process_goes_on_behind_it() {
    let stage = Stage::new().await;
    let (old, new) = (Probe::<Ticked>::closed(), Probe::<Ticked>::open());
    let giving = stage.bus(|e| e.consumer(old.handler())).await;
    stage.send([10, 11, 12]).await;
    assert_eq!(old.next().await.message.number, 10);
    let taking = stage.bus(|e| e.consumer(new.handler())).await;
    quiet().await;
    assert_eq!((old.left().await, new.left().await), (0, 0), "the lane has not gone yet");
    old.let_through(1);
    for number in [11, 12] {
        assert_eq!(new.next().await.message.number, number);
    }
    giving.stop().await;
    taking.stop().await;
    assert_eq!((old.left().await, stage.committed(1)), (0, 3));
}

/// A handler that never ends, and tells when it is begun and when it is dropped.
fn endless(told: &mpsc::UnboundedSender<&'static str>) -> impl Fn(EndpointBuilder) -> EndpointBuilder {
    struct Told(mpsc::UnboundedSender<&'static str>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send("dropped");
        }
    }
    let told = told.clone();
    move |endpoint| {
        let told = told.clone();
        endpoint.consumer(move |_: Ticked, _: Context| {
            let told = told.clone();
            async move {
                let _dropped = Told(told.clone());
                let _ = told.send("begun");
                pending::<Result<(), Failure>>().await
            }
        })
    }
}

#[tokio::test]
async fn a_handler_that_does_not_finish_is_cancelled_when_its_lane_goes() {
    let stage = Stage::new().await;
    let (sender, mut told) = mpsc::unbounded_channel();
    let giving = stage.bus(endless(&sender)).await;
    stage.send([10, 11]).await;
    assert_eq!(soon("the handler", told.recv()).await, Some("begun"));
    let new = Probe::<Ticked>::open();
    let taking = stage.bus(|e| e.consumer(new.handler())).await;
    quiet().await;
    assert!(told.try_recv().is_err(), "it has its time");
    stage.hand_over().await;
    assert_eq!(soon("the end of the handler", told.recv()).await, Some("dropped"));
    for (number, again) in [(10, true), (11, true)] {
        let seen = new.next().await;
        assert_eq!((seen.message.number, seen.ctx.redelivered()), (number, again));
    }
    giving.stop().await;
    taking.stop().await;
    assert!(told.try_recv().is_err(), "nothing was begun there again");
}

#[tokio::test]
async fn a_lane_that_comes_back_is_not_handled_beside_its_old_message() {
    let stage = Stage::new().await;
    let (sender, mut told) = mpsc::unbounded_channel();
    let bus = stage.bus(endless(&sender)).await;
    stage.send([10, 11]).await;
    assert_eq!(soon("the handler", told.recv()).await, Some("begun"));
    // The lane is to go, and there is nobody any more to have it when it does.
    stage.bus(|e| e.consumer(Probe::<Ticked>::open().handler())).await.stop().await;
    quiet().await;
    stage.hand_over().await;
    for expected in ["dropped", "begun"] {
        assert_eq!(soon("the handler", told.recv()).await, Some(expected));
    }
    quiet().await;
    assert!(told.try_recv().is_err());
    assert_eq!(stage.committed(1), 0);
    drop(bus);
}

#[tokio::test]
async fn a_lane_that_went_before_its_message_was_begun_goes_on_when_it_comes_back() {
    let stage = Stage::new().await;
    let (old, new) = (Probe::<Ticked>::closed(), Probe::<Ticked>::open());
    let staying = stage.bus(|e| e.concurrency(1).consumer(old.handler())).await;
    stage.send([0, 10]).await;
    assert_eq!(old.next().await.message.number, 0);
    quiet().await;
    let visiting = stage.bus(|e| e.consumer(new.handler())).await;
    assert_eq!(new.next().await.message.number, 10);
    visiting.stop().await;
    stage.send([11]).await;
    quiet().await;
    old.let_through(2);
    assert_eq!(old.next().await.message.number, 11);
    staying.stop().await;
    assert_eq!((stage.committed(0), stage.committed(1)), (1, 2));
}

#[tokio::test]
async fn a_message_that_was_not_ours_any_more_is_not_taken_for_done() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|e| e.consumer(probe.handler())).await;
    stage.send([10, 11, 12]).await;
    assert_eq!(probe.next().await.message.number, 10);
    quiet().await;
    stage.expire();
    // The broker refuses its settlement: what waits behind it here is not ours either.
    probe.let_through(4);
    let mut handled = Vec::new();
    for _ in 0..3 {
        let seen = probe.next().await;
        handled.push((seen.message.number, seen.ctx.redelivered()));
    }
    assert_eq!(handled, [(10, true), (11, true), (12, true)]);
    bus.stop().await;
    assert_eq!((probe.left().await, stage.committed(1)), (0, 3));
}
