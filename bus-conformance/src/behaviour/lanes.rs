use std::{collections::BTreeMap, time::Duration};

use bus_core::{
    Retry,
    consumer::{Context, Failure},
};

use crate::{Place, messages::Ticked, probe::Probe};

/// Where queues have lanes: the messages of each are handled one after the other, in order, retries included, and
/// one that takes its time does not keep the others waiting.
pub async fn messages_of_a_lane_are_handled_in_order_while_other_lanes_go_on(place: Place) {
    // So many that not all of them can have one and the same partition.
    const LANES: u32 = 8;
    const EACH: u32 = 4;
    let Some(lanes) = place.lanes() else { return };
    let (held, free) = (Probe::closed(), Probe::open());
    let (holds, goes_on) = (held.handler(), free.handler());
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                lanes(e).concurrency(16).prefetch(64).retry(Retry::interval(1, Duration::from_millis(5))).consumer(
                    move |message: Ticked, ctx: Context| {
                        let (in_first, fails) =
                            (message.number < EACH, message.number % EACH == 1 && ctx.attempt() == 0);
                        let handled = if in_first { holds(message, ctx) } else { goes_on(message, ctx) };
                        async move { handled.await.and(if fails { Err(Failure::from("not yet")) } else { Ok(()) }) }
                    },
                )
            })
        })
        .await;
    // The first of all lanes, then the second ones, and so on.
    for number in (0..EACH).flat_map(|at| (0..LANES).map(move |lane| lane * EACH + at)) {
        bus.publish(Ticked { number }).lane(format!("lane {}", number / EACH)).await.unwrap();
    }
    let mut handled: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    let mut take = async |probe: &Probe<Ticked>| {
        let seen = probe.next().await;
        let number = seen.message.number;
        handled.entry(number / EACH).or_default().push((number % EACH, seen.ctx.attempt()));
    };
    take(&held).await;
    for _ in 0..EACH {
        take(&free).await;
    }
    assert_eq!(held.left().await, 0, "the lane's first message is not done");
    held.let_through(5);
    // Each lane has one message that comes twice.
    for _ in 1..=EACH {
        take(&held).await;
    }
    for _ in EACH..(LANES - 1) * (EACH + 1) {
        take(&free).await;
    }
    for (lane, order) in handled {
        assert_eq!(order, [(0, 0), (1, 0), (1, 1), (2, 0), (3, 0)], "lane {lane}");
    }
    bus.stop().await;
    assert_eq!((held.left().await, free.left().await), (0, 0));
}
