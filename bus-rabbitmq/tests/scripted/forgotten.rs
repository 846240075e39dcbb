//! A subscription that the broker forgot, without a word.

use std::{sync::Arc, time::Duration};

use bus_core::{
    clock::Clock,
    transport::{Delivery, Driver, Event, Receiver, ReceiverSettings, Transport},
};
use bus_rabbitmq::{DRIVER, endpoint};

use crate::{
    frames::{CONSUME, QUEUE_DECLARE, declared, delivered},
    peer::{Act, Peer, environment, pass_at},
};

/// Looks are a minute apart.
const FAST: u32 = 100;

async fn receiving(peer: &Peer, clock: &Clock, settings: ReceiverSettings) -> (Arc<dyn Transport>, Box<dyn Receiver>) {
    let transport = DRIVER.open(&peer.url(), environment(clock)).unwrap();
    transport.connect(clock.after(Duration::from_secs(3600))).await.unwrap();
    let receiver = transport.receive(settings).await.unwrap();
    (transport, receiver)
}

fn settings() -> ReceiverSettings {
    ReceiverSettings::new("q".into(), 10)
}

/// So many lie ready, whenever it is asked.
fn ready(count: u32) -> impl Fn(&crate::peer::Seen) -> Act + Send + Sync {
    move |seen| match seen.method {
        QUEUE_DECLARE => Act::Say(declared(seen.channel, "q", count)),
        _ => Act::Answer,
    }
}

/// How often the queue was asked, and how often it was subscribed to.
fn asked_and_subscribed(peer: &Peer) -> (usize, usize) {
    let methods = peer.record().methods;
    let count = |wanted| methods.iter().filter(|method| **method == wanted).count();
    (count(QUEUE_DECLARE), count(CONSUME))
}

async fn delivery(receiver: &mut Box<dyn Receiver>) -> Delivery {
    let mut events = Vec::new();
    let next = tokio::time::timeout(Duration::from_secs(60), receiver.next(1, &mut events));
    next.await.expect("an event");
    match events.pop() {
        Some(Event::Delivery(delivery)) => *delivery,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_messages_lie_ready_and_none_comes_it_is_made_anew_and_the_receiver_is_told_why() {
    let clock = Clock::manual(1);
    let peer = Peer::start(ready(3)).await;
    let (_transport, mut receiver) = receiving(&peer, &clock, settings()).await;
    let events = tokio::spawn(async move {
        let mut events = Vec::new();
        while events.len() < 2 {
            receiver.next(10, &mut events).await;
        }
        // Held: dropped, it would not subscribe again.
        (events, receiver)
    });
    let passed = pass_at(FAST, &clock, || asked_and_subscribed(&peer).1 == 2).await;
    // Ready once may be on its way.
    assert!(passed >= Duration::from_secs(120), "{passed:?}");
    assert_eq!(asked_and_subscribed(&peer).0, 2);
    match &events.await.unwrap().0[..] {
        [Event::Lost(why), Event::Restored] => {
            assert_eq!(why.to_string(), "3 messages are ready in the queue, and none has come for 60 s");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_does_not_answer_is_subscribed_to_anew() {
    let clock = Clock::manual(1);
    let peer = Peer::start(|seen| if seen.method == QUEUE_DECLARE { Act::Nothing } else { Act::Answer }).await;
    let (_transport, _receiver) = receiving(&peer, &clock, settings()).await;
    pass_at(FAST, &clock, || asked_and_subscribed(&peer) == (1, 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_with_nothing_to_get_is_left() {
    let clock = Clock::manual(1);
    let peer = Peer::start(ready(0)).await;
    let (_transport, _receiver) = receiving(&peer, &clock, settings()).await;
    pass_at(FAST, &clock, || asked_and_subscribed(&peer).0 == 5).await;
    assert_eq!(asked_and_subscribed(&peer).1, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_holds_a_message_is_not_asked_and_what_came_between_two_looks_counts() {
    let clock = Clock::manual(1);
    let peer = Peer::start(ready(3)).await;
    let (_transport, mut receiver) = receiving(&peer, &clock, settings()).await;
    pass_at(FAST, &clock, || asked_and_subscribed(&peer).0 == 1).await;
    peer.say("consume", delivered(1, 1, "held"));
    let held = delivery(&mut receiver).await;
    let begin = clock.now();
    pass_at(FAST, &clock, || clock.now() > begin + Duration::from_secs(300)).await;
    assert_eq!(asked_and_subscribed(&peer), (1, 1));
    drop(held);
    pass_at(FAST, &clock, || asked_and_subscribed(&peer).0 == 2).await;
    assert_eq!(asked_and_subscribed(&peer).1, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_that_take_turns_is_not_asked() {
    let clock = Clock::manual(1);
    let peer = Peer::start(ready(3)).await;
    let mut settings = settings();
    settings.extensions.insert(endpoint().single_active_consumer());
    let (_transport, _receiver) = receiving(&peer, &clock, settings).await;
    let begin = clock.now();
    pass_at(FAST, &clock, || {
        // A manual clock goes on only to what somebody waits for.
        if clock.next_timer().is_none() {
            clock.advance_to(clock.after(Duration::from_secs(1)));
        }
        clock.now() > begin + Duration::from_secs(300)
    })
    .await;
    assert_eq!(asked_and_subscribed(&peer), (0, 1));
}
