//! Copies that take the place of a message that came again.

use bus_conformance::{
    Probe,
    faulty::{Answer, towards},
};
use bus_core::transport::Moved;

use crate::stage::{Stage, Ticked, quiet};

/// A message that its process did not come to an end with, in the queue `work`.
async fn begun_once(stage: &Stage) {
    let first = Probe::<Ticked>::closed();
    let doomed = stage.bus(|b| b.endpoint("work", |e| e.consumer(first.handler()))).await;
    doomed.publish(Ticked { number: 1 }).await.unwrap();
    first.next().await;
    drop(doomed);
    quiet().await;
}

#[tokio::test]
async fn a_copy_that_is_put_back_tells_the_transport_that_it_was_in_a_queue_before() {
    let stage = Stage::new().await;
    begun_once(&stage).await;
    let second = Probe::<Ticked>::open();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(second.handler()))).await;
    second.next().await;
    bus.stop().await;
    let steps = stage.faults.steps();
    let copy = steps.iter().filter_map(|step| step.submitted()).find(|message| towards("work")(message)).unwrap();
    assert_eq!(copy.extensions.get::<Moved>(), Some(&Moved));
}

#[tokio::test]
async fn a_message_whose_copy_the_queue_refuses_is_handled_all_the_same() {
    for answer in [Answer::Rejected, Answer::Unroutable] {
        let stage = Stage::new().await;
        begun_once(&stage).await;
        // As a queue that is full does.
        stage.faults.answer(usize::MAX, towards("work"), answer);
        let second = Probe::<Ticked>::open();
        let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(second.handler()))).await;
        assert!(second.next().await.ctx.redelivered());
        bus.stop().await;
        assert_eq!(stage.count("work").await, 0);
    }
}

#[tokio::test]
async fn a_full_queue_does_not_keep_an_endpoint_from_what_comes_again() {
    let stage = Stage::new().await;
    let work = bus_inmemory::endpoint().max_length(1);
    let first = Probe::<Ticked>::closed();
    let doomed =
        stage.bus(|b| b.endpoint("work", |e| e.prefetch(1).with(work.clone()).consumer(first.handler()))).await;
    doomed.publish(Ticked { number: 1 }).await.unwrap();
    first.next().await;
    doomed.publish(Ticked { number: 2 }).await.unwrap();
    drop(doomed);
    quiet().await;
    let second = Probe::<Ticked>::open();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.prefetch(1).with(work.clone()).consumer(second.handler()))).await;
    second.take(2).await;
    bus.stop().await;
}
