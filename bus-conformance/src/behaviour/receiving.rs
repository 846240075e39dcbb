use std::collections::BTreeSet;

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

/// Handlers finish in any order; what is acknowledged is the message that was handled, and no other.
pub async fn acknowledging_a_message_leaves_the_others_alone(place: Place) {
    let (first, quick, second) = (Probe::closed(), Probe::open(), Probe::open());
    let (slow, fast) = (first.handler(), quick.handler());
    let choose = move |message: Ticked, ctx| if message.number < 2 { slow(message, ctx) } else { fast(message, ctx) };
    let doomed = place.started(|b| b.endpoint("work", |e| e.consumer(choose).prefetch(3))).await;
    for number in 0..5 {
        doomed.publish(Ticked { number }).await.unwrap();
    }
    // The last one is delivered only when the others were settled: there is room for one beside the slow ones.
    first.take(2).await;
    quick.take(3).await;
    drop(doomed);
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(second, Ticked)))).await;
    // The fast one that came last may come again too: it may not have been settled yet.
    let mut missing = BTreeSet::from([0, 1]);
    while !missing.is_empty() {
        let Ticked { number } = second.next().await.message;
        assert!(missing.remove(&number) || number == 4, "{number} comes again, or twice");
    }
    bus.stop().await;
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
