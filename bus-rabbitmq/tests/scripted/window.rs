//! The window of what is under way, at a broker that confirms nothing.

use std::time::Duration;

use bus_core::{
    address::Destination,
    clock::Clock,
    transport::{Class, Confirm, Driver, Outgoing, PublishOutcome, Transport},
};
use bus_rabbitmq::DRIVER;
use futures_util::FutureExt;

use crate::{
    frames::{PUBLISH, START_OK, tune_frames},
    peer::{Act, Peer, environment, outcomes, pass, pass_at, shown},
};

const HELD: &str = "held";

/// Hands one over, in the program's part of the window or in that of handlers, if there is room.
fn submit(transport: &dyn Transport, clock: &Clock, body: &str, class: Class, patience: Duration) -> Option<Confirm> {
    let publisher = transport.publisher();
    let permit = publisher.ready(body.len(), class).now_or_never()?;
    let message =
        Outgoing::new(Destination::Queue("q".into()), body.to_owned().into_bytes().into(), clock.after(patience));
    Some(publisher.submit(permit, message))
}

/// Fills the window with messages of that size, whose senders give up, and returns how many there was room for.
async fn held(size: usize) -> usize {
    const LONG: Duration = Duration::from_secs(3600);
    let clock = Clock::manual(1);
    let peer = Peer::start(|seen| match seen.method {
        // Each body in one frame.
        START_OK => Act::Say(tune_frames(4 << 20, 0)),
        PUBLISH if seen.body.starts_with(HELD) => Act::Nothing,
        _ => Act::Answer,
    })
    .await;
    let transport = DRIVER.open(&peer.url(), environment(&clock)).unwrap();
    transport.connect(clock.after(LONG)).await.unwrap();
    let (body, soon) = (HELD.repeat(size / HELD.len()), Duration::from_millis(50));
    let program = |body: &str, patience| submit(&*transport, &clock, body, Class::Application, patience);
    let confirms: Vec<_> = std::iter::from_fn(|| program(&body, soon)).collect();
    let count = confirms.len();
    peer.saw(|record| record.messages.len() == count).await;
    clock.advance_to(clock.after(soon));
    for outcome in outcomes(confirms).await {
        assert!(matches!(outcome, PublishOutcome::Unknown(_)), "{outcome:?}");
    }
    // Whatever follows from that is done when another one is confirmed.
    let moved = submit(&*transport, &clock, "moved", Class::Handler, LONG).expect("handlers have a part of their own");
    assert_eq!(outcomes(vec![moved]).await.iter().map(shown).collect::<Vec<_>>(), ["confirmed"]);
    let mut room = transport.publisher().ready(body.len(), Class::Application);
    assert!((&mut room).now_or_never().is_none(), "the broker may have all of them still");
    peer.leave("publish");
    pass(&clock, || (&mut room).now_or_never().is_some()).await;
    let mut last = None;
    // With such frames lapin takes its time, and the broker has ten seconds for an answer.
    pass_at(5, &clock, || {
        last = last.take().or_else(|| program("last", LONG));
        last.as_mut().is_some_and(|last| last.now_or_never().is_some())
    })
    .await;
    let again: Vec<_> = peer.record().messages.into_iter().filter(|(login, _)| *login > 0).collect();
    assert_eq!(again, [(1, "last".to_owned())], "nobody waits for the others");
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_their_senders_gave_up_hold_their_places_until_the_connection_is_gone() {
    assert_eq!(held(HELD.len()).await, 900);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_their_senders_gave_up_hold_their_places_until_the_connection_is_gone() {
    assert_eq!(held(1 << 20).await, 57);
}
