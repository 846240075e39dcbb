//! What the driver makes of the bus's settlements.

use bus_core::transport::{Delivery, Event, Receiver, SettleOutcome, Settlement};
use futures_util::FutureExt;

use crate::stage::{Stage, deliveries, receiver};

async fn settle(delivery: Delivery, settlement: Settlement) -> SettleOutcome {
    delivery.unsettled.settle(settlement).await
}

async fn complete(delivery: Delivery) -> SettleOutcome {
    settle(delivery, Settlement::Complete).await
}

/// Whether there is nothing to be had now.
fn is_empty(receiver: &mut dyn Receiver) -> bool {
    let mut events = Vec::new();
    let none = receiver.next(10, &mut events).now_or_never().is_none();
    none || !events.iter().any(|event| matches!(event, Event::Delivery(_)))
}

#[tokio::test]
async fn the_committed_offset_does_not_go_past_a_message_that_is_not_done() {
    let stage = Stage::new().await;
    let transport = stage.holding([10, 11, 12]).await;
    let mut receiver = receiver(&*transport, 12).await;
    let (mut found, _) = deliveries(&mut *receiver, 3).await;
    for _ in 0..2 {
        assert_eq!(complete(found.pop().unwrap()).await, SettleOutcome::Settled);
        assert_eq!(stage.committed(1), 0);
    }
    assert_eq!(complete(found.pop().unwrap()).await, SettleOutcome::Settled);
    assert_eq!(stage.committed(1), 3);
}

#[tokio::test]
async fn what_is_behind_a_released_message_comes_again_behind_it() {
    let stage = Stage::new().await;
    let transport = stage.holding([10, 11, 12, 13]).await;
    let mut receiver = receiver(&*transport, 12).await;
    let (found, _) = deliveries(&mut *receiver, 3).await;
    let Ok([first, second, third]) = <[Delivery; 3]>::try_from(found) else { panic!("three") };
    assert!(!second.redelivered);
    assert_eq!(settle(second, Settlement::Release).await, SettleOutcome::Settled);
    assert_eq!(complete(third).await, SettleOutcome::LeaseLost);
    assert_eq!(complete(first).await, SettleOutcome::Settled, "it is before what was released");
    let (again, numbers) = deliveries(&mut *receiver, 3).await;
    assert_eq!(numbers, [11, 12, 13]);
    assert_eq!(again.iter().map(|delivery| delivery.redelivered).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(stage.committed(1), 1);
}

#[tokio::test]
async fn prefetch_bounds_what_is_handed_out() {
    let stage = Stage::new().await;
    let transport = stage.holding([0, 1, 2, 3, 10, 11, 12, 13]).await;
    for prefetch in [1, 2] {
        let mut receiver = receiver(&*transport, prefetch).await;
        let (mut held, _) = deliveries(&mut *receiver, prefetch.into()).await;
        for _ in 0..2 {
            assert!(is_empty(&mut *receiver));
            assert_eq!(complete(held.remove(0)).await, SettleOutcome::Settled);
            held.extend(deliveries(&mut *receiver, 1).await.0);
        }
    }
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing() {
    let stage = Stage::new().await;
    let transport = stage.holding([10, 11, 12]).await;
    let mut killed = receiver(&*transport, 8).await;
    let (mut found, numbers) = deliveries(&mut *killed, 2).await;
    assert_eq!(numbers, [10, 11]);
    assert_eq!(complete(found.remove(0)).await, SettleOutcome::Settled);
    // It says nothing more, not even that.
    std::mem::forget((killed, found));
    stage.expire();
    let mut receiver = receiver(&*transport, 12).await;
    let (again, numbers) = deliveries(&mut *receiver, 2).await;
    assert_eq!(numbers, [11, 12]);
    assert_eq!(again.iter().map(|delivery| delivery.redelivered).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn a_receiver_that_is_dropped_cannot_settle_and_what_it_had_goes_to_others() {
    let stage = Stage::new().await;
    let transport = stage.holding([10, 11]).await;
    let mut dropped = receiver(&*transport, 12).await;
    let (mut found, _) = deliveries(&mut *dropped, 2).await;
    drop(dropped);
    assert_eq!(complete(found.remove(0)).await, SettleOutcome::LeaseLost);
    let mut receiver = receiver(&*transport, 12).await;
    assert_eq!(deliveries(&mut *receiver, 2).await.1, [10, 11]);
}
