//! What an endpoint makes of lanes.

use bus_conformance::{Probe, soon};
use bus_core::{
    bus::EndpointBuilder,
    consumer::{Context, Failure},
};

use crate::stage::{Stage, Ticked, quiet};

/// Lets the numbers of the first lane through, and stops those of the second.
fn slow_and_quick(endpoint: EndpointBuilder, slow: &Probe<Ticked>, quick: &Probe<Ticked>) -> EndpointBuilder {
    let (slow, quick) = (slow.handler(), quick.handler());
    endpoint.concurrency(4).consumer(
        move |message: Ticked, ctx: Context| {
            if message.number < 10 { quick(message, ctx) } else { slow(message, ctx) }
        },
    )
}

fn numbers(messages: &[Ticked]) -> Vec<usize> {
    messages.iter().map(|ticked| ticked.number).collect()
}

#[tokio::test]
async fn the_messages_of_a_lane_are_handled_one_after_the_other_and_other_lanes_go_on() {
    let stage = Stage::new().await;
    let (slow, quick) = (Probe::closed(), Probe::open());
    let bus = stage.bus(|e| slow_and_quick(e, &slow, &quick)).await;
    stage.send([10, 0, 11, 1, 12, 2]).await;
    assert_eq!(slow.next().await.message.number, 10);
    assert_eq!(numbers(&quick.take(3).await), [0, 1, 2]);
    quiet().await;
    assert_eq!(slow.left().await, 0, "the first one of the lane is not done");
    assert_eq!((stage.committed(0), stage.committed(1)), (3, 0));
    for number in [11, 12] {
        slow.let_through(1);
        assert_eq!(slow.next().await.message.number, number);
    }
    slow.let_through(1);
    bus.stop().await;
    assert_eq!(stage.committed(1), 3);
}

#[tokio::test]
async fn a_lane_that_stands_still_does_not_take_the_places_of_the_others() {
    let stage = Stage::new().await;
    let (slow, quick) = (Probe::closed(), Probe::open());
    let bus = stage.bus(|e| slow_and_quick(e, &slow, &quick)).await;
    stage.send([10; 50]).await;
    slow.next().await;
    stage.send([0; 50]).await;
    quick.take(50).await;
    assert_eq!(slow.left().await, 0);
    slow.let_through(50);
    slow.take(49).await;
    bus.stop().await;
}

#[tokio::test]
async fn a_failing_message_ends_in_error_and_its_lane_goes_on() {
    let stage = Stage::new().await;
    let probe = Probe::open();
    let handler = probe.handler();
    let consumer = move |message: Ticked, ctx: Context| {
        let fails = message.number == 11;
        let handled = handler(message, ctx);
        async move { if fails { Err(Failure::from("eleven is too much")) } else { handled.await } }
    };
    let bus = stage.bus(|e| e.consumer(consumer)).await;
    stage.send([10, 11, 12]).await;
    assert_eq!(numbers(&probe.take(2).await), [10, 12]);
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_message(), Some("eleven is too much"));
    bus.stop().await;
    assert_eq!(stage.committed(1), 3);
}

#[tokio::test]
async fn a_stop_finishes_what_runs_and_the_rest_comes_to_the_next_process_in_order() {
    let stage = Stage::new().await;
    let (first, next) = (Probe::closed(), Probe::open());
    let bus = stage.bus(|e| e.concurrency(4).consumer(first.handler())).await;
    stage.send([0, 10, 1, 11, 2, 12]).await;
    let mut begun = numbers(&first.take(2).await);
    begun.sort_unstable();
    assert_eq!(begun, [0, 10]);
    let stop = tokio::spawn({
        let bus = bus.clone();
        async move { bus.stop().await }
    });
    quiet().await;
    first.let_through(2);
    soon("the stop", stop).await.unwrap();
    assert_eq!((first.left().await, stage.committed(0), stage.committed(1)), (0, 1, 1));
    let bus = stage.bus(|e| e.concurrency(4).consumer(next.handler())).await;
    let rest = numbers(&next.take(4).await);
    let lane = |at: usize| rest.iter().copied().filter(|number| number / 10 == at).collect::<Vec<_>>();
    assert_eq!((lane(0), lane(1)), (vec![1, 2], vec![11, 12]));
    bus.stop().await;
    assert_eq!(next.left().await, 0);
}
