use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bus_core::{
    clock::Clock,
    topology::{Queue, Topology},
    transport::{ApplyMode, Driver, Environment, Event, PublishOutcome, ReceiverSettings, Transport, TransportError},
};
use bus_rabbitmq::DRIVER;

use crate::{
    frames::{CHANNEL_OPEN, CONSUME, GET, OPEN, START_OK, TUNE_OK, blocked, cancelled, close, got, tune, unblocked},
    peer::{Act, Peer, environment, outcomes, pass, pass_at, shown, soon, submit},
};

/// A wrong password, as RabbitMQ says it.
pub(crate) fn access_refused() -> Act {
    let words = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker \
                 logfile.";
    Act::SayAndLeave(close(0, 403, words))
}

/// With a clock that [`pass`] moves.
async fn connected(peer: &Peer, clock: &Clock) -> Arc<dyn Transport> {
    let transport = DRIVER.open(&peer.url(), environment(clock)).unwrap();
    transport.connect(clock.after(Duration::from_secs(3600))).await.unwrap();
    transport
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_ends_each_connection_is_not_called_again_in_a_hurry() {
    let clock = Clock::manual(1);
    let peer = Peer::ordinary().await;
    let transport = connected(&peer, &clock).await;
    peer.plays(|seen| match seen.method {
        CHANNEL_OPEN => Act::SayAndLeave(close(0, 320, "CONNECTION_FORCED - the node is drained")),
        _ => Act::Answer,
    });
    // There is always something to do.
    let sending = submit(&transport, &["1"], clock.after(Duration::from_secs(3600))).await;
    let passed = pass_at(1, &clock, || peer.record().logins("publish") >= 10).await;
    // At least half of 50, 100, 200, 400, 800, and then 1000 ms.
    assert!(passed >= Duration::from_millis(2200), "{passed:?}");
    let place = format!("cannot publish to rabbitmq://127.0.0.1:{}/v: ", peer.port);
    let told =
        |health: String| health.starts_with(&place) && health.contains("CONNECTION_FORCED - the node is drained");
    pass(&clock, || transport.health().is_err_and(told)).await;
    // Good again, and seen to last.
    peer.plays(|_| Act::Answer);
    pass(&clock, || transport.health().is_ok()).await;
    assert!(matches!(outcomes(sending).await[..], [PublishOutcome::Confirmed]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_refused_later_is_tried_every_ten_seconds() {
    let clock = Clock::manual(1);
    let peer = Peer::ordinary().await;
    let transport = connected(&peer, &clock).await;
    peer.plays(|seen| if seen.method == START_OK { access_refused() } else { Act::Answer });
    peer.leave("publish");
    pass(&clock, || peer.record().logins("publish") >= 2).await;
    let waits = || transport.health().is_err_and(|health| health.contains("next one is in"));
    pass(&clock, waits).await;
    let health = transport.health().unwrap_err();
    assert!(health.contains("the connection has been down for ") && health.contains("after 1 failed try"), "{health}");
    assert!(health.contains("ACCESS_REFUSED - Login was refused"), "{health}");
    assert!(!health.contains("secret"), "{health}");
    let passed = pass(&clock, || peer.record().logins("publish") >= 5).await;
    assert!(passed >= Duration::from_secs(25), "{passed:?}");
    peer.plays(|_| Act::Answer);
    pass(&clock, || transport.health().is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refuses_the_first_connection_fails_the_start_and_what_may_pass_does_not() {
    let vhost = "NOT_ALLOWED - vhost v not found";
    let limit = "NOT_ALLOWED - access to vhost 'v' refused for user 'user': connection limit (1) is reached";
    let down = "INTERNAL_ERROR - access to vhost 'v' refused for user 'user': vhost 'v' is down";
    for (code, words, fatal) in [(530, vhost, true), (530, limit, false), (541, down, false)] {
        let peer = Peer::start(move |seen| match seen.method {
            OPEN if seen.login == 0 => Act::SayAndLeave(close(0, code, words)),
            _ => Act::Answer,
        })
        .await;
        let transport = DRIVER.open(&peer.url(), Default::default()).unwrap();
        match (transport.connect(soon()).await, fatal) {
            (Ok(()), false) => assert_eq!(transport.health(), Ok(())),
            (Err(TransportError::AccessRefused { address, source }), true) => {
                assert_eq!(address, format!("rabbitmq://127.0.0.1:{}/v", peer.port));
                assert!(source.to_string().contains(words), "{source}");
                let health = transport.health().unwrap_err();
                let said = "the broker refused the connection, and is not asked again";
                assert!(health.contains(said) && health.contains(words), "{health}");
            }
            (other, _) => panic!("{words}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_gets_no_further_is_given_up_and_leaves_no_connection() {
    for silent_at in [START_OK, TUNE_OK, OPEN] {
        let clock = Clock::manual(1);
        let peer = Peer::start(move |seen| match seen.method {
            method if method == silent_at && seen.login < 2 => Act::Nothing,
            // The answer to tune-ok is that to open.
            OPEN if silent_at == TUNE_OK && seen.login < 2 => Act::Nothing,
            _ => Act::Answer,
        })
        .await;
        let transport = DRIVER.open(&peer.url(), environment(&clock)).unwrap();
        let connecting = tokio::spawn({
            let (transport, deadline) = (transport.clone(), clock.after(Duration::from_secs(3600)));
            async move { transport.connect(deadline).await }
        });
        pass(&clock, || transport.health().is_err_and(|health| health.contains("no answer to the handshake"))).await;
        let passed = pass(&clock, || connecting.is_finished()).await;
        assert!(passed >= Duration::from_secs(9), "{silent_at:?}: {passed:?}");
        connecting.await.unwrap().unwrap();
        // The two that work.
        peer.saw(|record| record.open == 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_take_leave_is_left_all_the_same() {
    let clock = Clock::manual(1);
    let peer = Peer::start(|seen| if seen.method == crate::frames::CLOSE { Act::Nothing } else { Act::Answer }).await;
    let transport = connected(&peer, &clock).await;
    peer.saw(|record| record.open == 2).await;
    let closing = tokio::spawn({
        let (transport, deadline) = (transport.clone(), clock.now());
        async move { transport.close(deadline).await }
    });
    pass(&clock, || closing.is_finished()).await;
    peer.saw(|record| record.open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_frame_and_words_that_are_none_end_the_connection_and_it_comes_back() {
    let mut half = tune(0);
    half.truncate(9);
    for spoilt in [half, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), vec![9; 64]] {
        let peer = Peer::ordinary().await;
        let transport = peer.connected().await;
        peer.say("publish", spoilt);
        peer.leave("publish");
        peer.saw(|record| record.logins("publish") >= 2).await;
        let confirms = submit(&transport, &["1"], soon()).await;
        assert!(matches!(outcomes(confirms).await[..], [PublishOutcome::Confirmed]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_connection_end_it_and_what_consumes_is_told_why() {
    for (code, words) in [
        (320, "CONNECTION_FORCED - by hand"),
        (501, "FRAME_ERROR - odd"),
        (505, "UNEXPECTED_FRAME - odd"),
        (504, "CHANNEL_ERROR - odd"),
    ] {
        let peer = Peer::ordinary().await;
        let transport = peer.connected().await;
        let mut receiver = transport.receive(ReceiverSettings::new("q".into(), 1)).await.unwrap();
        peer.say("consume", close(0, code, words));
        let mut events = Vec::new();
        for expected in ["lost", "restored"] {
            receiver.next(1, &mut events).await;
            match events.pop() {
                Some(Event::Lost(cause)) if expected == "lost" => assert!(cause.to_string().contains(words), "{cause}"),
                Some(Event::Restored) if expected == "restored" => {}
                other => panic!("{words}: {other:?}"),
            }
        }
        let methods = peer.record().methods;
        assert_eq!(methods.iter().filter(|method| **method == CONSUME).count(), 2, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_went_dumb_is_given_up_after_two_heartbeats() {
    let peer = Peer::with_heartbeat(1, |_| Act::Answer).await;
    let _transport = peer.connected().await;
    // Nothing comes any more, not even heartbeats.
    peer.saw(|record| record.logins("publish") >= 2 && record.logins("consume") >= 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_heartbeat_is_agreed_on_so_that_a_dumb_connection_is_found_within_two_of_the_urls() {
    for (asked, agreed) in
        [("", 8), ("?heartbeat=60", 48), ("?heartbeat=2", 1), ("?heartbeat=1", 1), ("?heartbeat=0", 0)]
    {
        let peer = Peer::ordinary().await;
        let transport = DRIVER.open(&format!("{}{asked}", peer.url()), Environment::default()).unwrap();
        transport.connect(soon()).await.unwrap();
        let heartbeats = peer.saw(|record| record.heartbeats.len() >= 2).await.heartbeats;
        assert!(heartbeats.iter().all(|heartbeat| *heartbeat == agreed), "{asked}: {heartbeats:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_stays_deleted_for_a_moment_whatever_is_heard_of_the_connection() {
    let clock = Clock::manual(1);
    let subscribed = Arc::new(Mutex::new(Vec::new()));
    let channels = subscribed.clone();
    let peer = Peer::start(move |seen| {
        if seen.method == CONSUME {
            channels.lock().unwrap().push(seen.channel);
        }
        Act::Answer
    })
    .await;
    let transport = connected(&peer, &clock).await;
    let mut receiver = transport.receive(ReceiverSettings::new("q".into(), 1)).await.unwrap();
    let times = || subscribed.lock().unwrap().len();
    let channel = subscribed.lock().unwrap()[0];
    let begin = clock.now();
    peer.say("consume", cancelled(channel));
    let mut events = Vec::new();
    receiver.next(1, &mut events).await;
    assert!(matches!(events.pop(), Some(Event::Cancelled(_))));
    for _ in 0..10 {
        peer.say("consume", blocked("low on memory"));
        peer.say("consume", unblocked());
        pass_at(1, &clock, || clock.now() > begin).await;
    }
    pass_at(1, &clock, || times() == 2).await;
    let stayed = clock.now() - begin;
    assert!(stayed >= Duration::from_millis(250), "{stayed:?}");
    receiver.next(1, &mut events).await;
    assert!(matches!(events.pop(), Some(Event::Restored)));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_blocked_nothing_is_sent_and_health_says_why() {
    let peer = Peer::ordinary().await;
    let transport = peer.connected().await;
    let before = submit(&transport, &["before"], soon()).await;
    assert!(matches!(outcomes(before).await[..], [PublishOutcome::Confirmed]));
    peer.say("publish", blocked("low on memory"));
    while transport.health().is_ok() {
        tokio::task::yield_now().await;
    }
    let health = transport.health().unwrap_err();
    let host = format!("127.0.0.1:{}", peer.port);
    assert!(health.contains(&format!("{host} has taken no messages for ")), "{health}");
    assert!(health.ends_with(", blocked by the broker: low on memory"), "{health}");
    let late = submit(&transport, &["late"], std::time::Instant::now() + Duration::from_millis(50)).await;
    let late = shown(&outcomes(late).await[0]);
    assert!(late.starts_with("not sent: ") && late.contains("low on memory"), "{late}");
    let held = submit(&transport, &["held"], soon()).await;
    peer.say("publish", unblocked());
    assert!(matches!(outcomes(held).await[..], [PublishOutcome::Confirmed]));
    assert_eq!(peer.record().messages, [(0, "before".to_owned()), (0, "held".to_owned())]);
    while transport.health().is_err() {
        tokio::task::yield_now().await;
    }
    // Closed while it is blocked: lapin writes nothing then.
    peer.say("publish", blocked("again"));
    while transport.health().is_ok() {
        tokio::task::yield_now().await;
    }
    transport.close(std::time::Instant::now()).await;
    peer.saw(|record| record.open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topology_that_is_not_answered_does_not_hold_up_the_connection_for_ever() {
    let clock = Clock::manual(1);
    let peer = Peer::ordinary().await;
    let transport = connected(&peer, &clock).await;
    let mut topology = Topology::default();
    topology.queues.push(Queue::new("q".into()));
    transport.apply(&topology, ApplyMode::Create).await.unwrap();
    peer.plays(|seen| if seen.method == crate::frames::QUEUE_DECLARE { Act::Nothing } else { Act::Answer });
    peer.leave("consume");
    pass(&clock, || peer.record().logins("consume") >= 2).await;
    pass(&clock, || transport.health().is_ok() || transport.health().is_err_and(|health| health.contains("topology")))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_given_up_ends_its_connection() {
    let peer = Peer::start(|seen| match seen.method {
        // The second is never answered.
        GET if seen.login == 0 => Act::Say(got(seen.channel, 1, "held")),
        _ => Act::Answer,
    })
    .await;
    let transport = peer.connected().await;
    peer.plays(|seen| if seen.method == GET { Act::Nothing } else { Act::Answer });
    {
        let mut look = transport.browse("q", 10);
        tokio::select! {
            found = &mut look => panic!("{found:?}"),
            _ = peer.saw(|record| record.methods.contains(&GET)) => {}
        }
        assert_eq!(peer.record().open, 3);
    }
    peer.saw(|record| record.open == 2).await;
    assert_eq!(transport.health(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_costs_its_connection_is_tried_again_and_costs_no_other() {
    let peer = Peer::start(|seen| match seen.method {
        GET if seen.login < 2 => Act::SayAndLeave(close(0, 541, "INTERNAL_ERROR - noproc")),
        _ => Act::Answer,
    })
    .await;
    let transport = peer.connected().await;
    assert_eq!(transport.browse("q", 10).await.unwrap().len(), 0);
    let record = peer.record();
    assert_eq!((record.logins("look"), record.logins("consume"), record.logins("publish")), (3, 1, 1));
    peer.plays(|seen| match seen.method {
        GET => Act::SayAndLeave(close(0, 541, "INTERNAL_ERROR - noproc")),
        _ => Act::Answer,
    });
    let words = format!("{:?}", transport.browse("q", 10).await.unwrap_err());
    assert!(words.contains("noproc") && !words.contains("secret"), "{words}");
    assert_eq!(peer.record().logins("look"), 6);
}
