//! What a program sees of RabbitMQ: mistakes in the URL, a broker that is away, a broker that comes back.

use std::time::Duration;

use bus::{
    Error,
    clock::Clock,
    consumer::{Function, IntoConsumer},
    prelude::*,
    transport::TransportError,
};
use tokio::sync::mpsc;
use xtask::rabbitmq::{Server, VirtualHost};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests")]
struct Numbered {
    number: u32,
}

/// A consumer that passes on the numbers it gets.
fn passing() -> (impl IntoConsumer<Function<(Numbered,)>>, mpsc::UnboundedReceiver<u32>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let pass = move |message: Numbered| {
        std::future::ready(sender.send(message.number).map_err(|_| Failure::from("nobody listens")))
    };
    (pass, receiver)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

#[tokio::test]
async fn a_host_that_is_not_there_is_tried_until_the_deadline_and_may_be_tried_again() {
    // A port where nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bus = bus::builder(format!("amqp://someone:secret@127.0.0.1:{port}/shop"))
        .start_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    for attempt in 0..2 {
        let error = bus.start().await.unwrap_err();
        assert!(matches!(error, Error::Transport(TransportError::Unreachable { .. })), "try {attempt}: {error:?}");
        let said = chain(&error);
        assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
        assert!(said.to_lowercase().contains("refused"), "{said}");
        assert!(!said.contains("secret") && !format!("{error:?}").contains("secret"), "{said}");
        assert!(!bus.health().healthy);
    }
}

#[tokio::test]
async fn credentials_that_cannot_be_had_fail_the_start_with_the_words_of_the_callback() {
    let sealed = || async { Err::<bus::rabbitmq::Credentials, _>(std::io::Error::other("the vault is sealed")) };
    let bus = bus::builder("amqp://127.0.0.1:9/shop")
        .with(bus::rabbitmq::credentials(sealed))
        .start_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let said = chain(&bus.start().await.unwrap_err());
    assert!(said.contains("the callback for the credentials failed: the vault is sealed"), "{said}");
}

#[tokio::test]
async fn a_wrong_password_fails_at_once() {
    let place = VirtualHost::create();
    let url = place.url().replacen("//guest:guest@", "//guest:secret@", 1);
    // It would wait longer than the test if it tried until its deadline.
    let bus = bus::builder(url).start_timeout(Duration::from_secs(3600)).build().unwrap();
    let error = bus.start().await.unwrap_err();
    assert!(matches!(error, Error::Transport(TransportError::AccessRefused { .. })), "{error:?}");
    let said = chain(&error);
    assert!(said.contains("check user, password and virtual host") && !said.contains("secret"), "{said}");
}

#[tokio::test]
async fn a_queue_with_other_arguments_fails_the_start_with_the_brokers_words() {
    let place = VirtualHost::create();
    let body = r#"{"durable":true,"arguments":{"x-max-length":3}}"#;
    let (status, _) = place.management().call("PUT", &format!("/api/queues/{}/numbers", place.name()), body);
    assert_eq!(status, 201);
    let (consumer, _numbers) = passing();
    let bus = bus::builder(place.url()).endpoint("numbers", |e| e.consumer(consumer)).build().unwrap();
    let error = bus.start().await.unwrap_err();
    assert!(matches!(error, Error::Transport(TransportError::Topology { .. })), "{error:?}");
    let said = chain(&error);
    assert!(said.contains("numbers") && said.contains("x-max-length"), "{said}");
}

#[tokio::test]
async fn a_bus_on_rabbitmq_starts_and_stops_any_number_of_times() {
    let place = VirtualHost::create();
    let (consumer, mut numbers) = passing();
    let bus = bus::builder(place.url()).endpoint("numbers", |e| e.consumer(consumer)).build().unwrap();
    for number in 0..3 {
        bus.start().await.unwrap();
        assert!(bus.health().healthy, "{:?}", bus.health());
        bus.publish(Numbered { number }).await.unwrap();
        assert_eq!(numbers.recv().await, Some(number));
        bus.stop().await;
        assert!(!bus.health().healthy);
    }
}

/// The broker is killed and started again while messages flow. Every publish resolves by itself, and every
/// number arrives; some may arrive twice, none is missing.
#[allow(clippy::disallowed_methods, reason = "a deadline of the machine's time: the broker is real")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_and_consumers_go_on_after_the_broker_was_killed_and_started_again() {
    const NUMBERS: u32 = 600;
    let mut server = tokio::task::spawn_blocking(|| Server::start().expect("a server of its own")).await.unwrap();
    let (consumer, mut numbers) = passing();
    let bus = bus::builder(server.amqp_url())
        .send_timeout(Duration::from_secs(120))
        .endpoint("numbers", |e| e.consumer(consumer))
        .build()
        .unwrap();
    bus.start().await.unwrap();
    let publishing = tokio::spawn({
        let bus = bus.clone();
        async move {
            for number in 0..NUMBERS {
                bus.publish(Numbered { number }).await.expect("it waits out the outage");
            }
        }
    });
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 100 {
        seen.extend(numbers.recv().await);
    }
    let restarted = tokio::task::spawn_blocking(move || {
        server.kill();
        server.start_again().expect("it starts again");
        server
    });
    let clock = Clock::real();
    let all = clock.by(clock.after(Duration::from_secs(180)), async {
        while seen.len() < NUMBERS as usize {
            seen.extend(numbers.recv().await);
        }
    });
    if all.await.is_err() {
        let lost: Vec<_> = (0..NUMBERS).filter(|number| !seen.contains(number)).collect();
        panic!("lost: {lost:?}");
    }
    publishing.await.unwrap();
    let server = restarted.await.unwrap();
    // A connection that was lost soon after it was made counts as bad until the next one has lasted a second.
    while !bus.health().healthy {
        tokio::task::yield_now().await;
    }
    bus.stop().await;
    tokio::task::spawn_blocking(|| drop(server)).await.unwrap();
}
