use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bus_core::{Builder, consumer::Context};

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

/// Where messages are settled one by one: handlers finish in any order; what is acknowledged is the message that was
/// handled, and no other.
pub async fn acknowledging_a_message_leaves_the_others_alone(place: Place) {
    if !place.capabilities().individual_settlement {
        return;
    }
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

/// Where messages are settled one by one: an endpoint holds no more unsettled messages than its prefetch; others get
/// the rest.
pub async fn prefetch_bounds_what_an_endpoint_holds(place: Place) {
    if !place.capabilities().individual_settlement {
        return;
    }
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

/// Where order is kept: what waited and what came later are handled as they were confirmed.
pub async fn messages_are_handled_in_the_order_in_which_they_were_confirmed(place: Place) {
    if !place.capabilities().ordered {
        return;
    }
    let probe = Probe::open();
    let work = |b: Builder| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked)).concurrency(1).prefetch(20));
    place.started(work).await.stop().await;
    let sender = place.started(|b| b).await;
    for number in 0..50 {
        sender.publish(Ticked { number }).await.unwrap();
    }
    let bus = place.started(work).await;
    for number in 50..100 {
        sender.publish(Ticked { number }).await.unwrap();
    }
    let numbers: Vec<_> = probe.take(100).await.into_iter().map(|ticked| ticked.number).collect();
    assert_eq!(numbers, Vec::from_iter(0..100));
    sender.stop().await;
    bus.stop().await;
}

/// Handlers that must not overlap do not, whatever the endpoint holds.
pub async fn a_concurrency_of_one_handles_one_message_at_a_time(place: Place) {
    const MESSAGES: usize = 20;
    let probe = Probe::open();
    let (watched, running) = (probe.clone(), Arc::new(AtomicUsize::new(0)));
    let most = Arc::new(AtomicUsize::new(0));
    let noted = most.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.concurrency(1).prefetch(10).consumer(move |message: Ticked, ctx: Context| {
                    let (watched, running, most) = (watched.clone(), running.clone(), noted.clone());
                    async move {
                        most.fetch_max(1 + running.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                        // Whoever else could run does so now.
                        for _ in 0..10 {
                            tokio::task::yield_now().await;
                        }
                        running.fetch_sub(1, Ordering::SeqCst);
                        watched.handle(message, ctx).await
                    }
                })
            })
        })
        .await;
    for number in 0..20 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    let numbers: BTreeSet<_> = probe.take(MESSAGES).await.into_iter().map(|ticked| ticked.number).collect();
    assert_eq!(numbers, (0..20).collect());
    bus.stop().await;
    assert_eq!((most.load(Ordering::SeqCst), probe.left().await), (1, 0));
}

/// An endpoint whose handlers hang keeps its own messages waiting, and nobody else's.
pub async fn a_slow_endpoint_does_not_hold_up_others(place: Place) {
    let (slow, quick) = (Probe::closed(), Probe::open());
    let bus = place
        .started(|b| {
            b.endpoint("slow", |e| e.consumer(watched!(slow, Ticked)).concurrency(1).prefetch(2))
                .endpoint("quick", |e| e.consumer(watched!(quick, Ticked)))
        })
        .await;
    bus.send("queue:slow", Ticked { number: 0 }).await.unwrap();
    slow.next().await;
    for number in 1..=50 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    quick.take(50).await;
    assert_eq!(slow.left().await, 0, "it is still at its first one");
    slow.let_through(51);
    slow.take(50).await;
    bus.stop().await;
}
