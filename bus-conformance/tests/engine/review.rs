//! Found in a review.

use bus_conformance::{Probe, faulty::towards};
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
