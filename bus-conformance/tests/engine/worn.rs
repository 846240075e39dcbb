//! Messages that their broker deletes when it delivered them too often. It counts those that only waited, too.

use std::collections::BTreeSet;

use bus_conformance::{
    Probe,
    faulty::{Answer, towards},
};
use bus_core::transport::{Moved, Outgoing};

use crate::stage::{Stage, Ticked, copies, quiet};

/// Cuts the subscription so often, while the only place is taken, and then lets all the handlers end. What was put back
/// until then, and what was handled in the end.
async fn cut(stage: &Stage, times: usize, messages: u32) -> (Vec<(u32, u32)>, BTreeSet<u32>) {
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.concurrency(1).prefetch(8).consumer(probe.handler()))).await;
    bus.send("queue:work", Ticked { number: 0 }).await.unwrap();
    probe.next().await;
    for number in 1..messages {
        // As if a process had ended while it waited there.
        bus.send("queue:work", Ticked { number }).header("Bus-Starts", 1).await.unwrap();
    }
    quiet().await;
    for _ in 0..times {
        stage.faults.lose("work", "a scripted cut");
        quiet().await;
        stage.faults.restore("work");
        quiet().await;
    }
    let copied = copies(&stage.faults.steps(), "work");
    probe.let_through(1000);
    quiet().await;
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (0, 0));
    bus.stop().await;
    let mut handled = BTreeSet::from([0]);
    while probe.left().await > 0 {
        handled.insert(probe.next().await.message.number);
    }
    (copied, handled)
}

#[tokio::test]
async fn at_half_of_the_deliveries_that_its_broker_allows_a_message_is_put_back_once_with_its_starts() {
    let stage = Stage::new().await;
    stage.faults.limit_deliveries(6);
    let (copied, handled) = cut(&stage, 2, 4).await;
    assert_eq!(copied, [(0, 0), (1, 1), (2, 1), (3, 1)]);
    assert_eq!(handled, (0..4).collect());
}

#[tokio::test]
async fn behind_a_handler_that_never_ends_no_message_is_delivered_until_its_broker_deletes_it() {
    let stage = Stage::new().await;
    stage.faults.limit_deliveries(6);
    let (_, handled) = cut(&stage, 25, 8).await;
    assert_eq!(handled, (0..8).collect());
}

#[tokio::test]
async fn without_a_limit_no_message_is_put_back_however_often_it_was_delivered() {
    let stage = Stage::new().await;
    let (copied, handled) = cut(&stage, 25, 4).await;
    assert_eq!(copied, []);
    assert_eq!(handled, (0..4).collect());
}

#[tokio::test]
async fn what_no_copy_can_take_the_place_of_is_handled_in_its_turn() {
    let put_back = |message: &Outgoing| towards("work")(message) && message.extensions.get::<Moved>().is_some();
    // A queue that is full stays so while nobody takes anything; an outage is over when their turn comes.
    for (answer, times) in [(Answer::Rejected, usize::MAX), (Answer::NotSent, 4)] {
        let stage = Stage::new().await;
        stage.faults.limit_deliveries(6);
        stage.faults.answer(times, put_back, answer);
        let (_, handled) = cut(&stage, 2, 4).await;
        assert_eq!(handled, (0..4).collect(), "{answer:?}");
    }
}

#[tokio::test]
async fn one_that_ended_its_process_five_times_is_put_back_and_not_begun_again() {
    let stage = Stage::new().await;
    stage.faults.limit_deliveries(4);
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(probe.handler()))).await;
    bus.send("queue:work", Ticked { number: 1 }).header("Bus-Starts", 4).await.unwrap();
    probe.next().await;
    drop(bus);
    quiet().await;
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(probe.handler()))).await;
    stage.lying("work_error", 1).await;
    assert_eq!((copies(&stage.faults.steps(), "work"), probe.left().await), (vec![(1, 5)], 0));
    bus.stop().await;
}

#[tokio::test]
async fn of_suspects_that_wait_for_their_turn_through_many_processes_none_is_deleted() {
    const MESSAGES: u32 = 10;
    let stage = Stage::new().await;
    stage.faults.limit_deliveries(10);
    let killing = Probe::<Ticked>::closed();
    let run = async |probe: &Probe<Ticked>| {
        stage.bus(|b| b.endpoint("work", |e| e.concurrency(4).prefetch(10).consumer(probe.handler()))).await
    };
    run(&killing).await.stop().await;
    let sender = stage.bus(|b| b).await;
    for number in 0..MESSAGES {
        sender.send("queue:work", Ticked { number }).header("Bus-Starts", 2).await.unwrap();
    }
    for _ in 0..15 {
        let bus = run(&killing).await;
        killing.next().await;
        quiet().await;
        drop(bus);
        quiet().await;
    }
    let probe = Probe::<Ticked>::open();
    let bus = run(&probe).await;
    quiet().await;
    bus.stop().await;
    let mut handled = BTreeSet::new();
    while probe.left().await > 0 {
        handled.insert(probe.next().await.message.number);
    }
    assert_eq!(handled.len() + stage.count("work_error").await, MESSAGES as usize, "{handled:?}");
    assert!(handled.len() >= 5, "three starts of its own are needed for each: {handled:?}");
    sender.stop().await;
}
