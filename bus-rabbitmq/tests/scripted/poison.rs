//! Messages over which a broker ends channels and connections.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bus_core::{
    address::Destination,
    transport::{Class, Outgoing, PublishOutcome},
};

use crate::{
    frames::{PUBLISH, START_OK, close, tune_frames},
    peer::{Act, Peer, outcomes, shown, soon, submit},
};

const FRAME_ERROR: &str = "FRAME_ERROR - type 2, all octets too many";

/// So many good messages, with bad ones at some places.
fn around(bad: &[usize], count: usize) -> Vec<&'static str> {
    (0..count).map(|place| if bad.contains(&place) { "bad" } else { "good" }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_that_ends_every_connection_is_found_and_refused_and_the_others_are_confirmed() {
    for (code, words, bad) in
        [(501, FRAME_ERROR, &[10, 14][..]), (502, "SYNTAX_ERROR - no", &[0]), (541, "INTERNAL_ERROR", &[20])]
    {
        let peer = Peer::start(move |seen| match seen.method {
            PUBLISH if seen.body == "bad" => Act::Say(close(0, code, words)),
            _ => Act::Answer,
        })
        .await;
        let transport = peer.connected().await;
        let bodies = around(bad, 21);
        let outcomes = outcomes(submit(&transport, &bodies, soon()).await).await;
        for (body, outcome) in bodies.iter().zip(outcomes.iter().map(shown)) {
            match *body {
                "bad" => assert!(outcome.starts_with("rejected: ") && outcome.contains(words), "{outcome}"),
                _ => assert_eq!(outcome, "confirmed"),
            }
        }
        let sent = peer.record().messages.iter().filter(|(_, body)| body == "bad").count();
        let each = 3 * bad.len()..=4 * bad.len();
        assert!(each.contains(&sent), "once with the others, then alone: {sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_connections_that_end_for_other_reasons_no_message_is_to_blame() {
    const TIMES: usize = 8;
    let forced = || Act::Say(close(0, 320, "CONNECTION_FORCED - closed by an operator"));
    let left = || Act::SayAndLeave(Vec::new());
    for leaving in [forced as fn() -> Act, left] {
        let times = Arc::new(AtomicUsize::new(0));
        let peer = Peer::start(move |seen| match seen.method {
            PUBLISH if seen.body == "bad" && times.fetch_add(1, Ordering::Relaxed) < TIMES => leaving(),
            _ => Act::Answer,
        })
        .await;
        let transport = peer.connected().await;
        let outcomes = outcomes(submit(&transport, &around(&[1], 3), soon()).await).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, PublishOutcome::Confirmed)), "{outcomes:?}");
        assert_eq!(peer.record().logins("publish"), 1 + TIMES);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_fit_the_brokers_frame_are_refused_before_they_end_the_connection() {
    const FRAME: u32 = 16 * 1024;
    let peer = Peer::start(|seen| match seen.method {
        START_OK => Act::Say(tune_frames(FRAME, 0)),
        _ => Act::Answer,
    })
    .await;
    let transport = peer.connected().await;
    let publisher = transport.publisher();
    let mut confirms = Vec::new();
    for size in [0, 15 * 1024, 17 * 1024, 0] {
        let mut message = Outgoing::new(Destination::Queue("q".into()), "body".into(), soon());
        message.headers.set("padding", "x".repeat(size));
        let permit = publisher.ready(4, Class::Application).await;
        confirms.push(publisher.submit(permit, message));
    }
    let outcomes: Vec<_> = outcomes(confirms).await.iter().map(shown).collect();
    assert!(outcomes[2].starts_with("rejected: ") && outcomes[2].contains("frame_max of 16384 bytes"), "{outcomes:?}");
    assert_eq!([&outcomes[0], &outcomes[1], &outcomes[3]], ["confirmed"; 3]);
    assert_eq!((peer.record().logins("publish"), peer.record().messages.len()), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_messages_that_close_the_channel_are_each_refused_and_no_other() {
    let words = "PRECONDITION_FAILED - bad";
    let peer = Peer::start(move |seen| match seen.method {
        PUBLISH if seen.body == "bad" => Act::Say(close(seen.channel, 406, words)),
        _ => Act::Answer,
    })
    .await;
    let transport = peer.connected().await;
    let bodies = around(&[0, 3, 4, 11, 29], 30);
    let outcomes = outcomes(submit(&transport, &bodies, soon()).await).await;
    let expected = |body: &&str| if *body == "bad" { format!("rejected: {words}") } else { "confirmed".to_owned() };
    let expected: Vec<_> = bodies.iter().map(expected).collect();
    assert_eq!(outcomes.iter().map(shown).collect::<Vec<_>>(), expected);
    assert_eq!(peer.record().logins("publish"), 1, "the connection stands");
}
