//! What an endpoint makes of a lane whose message the broker did not take as settled.

use bus_conformance::{Probe, faulty::Step};
use bus_core::{Bus, bus::EndpointBuilder};

use crate::stage::{Stage, Ticked};

/// A bus with an endpoint `work`, whose queue keeps lanes.
async fn bus(stage: &Stage, configure: impl FnOnce(EndpointBuilder) -> EndpointBuilder) -> Bus {
    stage.bus(|b| b.endpoint("work", |e| configure(e.with(bus_inmemory::endpoint().lanes())))).await
}

async fn send(bus: &Bus, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        bus.send("queue:work", Ticked { number }).lane("lane").await.unwrap();
    }
}

fn released(steps: &[Step]) -> usize {
    steps.iter().filter(|step| matches!(step, Step::Released(..))).count()
}

#[tokio::test]
async fn what_waits_behind_a_message_that_was_settled_too_late_comes_again_behind_it() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = bus(&stage, |e| e.consumer(probe.handler())).await;
    send(&bus, 1..=3).await;
    assert_eq!(probe.next().await.message.number, 1);
    stage.faults.complete_late(1);
    probe.let_through(4);
    let handled: Vec<_> = probe.take(3).await.into_iter().map(|ticked| ticked.number).collect();
    assert_eq!(handled, [1, 2, 3]);
    stage.completed("work", 3).await;
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

#[tokio::test]
async fn a_message_of_a_lane_that_was_settled_too_late_is_handled_when_it_comes_and_not_given_back() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let bus = bus(&stage, |e| e.consumer(probe.handler())).await;
    stage.faults.complete_late(1);
    send(&bus, [1]).await;
    let again: Vec<_> = [probe.next().await, probe.next().await].iter().map(|seen| seen.ctx.redelivered()).collect();
    assert_eq!(again, [false, true]);
    let steps = stage.completed("work", 1).await;
    assert_eq!(released(&steps), 0, "{steps:#?}");
    bus.stop().await;
}

#[tokio::test]
async fn a_move_of_a_lane_that_was_settled_too_late_is_made_again_before_its_lane_goes_on() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let handler = probe.handler();
    let bus = bus(&stage, |e| {
        e.consumer(move |message: Ticked, ctx| {
            let fails = message.number == 1;
            let handled = handler(message, ctx);
            async move { if fails { handled.await.and(Err("no".into())) } else { handled.await } }
        })
    })
    .await;
    stage.faults.complete_late(1);
    send(&bus, 1..=2).await;
    let handled: Vec<_> = probe.take(3).await.into_iter().map(|ticked| ticked.number).collect();
    assert_eq!(handled, [1, 1, 2]);
    stage.lying("work_error", 2).await;
    bus.stop().await;
}
