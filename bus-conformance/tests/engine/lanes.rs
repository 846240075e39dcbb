//! Messages of one lane, one after the other.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bus_conformance::{Handled, Probe, soon};
use bus_core::{
    Bus, Retry,
    bus::EndpointBuilder,
    clock::Clock,
    consumer::{Context, Failure},
};

use crate::stage::{Stage, Ticked, pass, quiet};

const HOUR: Duration = Duration::from_secs(3600);

/// A bus whose endpoint `work` has lanes, and a clock that stands still.
async fn laned(stage: &Stage, clock: &Clock, work: impl FnOnce(EndpointBuilder) -> EndpointBuilder) -> Bus {
    let lanes = bus_inmemory::endpoint().lanes();
    stage.bus(|b| b.clock(clock.clone()).endpoint("work", |e| work(e.with(lanes)))).await
}

/// Publishes it to the lane of its tens.
async fn publish(bus: &Bus, number: u32) {
    bus.publish(Ticked { number }).lane((number / 10).to_string()).await.unwrap();
}

#[tokio::test]
async fn a_lane_keeps_its_order_among_others_with_failures_and_retries() {
    const LANES: u32 = 6;
    const EACH: u32 = 8;
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let journal: Arc<Mutex<Vec<(u32, u32, bool)>>> = Arc::default();
    let noted = journal.clone();
    let handler = move |Ticked { number }: Ticked, ctx: Context| -> Handled {
        let (journal, attempt) = (noted.clone(), ctx.attempt());
        Box::pin(async move {
            journal.lock().unwrap().push((number, attempt, true));
            // The others run meanwhile.
            for _ in 0..number % 5 {
                tokio::task::yield_now().await;
            }
            journal.lock().unwrap().push((number, attempt, false));
            match number % 10 {
                // It goes to `_error`.
                1 => Err("never".into()),
                3 | 6 if attempt == 0 => Err("not yet".into()),
                5 if attempt < 2 => panic!("not yet"),
                _ => Ok(()),
            }
        })
    };
    let retry = Retry::intervals([Duration::ZERO, HOUR]);
    let bus = laned(&stage, &clock, |e| e.concurrency(8).prefetch(64).retry(retry).consumer(handler)).await;
    for number in (0..EACH).flat_map(|at| (0..LANES).map(move |lane| 10 * lane + at)) {
        publish(&bus, number).await;
    }
    pass(&clock, 3 * HOUR).await;
    stage.completed("work", (LANES * EACH) as usize).await;
    bus.stop().await;
    let journal = std::mem::take(&mut *journal.lock().unwrap());
    let mut lanes: BTreeMap<u32, Vec<(u32, u32, bool)>> = BTreeMap::new();
    for (number, attempt, begins) in &journal {
        lanes.entry(number / 10).or_default().push((number % 10, *attempt, *begins));
    }
    let attempts = |at: u32| match at {
        1 | 5 => 3,
        3 | 6 => 2,
        _ => 1,
    };
    let each = |at| (0..attempts(at)).flat_map(move |attempt| [(at, attempt, true), (at, attempt, false)]);
    let expected: Vec<_> = (0..EACH).flat_map(each).collect();
    assert_eq!(lanes.len(), LANES as usize);
    for (lane, order) in lanes {
        assert_eq!(order, expected, "lane {lane}");
    }
    let overlaps = journal.windows(2).filter(|pair| pair[0].2 && pair[1].2).count();
    assert!(overlaps > 0, "lanes go on beside each other");
    assert_eq!(stage.count("work_error").await, LANES as usize);
}

#[tokio::test]
async fn other_lanes_go_on_while_one_waits_an_hour_for_its_retry() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let probe = Probe::<Ticked>::open();
    let watched = probe.handler();
    let handler = move |ticked: Ticked, ctx: Context| -> Handled {
        let fails = ticked.number == 0 && ctx.attempt() == 0;
        let seen = watched(ticked, ctx);
        Box::pin(async move { seen.await.and(if fails { Err(Failure::from("not yet")) } else { Ok(()) }) })
    };
    let bus =
        laned(&stage, &clock, |e| e.concurrency(2).prefetch(16).retry(Retry::interval(1, HOUR)).consumer(handler))
            .await;
    for number in [0, 1, 2, 10, 20, 11, 21] {
        publish(&bus, number).await;
    }
    let numbers = async |count| probe.take(count).await.into_iter().map(|ticked| ticked.number).collect::<Vec<_>>();
    assert_eq!(numbers(5).await, [0, 10, 20, 11, 21]);
    pass(&clock, HOUR - Duration::from_millis(1)).await;
    publish(&bus, 12).await;
    assert_eq!(numbers(1).await, [12]);
    quiet().await;
    assert_eq!(probe.left().await, 0);
    pass(&clock, Duration::from_millis(1)).await;
    assert_eq!(numbers(3).await, [0, 1, 2]);
    stage.completed("work", 8).await;
    bus.stop().await;
}

#[tokio::test]
async fn a_stop_with_a_busy_lane_returns_the_rest_of_it_in_order() {
    for finishes in [true, false] {
        let (stage, clock) = (Stage::new().await, Clock::manual(1));
        let (busy, after) = (Probe::<Ticked>::closed(), Probe::<Ticked>::open());
        let bus = laned(&stage, &clock, |e| e.consumer(busy.handler())).await;
        for number in 0..5 {
            publish(&bus, number).await;
        }
        assert_eq!(busy.next().await.message.number, 0);
        quiet().await;
        let stop = tokio::spawn({
            let bus = bus.clone();
            async move { bus.stop().await }
        });
        quiet().await;
        assert_eq!(stage.count("work").await, 4);
        if finishes {
            busy.let_through(1);
        } else {
            // Until it has to.
            pass(&clock, Duration::from_secs(60)).await;
        }
        soon("the stop", stop).await.unwrap();
        let first = u32::from(finishes);
        let next = laned(&stage, &clock, |e| e.consumer(after.handler())).await;
        for number in first..5 {
            assert_eq!(after.next().await.message.number, number, "the first finishes: {finishes}");
        }
        next.stop().await;
        assert_eq!((busy.left().await, after.left().await, stage.count("work").await), (0, 0, 0));
    }
}
