use std::collections::BTreeSet;

use bus_core::{
    Builder, Message,
    consumer::{Context, Failure},
};

use crate::{
    Place,
    messages::{Counted, Priced, Stepped, Ticked, Tocked},
    probe::{Probe, watched},
};

/// A type reaches the consumers of what it `implements`; each gets the members it knows.
pub async fn a_consumer_of_a_contract_gets_its_part_of_a_message_that_fulfils_it(place: Place) {
    let (whole, part) = (Probe::open(), Probe::open());
    let bus = place
        .started(|b| {
            b.endpoint("whole", |e| e.consumer(watched!(whole, Stepped)))
                .endpoint("part", |e| e.consumer(watched!(part, Counted)))
        })
        .await;
    let step = Stepped { number: 1, foot: "left".to_owned() };
    bus.publish(step.clone()).await.unwrap();
    let seen = part.next().await;
    assert_eq!(seen.message, Counted { number: 1 });
    assert_eq!(seen.ctx.message_as::<Stepped>().unwrap(), step, "the rest is there too");
    assert_eq!(whole.next().await.message, step);
    bus.stop().await;
    assert_eq!((whole.left().await, part.left().await), (0, 0));
}

/// An endpoint bound with a pattern gets what is published with a key that fits.
pub async fn a_topic_exchange_routes_by_key(place: Place) {
    if !place.capabilities().routing_keys {
        return;
    }
    let (europe, gold) = (Probe::open(), Probe::open());
    let source = format!("exchange:{}?type=topic", Priced::message_type().entity_name());
    let bus = place
        .started(|b| {
            b.endpoint("europe", |e| {
                e.consumer(watched!(europe, Priced)).without_subscriptions().bind_key(&source, "eu.#")
            })
            .endpoint("gold", |e| {
                e.consumer(watched!(gold, Priced)).without_subscriptions().bind_key(&source, "*.gold")
            })
        })
        .await;
    for (number, key) in (0..).zip(["us.oil", "eu.gold", "eu.oil.brent", "us.gold", "us.gold.old"]) {
        bus.publish(Priced { number }).routing_key(key).await.unwrap();
    }
    for (probe, fits) in [(&europe, [1, 2]), (&gold, [1, 3])] {
        let numbers: BTreeSet<_> = probe.take(2).await.into_iter().map(|priced| priced.number).collect();
        assert_eq!(numbers, BTreeSet::from(fits));
    }
    bus.stop().await;
    assert_eq!((europe.left().await, gold.left().await), (0, 0));
}

/// An endpoint that is away misses nothing: what is published and sent lies in its queue.
pub async fn messages_wait_for_an_endpoint_that_is_away(place: Place) {
    let probe = Probe::open();
    let late = |b: Builder| b.endpoint("late", |e| e.consumer(watched!(probe, Ticked)));
    place.started(late).await.stop().await;
    let sender = place.started(|b| b).await;
    for number in 0..3 {
        sender.publish(Ticked { number }).await.unwrap();
    }
    sender.send("queue:late", Ticked { number: 3 }).await.unwrap();
    sender.stop().await;
    let bus = place.started(late).await;
    let numbers: BTreeSet<_> = probe.take(4).await.into_iter().map(|ticked| ticked.number).collect();
    assert_eq!(numbers, (0..4).collect());
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

/// Programs with endpoints of their own talk to each other, by publishing and by sending.
pub async fn buses_with_different_endpoints_reach_each_other(place: Place) {
    let probe = Probe::open();
    let asking = place.started(|b| b.endpoint("asking", |e| e.consumer(watched!(probe, Tocked)))).await;
    let answering = place
        .started(|b| {
            b.endpoint("answering", |e| {
                e.consumer(async |Ticked { number }: Ticked, ctx: Context| -> Result<(), Failure> {
                    ctx.send("queue:asking", Tocked { number }).await?;
                    ctx.publish(Tocked { number: number + 10 }).await?;
                    Ok(())
                })
            })
        })
        .await;
    asking.publish(Ticked { number: 1 }).await.unwrap();
    asking.send("queue:answering", Ticked { number: 2 }).await.unwrap();
    let numbers: BTreeSet<_> = probe.take(4).await.into_iter().map(|tocked| tocked.number).collect();
    assert_eq!(numbers, BTreeSet::from([1, 2, 11, 12]));
    answering.stop().await;
    asking.stop().await;
    assert_eq!(probe.left().await, 0);
}
