use std::{net::TcpListener, time::Duration};

use bus_core::{
    clock::Clock,
    transport::{Driver, Environment, PublishOutcome, TransportError},
};
use bus_rabbitmq::DRIVER;

use crate::{
    connecting::access_refused,
    frames::START_OK,
    peer::{Act, Peer, environment, outcomes, pass, soon, submit},
};

/// Nobody listens there. Kept out of the ephemeral ports: a client could connect to itself there.
fn nobody() -> u16 {
    (20_000..32_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

fn url(ports: &[u16]) -> String {
    let hosts: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!("amqp://user:secret@{}/v", hosts.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_host_is_passed_over() {
    let (dead, peer) = (nobody(), Peer::ordinary().await);
    // Whichever of them it begins with.
    for ports in [[dead, peer.port], [peer.port, dead]] {
        let transport = DRIVER.open(&url(&ports), Environment::default()).unwrap();
        transport.connect(soon()).await.unwrap();
        let confirms = submit(&transport, &["1"], soon()).await;
        assert!(matches!(outcomes(confirms).await[..], [PublishOutcome::Confirmed]));
        assert_eq!(
            transport.source_address().split("/v").next().unwrap(),
            format!("rabbitmq://127.0.0.1:{}", ports[0])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_hangs_is_given_up_for_the_next() {
    let clock = Clock::manual(1);
    let (hung, peer) = (Peer::start(|_| Act::Nothing).await, Peer::ordinary().await);
    let transport = DRIVER.open(&url(&[hung.port, peer.port]), environment(&clock)).unwrap();
    let connecting = tokio::spawn({
        let (transport, deadline) = (transport.clone(), clock.after(Duration::from_secs(3600)));
        async move { transport.connect(deadline).await }
    });
    pass(&clock, || connecting.is_finished()).await;
    connecting.await.unwrap().unwrap();
    hung.saw(|record| record.open == 0).await;
    assert_eq!(transport.health(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_is_followed_by_the_next_and_health_names_what_failed() {
    let (one, other) = (Peer::ordinary().await, Peer::ordinary().await);
    let transport = DRIVER.open(&url(&[one.port, other.port]), Environment::default()).unwrap();
    transport.connect(soon()).await.unwrap();
    let refuse = |seen: &crate::peer::Seen| match seen.method {
        START_OK => Act::SayAndLeave(crate::frames::close(0, 541, "INTERNAL_ERROR - not now")),
        _ => Act::Answer,
    };
    for (dying, living) in [(&one, &other), (&other, &one)] {
        living.plays(|_| Act::Answer);
        dying.plays(refuse);
        dying.leave("publish");
        dying.leave("consume");
        let confirms = submit(&transport, &["1"], soon()).await;
        assert!(matches!(outcomes(confirms).await[..], [PublishOutcome::Confirmed]));
    }
    for peer in [&one, &other] {
        peer.plays(refuse);
        peer.leave("publish");
    }
    let named = |health: &String| {
        [&one, &other].iter().all(|peer| health.contains(&format!("127.0.0.1:{}: INTERNAL_ERROR - not now", peer.port)))
    };
    while !transport.health().is_err_and(|health| named(&health)) {
        tokio::task::yield_now().await;
    }
    let health = transport.health().unwrap_err();
    assert!(health.contains("the connection has been down for") && !health.contains("secret"), "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_refuses_the_password_counts_only_if_no_other_takes_it() {
    let refusing = || Peer::start(|seen| if seen.method == START_OK { access_refused() } else { Act::Answer });
    let (one, two, good) = (refusing().await, refusing().await, Peer::ordinary().await);
    let transport = DRIVER.open(&url(&[one.port, two.port]), Environment::default()).unwrap();
    match transport.connect(soon()).await {
        Err(TransportError::AccessRefused { source, .. }) => {
            let words = source.to_string();
            for port in [one.port, two.port] {
                assert!(words.contains(&format!("127.0.0.1:{port}: ACCESS_REFUSED")), "{words}");
            }
        }
        other => panic!("{other:?}"),
    }
    let transport = DRIVER.open(&url(&[one.port, good.port]), Environment::default()).unwrap();
    transport.connect(soon()).await.unwrap();
    assert_eq!(transport.health(), Ok(()));
}
