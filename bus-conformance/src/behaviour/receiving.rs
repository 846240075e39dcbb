use crate::{
    Place,
    messages::Ticked,
    probe::{Probe, watched},
};

/// A message whose consumer went away before it finished is delivered again, and says so.
pub async fn a_message_is_acknowledged_after_its_handler_and_comes_back_if_it_was_dropped(place: Place) {
    let (first, second) = (Probe::closed(), Probe::open());
    let doomed = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(first, Ticked)))).await;
    doomed.publish(Ticked { number: 7 }).await.unwrap();
    let seen = first.next().await;
    assert!(!seen.ctx.redelivered());
    drop(seen);
    drop(doomed);
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(second, Ticked)))).await;
    let seen = second.next().await;
    assert_eq!(seen.message, Ticked { number: 7 });
    assert!(seen.ctx.redelivered());
    drop(seen);
    bus.stop().await;
    // Acknowledged this time: nobody gets it again.
    let transport = place.transport().await;
    assert_eq!(transport.browse("work", 10).await.unwrap().len(), 0);
}

/// An endpoint holds no more unsettled messages than its prefetch; others get the rest.
pub async fn prefetch_bounds_what_an_endpoint_holds(place: Place) {
    let (slow, quick) = (Probe::closed(), Probe::open());
    let holding =
        place.started(|b| b.endpoint("work", |e| e.consumer(watched!(slow, Ticked)).prefetch(3).concurrency(1))).await;
    for number in 0..10 {
        holding.publish(Ticked { number }).await.unwrap();
    }
    // One is handled, two wait in the endpoint: that is all it may have.
    slow.next().await;
    let helping = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(quick, Ticked)))).await;
    quick.take(7).await;
    slow.let_through(3);
    slow.take(2).await;
    holding.stop().await;
    helping.stop().await;
    assert_eq!((slow.left().await, quick.left().await), (0, 0));
}
