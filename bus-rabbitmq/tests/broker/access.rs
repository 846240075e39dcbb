//! What a user may do changes while the bus runs.

use std::sync::{Arc, Mutex};

use bus_core::{
    address::Destination,
    topology::{TopicKind, Topology},
    transport::{ApplyMode, Driver, Environment, Event, PublishOutcome, Transport},
};
use bus_rabbitmq::{Credentials, DRIVER, credentials};

use crate::server::{Rabbit, complete, delivery, events, published, queues, receiver, send, soon, to};

/// A user of a test's own, deleted at the end.
struct User<'a> {
    rabbit: &'a Rabbit,
    name: String,
}

impl<'a> User<'a> {
    fn new(rabbit: &'a Rabbit) -> Self {
        let user = Self { rabbit, name: format!("{}-user", rabbit.name()) };
        user.has_password("first");
        user.may(".*", ".*", ".*");
        user
    }

    fn has_password(&self, password: &str) {
        let body = format!(r#"{{"password":"{password}","tags":""}}"#);
        self.rabbit.set(&format!("users/{}", self.name), &body);
    }

    fn may(&self, configure: &str, write: &str, read: &str) {
        let body = format!(r#"{{"configure":"{configure}","write":"{write}","read":"{read}"}}"#);
        self.rabbit.set(&format!("permissions/{}/{}", self.rabbit.name(), self.name), &body);
    }

    async fn connected(&self) -> Arc<dyn Transport> {
        let broker = self.rabbit.url().rsplit('@').next().unwrap();
        let transport = DRIVER.open(&format!("amqp://{}:first@{broker}", self.name), Environment::default()).unwrap();
        transport.connect(soon()).await.unwrap();
        transport
    }
}

impl Drop for User<'_> {
    fn drop(&mut self) {
        self.rabbit.remove(&format!("users/{}", self.name));
    }
}

async fn until(mut so: impl FnMut() -> bool) {
    let deadline = soon();
    while !so() {
        assert!(std::time::Instant::now() < deadline, "it is so soon");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_rotates_is_followed() {
    let rabbit = Rabbit::new();
    let user = User::new(&rabbit);
    let known = Arc::new(Mutex::new("first"));
    let (name, asked) = (user.name.clone(), known.clone());
    let mut environment = Environment::default();
    environment.options.insert(credentials(move || {
        let answer = Credentials::new(name.clone(), *asked.lock().unwrap());
        async { Ok::<_, std::io::Error>(answer) }
    }));
    // The URL knows no password at all.
    let broker = rabbit.url().rsplit('@').next().unwrap();
    let transport = DRIVER.open(&format!("amqp://{broker}"), environment).unwrap();
    transport.connect(soon()).await.unwrap();
    transport.apply(&queues(&["q"]), ApplyMode::Create).await.unwrap();
    let mut receiver = receiver(&transport, "q", 1).await;

    user.has_password("second");
    rabbit.close_connections(2).await;
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Lost(_)]));
    let told = |health: String| health.contains("ACCESS_REFUSED") && health.contains("the next one is in");
    until(|| transport.health().is_err_and(told)).await;
    let health = transport.health().unwrap_err();
    assert!(!health.contains("first") && !health.contains("second"), "{health}");

    *known.lock().unwrap() = "second";
    assert!(matches!(send(&transport, to("q", 1)).await, PublishOutcome::Confirmed));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
    complete(delivery(&mut receiver).await).await;
    until(|| transport.health().is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_any_more_is_told_and_reads_on_when_it_is_granted_again() {
    let rabbit = Rabbit::new();
    let user = User::new(&rabbit);
    let transport = user.connected().await;
    transport.apply(&queues(&["q"]), ApplyMode::Create).await.unwrap();
    let mut receiver = receiver(&transport, "q", 1).await;
    user.may(".*", ".*", "^$");
    // What is subscribed stays so.
    rabbit.close_connections(2).await;
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Lost(_)]));
    match &events(&mut receiver, 1).await[..] {
        [Event::Degraded(cause)] => {
            let words = cause.to_string();
            assert!(words.contains("ACCESS_REFUSED") && words.contains("queue 'q'"), "{words}");
        }
        events => panic!("{events:?}"),
    }
    // Sending goes on meanwhile.
    assert!(matches!(send(&transport, to("q", 1)).await, PublishOutcome::Confirmed));
    user.may(".*", ".*", ".*");
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
    complete(delivery(&mut receiver).await).await;
    // To bind is to read from the exchange: that was left out, until somebody declares it again.
    let health = transport.health().unwrap_err();
    assert!(health.contains("the binding of queue `q`") && health.contains("ACCESS_REFUSED"), "{health}");
    transport.apply(&queues(&["q"]), ApplyMode::Create).await.unwrap();
    assert_eq!(transport.health(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_write_any_more_is_refused_by_message_and_the_rest_goes_on() {
    let rabbit = Rabbit::new();
    let user = User::new(&rabbit);
    let transport = user.connected().await;
    transport.apply(&queues(&["q"]), ApplyMode::Create).await.unwrap();
    assert!(matches!(send(&transport, to("q", 1)).await, PublishOutcome::Confirmed));
    let mut receiver = receiver(&transport, "q", 1).await;
    user.may(".*", "^$", ".*");
    // The broker remembers for a while what a channel may do.
    rabbit.close_connections(2).await;
    match send(&transport, to("q", 2)).await {
        PublishOutcome::Rejected(why) => assert!(why.to_string().contains("ACCESS_REFUSED"), "{why}"),
        outcome => panic!("{outcome:?}"),
    }
    loop {
        // It was given back with the first connection.
        if complete(delivery(&mut receiver).await).await == bus_core::transport::SettleOutcome::Settled {
            break;
        }
    }
    user.may(".*", ".*", ".*");
    assert!(matches!(send(&transport, to("q", 3)).await, PublishOutcome::Confirmed));
    complete(delivery(&mut receiver).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_configure_any_more_works_on_with_what_is_there_and_health_says_what_is_not() {
    let rabbit = Rabbit::new();
    let user = User::new(&rabbit);
    let transport = user.connected().await;
    let mut topology: Topology = queues(&["q"]);
    topology.topic(&"Acme:Event".into(), TopicKind::Fanout);
    topology.bind(&"Acme:Event".into(), Destination::Queue("q".into()), "");
    transport.apply(&topology, ApplyMode::Create).await.unwrap();
    let mut receiver = receiver(&transport, "q", 1).await;
    user.may("^$", ".*", ".*");
    rabbit.close_connections(2).await;
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Lost(_)]));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
    // What is there, a topic's exchange included, is used as it is.
    assert!(matches!(send(&transport, published("Acme:Event", 1)).await, PublishOutcome::Confirmed));
    complete(delivery(&mut receiver).await).await;
    // A connection that is lost within its first second is told of until the next one has lasted.
    let told = |health: String| health.contains("did not declare all of the topology again: queue `q`: ACCESS_REFUSED");
    until(|| transport.health().is_err_and(told)).await;
    user.may(".*", ".*", ".*");
    transport.apply(&topology, ApplyMode::Create).await.unwrap();
    until(|| transport.health().is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_host_that_is_gone_is_told_and_found_again_with_all_that_was_declared() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let mut receiver = receiver(&transport, "q", 1).await;
    rabbit.remove(&format!("vhosts/{}", rabbit.name()));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Lost(_)]));
    let told = |health: String| health.contains("vhost") && health.contains("the next one is in");
    until(|| transport.health().is_err_and(told)).await;
    rabbit.set(&format!("vhosts/{}", rabbit.name()), "");
    rabbit.set(&format!("permissions/{}/guest", rabbit.name()), r#"{"configure":".*","write":".*","read":".*"}"#);
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
    assert!(matches!(send(&transport, to("q", 1)).await, PublishOutcome::Confirmed));
    complete(delivery(&mut receiver).await).await;
}
