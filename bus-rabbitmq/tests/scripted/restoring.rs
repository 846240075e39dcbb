//! What is declared again before anything is published on a new connection.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bus_core::{
    clock::Clock,
    topology::{Queue, Topology},
    transport::{ApplyMode, Driver, PublishOutcome},
};
use bus_rabbitmq::DRIVER;

use crate::{
    frames::{PUBLISH, QUEUE_BIND, QUEUE_DECLARE},
    peer::{Act, Peer, environment, outcomes, pass_at, submit},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_does_not_answer_does_not_keep_the_bindings_from_those_who_publish() {
    let clock = Clock::manual(1);
    let published = Arc::new(Mutex::new(Vec::new()));
    let methods = published.clone();
    let peer = Peer::start(move |seen| {
        if (seen.purpose, seen.login) == ("publish", 1) {
            methods.lock().unwrap().push(seen.method);
        }
        if seen.method == QUEUE_DECLARE && seen.login > 0 { Act::Nothing } else { Act::Answer }
    })
    .await;
    let transport = DRIVER.open(&peer.url(), environment(&clock)).unwrap();
    transport.connect(clock.after(Duration::from_secs(3600))).await.unwrap();
    let mut topology = Topology::default();
    topology.queues.push(Queue::new("q".into()));
    transport.apply(&topology, ApplyMode::Create).await.unwrap();
    // The one that consumes is first at it.
    peer.leave("consume");
    pass_at(1, &clock, || peer.record().logins("consume") == 2).await;
    peer.leave("publish");
    let confirms = submit(&transport, &["1"], clock.after(Duration::from_secs(3600))).await;
    let sent = tokio::spawn(outcomes(confirms));
    pass_at(5, &clock, || sent.is_finished()).await;
    assert!(matches!(sent.await.unwrap()[..], [PublishOutcome::Confirmed]));
    let methods = published.lock().unwrap().clone();
    let first = |wanted| methods.iter().position(|method| *method == wanted);
    assert!(first(QUEUE_BIND) < first(PUBLISH) && first(QUEUE_BIND).is_some(), "{methods:?}");
}
