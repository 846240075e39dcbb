use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bus_core::transport::{Event, SettleOutcome, Settlement, Transport};
use tokio::sync::watch;

use crate::fixture::{broker, done, lying, queue, receiver, send};

const PUBLISHERS: usize = 4;
const CONSUMERS: usize = 3;
const EACH: usize = 5_000;

/// Four publishers and three consumers, one of which releases now and then, and one goes away half-way.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_load_every_message_is_completed_exactly_once() {
    let bus = broker("stress", &["orders"], &[]).await;
    let count = Arc::new(AtomicUsize::new(0));
    let (finish, finished) = watch::channel(false);
    let finish = Arc::new(finish);
    let mut consumers = Vec::new();
    for number in 0..CONSUMERS {
        consumers.push(tokio::spawn(consume(bus.clone(), number, count.clone(), finish.clone(), finished.clone())));
    }
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| {
            let bus = bus.clone();
            tokio::spawn(async move {
                for number in 0..EACH {
                    send(&*bus, &queue("orders"), &[&format!("{publisher}/{number}")]).await;
                }
            })
        })
        .collect();
    for publisher in publishers {
        done(publisher).await.unwrap();
    }
    let mut completed = HashMap::new();
    for consumer in consumers {
        for body in done(consumer).await.unwrap() {
            *completed.entry(body).or_insert(0) += 1;
        }
    }
    assert_eq!(completed.len(), PUBLISHERS * EACH);
    assert!(completed.values().all(|times| *times == 1));
    assert_eq!(lying(&*bus, "orders").await, [""; 0]);
}

async fn consume(
    bus: Arc<dyn Transport>,
    number: usize,
    count: Arc<AtomicUsize>,
    finish: Arc<watch::Sender<bool>>,
    mut finished: watch::Receiver<bool>,
) -> Vec<Vec<u8>> {
    let mut source = receiver(&*bus, "orders", 50).await;
    let (mut events, mut completed, mut seen) = (Vec::new(), Vec::new(), 0);
    loop {
        tokio::select! {
            () = source.next(16, &mut events) => {}
            _ = finished.wait_for(|finished| *finished) => return completed,
        }
        for event in events.drain(..) {
            let Event::Delivery(delivery) = event else { panic!("{event:?}") };
            seen += 1;
            if number == 0 && seen % 7 == 0 {
                delivery.unsettled.settle(Settlement::Release).await;
                continue;
            }
            if number == 1 && seen % 1000 == 0 {
                // The whole batch goes with its receiver; a new one takes up the work.
                break;
            }
            let body = delivery.body.to_vec();
            assert_eq!(delivery.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
            completed.push(body);
            if count.fetch_add(1, Ordering::Relaxed) + 1 == PUBLISHERS * EACH {
                finish.send_replace(true);
            }
        }
        if number == 1 && seen % 1000 == 0 {
            source = receiver(&*bus, "orders", 50).await;
        }
    }
}
