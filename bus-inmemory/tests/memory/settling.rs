use bus_core::{
    clock::Clock,
    transport::{Event, SettleOutcome, Settlement},
};

use crate::fixture::{broker, deliveries, done, events, lying, queue, receiver, send, shown};

#[tokio::test]
async fn a_released_message_goes_back_to_its_place_and_is_marked() {
    let bus = broker("release", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2", "3", "4"]).await;
    let mut consumer = receiver(&*bus, "orders", 2).await;
    let [first, second] = deliveries(&mut *consumer).try_into().unwrap();
    consumer.pause();
    // Whoever has the earlier one releases it later.
    assert_eq!(second.unsettled.settle(Settlement::Release).await, SettleOutcome::Settled);
    drop(first);
    assert_eq!(lying(&*bus, "orders").await, ["1", "2", "3", "4"]);
    let mut other = receiver(&*bus, "orders", 10).await;
    assert_eq!(shown(&deliveries(&mut *other)), ["1 again", "2 again", "3", "4"]);
}

#[tokio::test]
async fn a_delivery_says_how_often_the_message_was_handed_out() {
    let bus = broker("count", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2"]).await;
    for times in 1..4 {
        // The second is in the buffer of each of these, which is no delivery.
        let mut consumer = receiver(&*bus, "orders", 2).await;
        let mut handed_out = Vec::new();
        done(consumer.next(1, &mut handed_out)).await;
        let [Event::Delivery(first)] = &handed_out[..] else { panic!("{handed_out:?}") };
        assert_eq!((first.broker_deliveries, first.redelivered), (Some(times), times > 1));
    }
    let mut consumer = receiver(&*bus, "orders", 2).await;
    let [_, second] = deliveries(&mut *consumer).try_into().unwrap();
    assert_eq!((second.broker_deliveries, second.redelivered), (Some(1), false));
}

#[tokio::test]
async fn a_completed_message_never_comes_again() {
    let bus = broker("complete", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1"]).await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    let [only] = deliveries(&mut *consumer).try_into().unwrap();
    assert_eq!(only.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
    drop(consumer);
    assert_eq!(lying(&*bus, "orders").await, [""; 0]);
}

#[tokio::test]
async fn a_dropped_receiver_gives_everything_back() {
    let bus = broker("dropped-receiver", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2", "3", "4"]).await;
    let mut consumer = receiver(&*bus, "orders", 3).await;
    let mut handed_out = Vec::new();
    done(consumer.next(2, &mut handed_out)).await;
    drop(consumer);
    let mut other = receiver(&*bus, "orders", 10).await;
    // The third waited in the buffer: nobody can have begun with it.
    assert_eq!(shown(&deliveries(&mut *other)), ["1 again", "2 again", "3", "4"]);
    let Some(Event::Delivery(late)) = handed_out.pop() else { panic!("{handed_out:?}") };
    assert_eq!(late.unsettled.settle(Settlement::Complete).await, SettleOutcome::LeaseLost);
}

#[tokio::test]
async fn a_paused_receiver_gets_nothing_more_and_can_settle() {
    let bus = broker("pause", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2", "3"]).await;
    let mut consumer = receiver(&*bus, "orders", 2).await;
    let mut handed_out = Vec::new();
    done(consumer.next(1, &mut handed_out)).await;
    consumer.pause();
    assert_eq!(lying(&*bus, "orders").await, ["2", "3"]);
    let Some(Event::Delivery(first)) = handed_out.pop() else { panic!("{handed_out:?}") };
    assert_eq!(first.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
    assert_eq!(shown(&deliveries(&mut *consumer)), [""; 0]);
    assert_eq!(lying(&*bus, "orders").await, ["2", "3"]);
}

#[tokio::test]
async fn what_was_handed_out_can_be_settled_after_its_receiver_closed() {
    let bus = broker("close", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2", "3"]).await;
    let mut consumer = receiver(&*bus, "orders", 3).await;
    let mut handed_out = Vec::new();
    done(consumer.next(2, &mut handed_out)).await;
    consumer.close(Clock::real().now()).await;
    assert_eq!(lying(&*bus, "orders").await, ["3"]);
    let Some(Event::Delivery(second)) = handed_out.pop() else { panic!("{handed_out:?}") };
    assert_eq!(second.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
    drop(handed_out);
    let mut other = receiver(&*bus, "orders", 10).await;
    assert_eq!(shown(&deliveries(&mut *other)), ["1 again", "3"]);
}

#[tokio::test]
async fn a_consumer_in_the_place_of_one_that_went_is_not_mixed_up_with_it() {
    let bus = broker("place", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1"]).await;
    let mut gone = receiver(&*bus, "orders", 1).await;
    let [stale] = deliveries(&mut *gone).try_into().unwrap();
    drop(gone);
    let mut next = receiver(&*bus, "orders", 1).await;
    let [fresh] = deliveries(&mut *next).try_into().unwrap();
    assert_eq!(stale.unsettled.settle(Settlement::Complete).await, SettleOutcome::LeaseLost);
    assert_eq!(fresh.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
    send(&*bus, &queue("orders"), &["2", "3"]).await;
    assert_eq!(shown(&deliveries(&mut *next)), ["2"], "its prefetch is 1");
}

#[tokio::test]
async fn a_closed_transport_gives_everything_back_and_says_so() {
    let bus = broker("closed-transport", &["orders"], &[]).await;
    let other = broker("closed-transport", &[], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2"]).await;
    let mut consumer = receiver(&*bus, "orders", 2).await;
    let mut handed_out = Vec::new();
    done(consumer.next(1, &mut handed_out)).await;
    bus.close(Clock::real().now()).await;
    assert_eq!(lying(&*other, "orders").await, ["1", "2"]);
    assert!(matches!(events(&mut *consumer)[..], [Event::Lost(_)]));
    assert!(events(&mut *consumer).is_empty(), "it says so once");
    let mut next = receiver(&*other, "orders", 2).await;
    assert_eq!(shown(&deliveries(&mut *next)), ["1 again", "2"]);
}

#[tokio::test]
async fn a_receiver_that_waits_hears_that_its_transport_closed() {
    let bus = broker("hears", &["orders"], &[]).await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    let waiting = tokio::spawn(async move {
        let mut events = Vec::new();
        consumer.next(1, &mut events).await;
        events
    });
    tokio::task::yield_now().await;
    bus.close(Clock::real().now()).await;
    assert!(matches!(done(waiting).await.unwrap()[..], [Event::Lost(_)]));
}
