use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use bus_core::{
    clock::Clock,
    transport::{Driver, PublishOutcome},
};
use bus_rabbitmq::DRIVER;

use crate::{
    frames::{CHANNEL_OPEN, PUBLISH, SELECT, ack, close, nack},
    peer::{Act, Peer, Seen, environment, outcomes, pass_at, shown, soon, submit},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_handed_over_was_not_sent_and_what_was_may_be_there() {
    for (silent_at, expected, sent) in
        [(CHANNEL_OPEN, "not sent: ", 0), (SELECT, "not sent: ", 0), (PUBLISH, "unknown: ", 1)]
    {
        let peer = Peer::start(move |seen| {
            let silent = seen.method == silent_at && seen.purpose == "publish" && seen.body != "0";
            if silent { Act::Nothing } else { Act::Answer }
        })
        .await;
        let transport = peer.connected().await;
        if silent_at == PUBLISH {
            // There is a channel.
            outcomes(submit(&transport, &["0"], soon()).await).await;
        }
        let confirms = submit(&transport, &["1"], Instant::now() + Duration::from_millis(500)).await;
        let outcome = shown(&outcomes(confirms).await[0]);
        assert!(outcome.starts_with(expected), "{silent_at:?}: {outcome}");
        let messages = peer.record().messages;
        assert_eq!(messages.iter().filter(|(_, body)| body == "1").count(), sent, "{silent_at:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_before_the_connection_was_lost_is_not_sent_again() {
    let peer = Peer::start(|seen| match (seen.method, seen.login) {
        (PUBLISH, 0) => match seen.published {
            // The first three, with one frame.
            3 => Act::Say(ack(seen.channel, 3, true)),
            5 => Act::SayAndLeave(close(0, 320, "CONNECTION_FORCED - in the middle")),
            _ => Act::Nothing,
        },
        _ => Act::Answer,
    })
    .await;
    let transport = peer.connected().await;
    let mut confirms = submit(&transport, &["1", "2", "3"], soon()).await;
    // Until lapin has told that they are confirmed: what it was not told before the end counts as lost.
    let first = outcomes(std::mem::take(&mut confirms)).await;
    confirms = submit(&transport, &["4", "5"], soon()).await;
    for outcome in first.iter().chain(&outcomes(confirms).await) {
        assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
    }
    let messages: Vec<_> = peer.record().messages.into_iter().filter(|(login, _)| *login == 1).collect();
    assert_eq!(messages, [(1, "4".to_owned()), (1, "5".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_that_closes_the_channel_is_refused_with_the_brokers_words_and_no_other() {
    for (code, words) in
        [(404, "NOT_FOUND - no exchange"), (406, "PRECONDITION_FAILED - bad"), (403, "ACCESS_REFUSED - no")]
    {
        let peer = Peer::start(move |seen| match seen.method {
            PUBLISH if seen.body == "bad" => Act::Say(close(seen.channel, code, words)),
            _ => Act::Answer,
        })
        .await;
        let transport = peer.connected().await;
        let confirms = submit(&transport, &["1", "bad", "2"], soon()).await;
        let outcomes: Vec<_> = outcomes(confirms).await.iter().map(shown).collect();
        assert_eq!(outcomes, ["confirmed".to_owned(), format!("rejected: {words}"), "confirmed".to_owned()]);
        assert_eq!(peer.record().logins("publish"), 1, "the connection stands");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_frame_may_confirm_or_refuse_several() {
    let peer = Peer::start(|seen| match (seen.method, seen.published) {
        (PUBLISH, 2) => Act::Say(nack(seen.channel, 2, true)),
        (PUBLISH, 5) => Act::Say(ack(seen.channel, 5, true)),
        (PUBLISH, _) => Act::Nothing,
        _ => Act::Answer,
    })
    .await;
    let transport = peer.connected().await;
    let confirms = submit(&transport, &["1", "2", "3", "4", "5"], soon()).await;
    let outcomes: Vec<_> = outcomes(confirms).await.iter().map(shown).collect();
    let refused = |outcome: &String| outcome.starts_with("rejected: ") && outcome.contains("basic.nack");
    assert!(outcomes[..2].iter().all(refused), "{outcomes:?}");
    assert_eq!(outcomes[2..], ["confirmed", "confirmed", "confirmed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_outage_a_message_waits_until_its_deadline_and_the_outcome_says_what_is_wrong() {
    let peer = Peer::ordinary().await;
    let transport = peer.connected().await;
    peer.plays(|seen| match seen.method {
        crate::frames::OPEN => Act::SayAndLeave(close(0, 541, "INTERNAL_ERROR - vhost 'v' is down")),
        _ => Act::Answer,
    });
    peer.leave("publish");
    peer.saw(|record| record.logins("publish") >= 3).await;
    let late = submit(&transport, &["late"], Instant::now() + Duration::from_millis(50)).await;
    let late = shown(&outcomes(late).await[0]);
    assert!(late.starts_with("not sent: ") && late.contains("vhost 'v' is down"), "{late}");
    let patient = submit(&transport, &["patient"], soon()).await;
    peer.plays(|_| Act::Answer);
    assert!(matches!(outcomes(patient).await[..], [PublishOutcome::Confirmed]));
}

/// Without a word about messages; about channels, from the second on, only if it `answers`.
fn deaf(answers: bool) -> impl Fn(&Seen) -> Act + Send + Sync {
    let channels = AtomicUsize::new(0);
    move |seen| match seen.method {
        PUBLISH if seen.login == 0 => Act::Nothing,
        CHANNEL_OPEN if seen.purpose == "publish" && seen.login == 0 => {
            let first = channels.fetch_add(1, Ordering::SeqCst) == 0;
            if first || answers { Act::Answer } else { Act::Nothing }
        }
        _ => Act::Answer,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_nothing_is_answered_any_more_is_left_although_it_has_heartbeats() {
    let clock = Clock::manual(1);
    let peer = Peer::start(deaf(false)).await;
    let transport = DRIVER.open(&peer.url(), environment(&clock)).unwrap();
    transport.connect(clock.after(Duration::from_secs(60))).await.unwrap();
    let confirms = submit(&transport, &["1"], clock.after(Duration::from_secs(600))).await;
    let passed = pass_at(100, &clock, || peer.record().logins("publish") == 2).await;
    assert!(passed >= Duration::from_secs(14), "{passed:?}");
    assert!(matches!(outcomes(confirms).await[..], [PublishOutcome::Confirmed]));
    pass_at(100, &clock, || transport.health().is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_even_open_a_channel_is_left() {
    let clock = Clock::manual(1);
    let silent = |seen: &Seen| seen.method == CHANNEL_OPEN && seen.purpose == "publish" && seen.login == 0;
    let peer = Peer::start(move |seen| if silent(seen) { Act::Nothing } else { Act::Answer }).await;
    let transport = DRIVER.open(&peer.url(), environment(&clock)).unwrap();
    transport.connect(clock.after(Duration::from_secs(60))).await.unwrap();
    let confirms = submit(&transport, &["1"], clock.after(Duration::from_secs(600))).await;
    pass_at(100, &clock, || peer.record().logins("publish") == 2).await;
    assert!(matches!(outcomes(confirms).await[..], [PublishOutcome::Confirmed]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_slow_to_confirm_is_waited_for_while_its_connection_answers() {
    let clock = Clock::manual(1);
    let peer = Peer::start(deaf(true)).await;
    let transport = DRIVER.open(&peer.url(), environment(&clock)).unwrap();
    transport.connect(clock.after(Duration::from_secs(60))).await.unwrap();
    let confirms = submit(&transport, &["1"], clock.after(Duration::from_secs(600))).await;
    let opened = || peer.record().methods.iter().filter(|method| **method == CHANNEL_OPEN).count();
    let before = opened();
    pass_at(100, &clock, || opened() >= before + 5).await;
    assert_eq!((peer.record().logins("publish"), peer.record().messages.len()), (1, 1));
    drop(confirms);
}
