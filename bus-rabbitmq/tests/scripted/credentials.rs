use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bus_core::{
    clock::Clock,
    transport::{Driver, Environment, Transport, TransportError},
};
use bus_rabbitmq::{Credentials, CredentialsCallback, DRIVER, credentials};

use crate::{
    connecting::access_refused,
    frames::START_OK,
    peer::{Act, Peer, environment, pass, soon},
};

type Answer = Result<Credentials, std::io::Error>;

fn open(peer: &Peer, environment: Environment, callback: CredentialsCallback) -> Arc<dyn Transport> {
    let mut environment = environment;
    environment.options.insert(callback);
    DRIVER.open(&peer.url(), environment).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callback_is_asked_at_each_connect_in_place_of_the_url() {
    let peer = Peer::ordinary().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = asked.clone();
    let callback = credentials(move || {
        let number = counting.fetch_add(1, Ordering::SeqCst);
        async move { Answer::Ok(Credentials::new("rotating", format!("password{number}!"))) }
    });
    let transport = open(&peer, Environment::default(), callback);
    transport.connect(soon()).await.unwrap();
    peer.leave("publish");
    let record = peer.saw(|record| record.logins("publish") >= 2).await;
    let mut came = record.credentials;
    came.sort();
    assert_eq!(came, ["rotating:password0!", "rotating:password1!", "rotating:password2!"]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_fails_panics_or_hangs_is_told_and_asked_again_slowly() {
    for (what, expected) in [
        ("fails", "the callback for the credentials failed: the vault is sealed"),
        ("panics", "the callback for the credentials panicked"),
        ("hangs", "the callback for the credentials did not answer within 10 s"),
    ] {
        let clock = Clock::manual(1);
        let peer = Peer::ordinary().await;
        let bad = Arc::new(Mutex::new(None));
        let (how, asked) = (bad.clone(), Arc::new(AtomicUsize::new(0)));
        let counting = asked.clone();
        let callback = credentials(move || {
            counting.fetch_add(1, Ordering::SeqCst);
            let how = *how.lock().unwrap();
            async move {
                match how {
                    Some("fails") => Err(std::io::Error::other("the vault is sealed")),
                    Some("panics") => panic!("as the test wants"),
                    Some(_) => std::future::pending().await,
                    None => Ok(Credentials::new("user", "secret")),
                }
            }
        });
        let transport = open(&peer, environment(&clock), callback);
        transport.connect(clock.after(Duration::from_secs(3600))).await.unwrap();
        *bad.lock().unwrap() = Some(what);
        let before = asked.load(Ordering::SeqCst);
        peer.leave("publish");
        pass(&clock, || transport.health().is_err_and(|health| health.contains(expected))).await;
        let passed = pass(&clock, || asked.load(Ordering::SeqCst) == before + 4).await;
        assert!(passed >= Duration::from_secs(20), "{what}: {passed:?}");
        assert_eq!(peer.record().logins("publish"), 1, "{what}");
        *bad.lock().unwrap() = None;
        pass(&clock, || transport.health().is_ok()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_fail_the_start_and_are_not_shown() {
    let peer = Peer::start(|seen| if seen.method == START_OK { access_refused() } else { Act::Answer }).await;
    let callback = credentials(|| async { Answer::Ok(Credentials::new("rotating", "hidden!")) });
    let shown = format!("{callback:?} {:?}", Credentials::new("rotating", "hidden!"));
    assert!(!shown.contains("hidden"), "{shown}");
    let transport = open(&peer, Environment::default(), callback);
    let error = transport.connect(soon()).await.unwrap_err();
    assert!(matches!(error, TransportError::AccessRefused { .. }), "{error:?}");
    let words = format!("{error:?} {:?} {transport:?}", transport.health());
    assert!(!words.contains("hidden") && !words.contains("secret"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_blocks_its_thread_holds_up_no_other_connection() {
    let peer = Peer::with_heartbeat(2, |_| Act::Answer).await;
    let (block, blocks) = std::sync::mpsc::channel::<()>();
    let blocks = Mutex::new(blocks);
    let first = AtomicUsize::new(0);
    let callback = credentials(move || {
        if first.fetch_add(1, Ordering::SeqCst) == 2 {
            // Until the test is over, or has failed.
            let _ = blocks.lock().unwrap().recv();
        }
        async { Answer::Ok(Credentials::new("user", "secret")) }
    });
    let transport = open(&peer, Environment::default(), callback);
    transport.connect(soon()).await.unwrap();
    peer.leave("publish");
    // The other one is lost to a missing heartbeat, noticed on the thread that must not be blocked.
    peer.saw(|record| record.logins("consume") >= 2).await;
    drop(block);
    peer.saw(|record| record.logins("publish") >= 2).await;
}
