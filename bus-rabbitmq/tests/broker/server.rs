//! The broker under test: virtual hosts and forced closes through its management API.

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{
    address::Destination,
    topology::{Queue, Topology},
    transport::{
        ApplyMode, Class, Delivery, Driver, Environment, Event, Outgoing, PublishOutcome, Receiver, ReceiverSettings,
        SettleOutcome, Settlement, Transport,
    },
};
use bus_rabbitmq::DRIVER;
use xtask::rabbitmq::{AMQP_VARIABLE, VirtualHost};

/// A virtual host of its own, deleted at the end.
pub(crate) struct Rabbit(VirtualHost);

/// Long enough for a slow machine; nothing waits for it unless it fails.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

impl Rabbit {
    pub(crate) fn new() -> Self {
        Self(VirtualHost::create())
    }

    pub(crate) fn name(&self) -> &str {
        self.0.name()
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.0.management().call(method, path, body)
    }

    pub(crate) fn open(&self) -> Arc<dyn Transport> {
        DRIVER.open(self.0.url(), Environment::default()).unwrap()
    }

    pub(crate) async fn connected(&self) -> Arc<dyn Transport> {
        let transport = self.open();
        transport.connect(soon()).await.unwrap();
        transport
    }

    /// Connected through a relay in front of the broker.
    pub(crate) async fn connected_through(&self, port: u16) -> Arc<dyn Transport> {
        let transport =
            DRIVER.open(&format!("amqp://guest:guest@127.0.0.1:{port}/{}", self.name()), Environment::default());
        let transport = transport.unwrap();
        transport.connect(soon()).await.unwrap();
        transport
    }

    /// Connected, as a user who may not declare anything.
    pub(crate) async fn connected_without_configure(&self) -> Arc<dyn Transport> {
        let user = format!("{}-lowly", self.name());
        let status = self.call("PUT", &format!("/api/users/{user}"), r#"{"password":"p","tags":""}"#).0;
        assert!(matches!(status, 201 | 204), "{status}");
        let permissions = r#"{"configure":"^$","write":".*","read":".*"}"#;
        let status = self.call("PUT", &format!("/api/permissions/{}/{user}", self.name()), permissions).0;
        assert!(matches!(status, 201 | 204), "{status}");
        let broker = self.0.url().rsplit('@').next().unwrap();
        let transport = DRIVER.open(&format!("amqp://{user}:p@{broker}"), Environment::default()).unwrap();
        transport.connect(soon()).await.unwrap();
        transport
    }

    /// Connected, with one queue.
    pub(crate) async fn with_queue(&self, queue: &str) -> Arc<dyn Transport> {
        let transport = self.connected().await;
        transport.apply(&queues(&[queue]), ApplyMode::Create).await.unwrap();
        transport
    }

    /// Closes every connection of this virtual host, as an operator does. The API learns of connections
    /// late: it is asked until it closed `count`.
    pub(crate) async fn close_connections(&self, count: usize) {
        let mut closed = std::collections::HashSet::new();
        let deadline = soon();
        while closed.len() < count {
            assert!(Instant::now() < deadline, "the API never listed {count} connections");
            let (_, list) = self.call("GET", &format!("/api/vhosts/{}/connections", self.name()), "");
            for name in list.split(r#""name":""#).skip(1).filter_map(|rest| rest.split('"').next()) {
                if name.contains(" -> ") && !closed.contains(name) {
                    let escaped = name.replace(' ', "%20").replace('>', "%3E");
                    if self.call("DELETE", &format!("/api/connections/{escaped}"), "").0 == 204 {
                        closed.insert(name.to_owned());
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn delete(&self, what: &str, name: &str) {
        let status = self.call("DELETE", &format!("/api/{what}/{}/{name}", self.name()), "").0;
        assert_eq!(status, 204, "{what} {name}");
    }

    /// Makes or changes what is at a path behind `/api/`.
    pub(crate) fn set(&self, path: &str, body: &str) {
        let (status, said) = self.call("PUT", &format!("/api/{path}"), body);
        assert!(matches!(status, 201 | 204), "{path}: {status} {said}");
    }

    pub(crate) fn remove(&self, path: &str) {
        let (status, said) = self.call("DELETE", &format!("/api/{path}"), "");
        assert_eq!(status, 204, "{path}: {said}");
    }

    /// What the API says at a path behind `/api/`.
    pub(crate) fn get(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.call("GET", &format!("/api/{path}"), "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// How many messages of a queue are at its consumers, as the API knows late.
    pub(crate) async fn unacknowledged(&self, queue: &str) -> u64 {
        tokio::task::yield_now().await;
        let queue = self.get(&format!("queues/{}/{queue}", self.name()));
        queue["messages_unacknowledged"].as_u64().unwrap_or_default()
    }

    pub(crate) fn bind(&self, exchange: &str, queue: &str) {
        let path = format!("/api/bindings/{}/e/{exchange}/q/{queue}", self.name());
        assert_eq!(self.call("POST", &path, "{}").0, 201, "{exchange} {queue}");
    }

    pub(crate) fn put(&self, what: &str, name: &str, body: &str) {
        let status = self.call("PUT", &format!("/api/{what}/{}/{name}", self.name()), body).0;
        assert!(matches!(status, 201 | 204), "{what} {name}: {status}");
    }
}

pub(crate) fn amqp() -> String {
    env::var(AMQP_VARIABLE).expect("run `cargo xtask test`, or set BUS_TEST_AMQP_URL and BUS_TEST_RABBITMQ_API")
}

pub(crate) fn queues(names: &[&str]) -> Topology {
    let mut topology = Topology::default();
    topology.queues.extend(names.iter().map(|name| Queue::new((*name).into())));
    topology
}

pub(crate) fn to(queue: &str, id: impl std::fmt::Display) -> Outgoing {
    let id = id.to_string();
    let mut message = Outgoing::new(Destination::Queue(queue.into()), id.clone().into_bytes().into(), soon());
    message.message_id = Some(id.into());
    message
}

pub(crate) fn published(topic: &str, id: impl std::fmt::Display) -> Outgoing {
    let mut message = to("unused", id);
    message.to = Destination::Topic(topic.into());
    message
}

pub(crate) async fn send(transport: &Arc<dyn Transport>, message: Outgoing) -> PublishOutcome {
    let publisher = transport.publisher();
    let permit = publisher.ready(message.body.len(), Class::Application).await;
    publisher.submit(permit, message).await
}

pub(crate) async fn receiver(transport: &Arc<dyn Transport>, queue: &str, prefetch: u16) -> Box<dyn Receiver> {
    transport.receive(ReceiverSettings::new(queue.into(), prefetch)).await.unwrap()
}

/// The next events; fails if there are none soon.
pub(crate) async fn events(receiver: &mut Box<dyn Receiver>, max: usize) -> Vec<Event> {
    let mut events = Vec::new();
    tokio::time::timeout(Duration::from_secs(30), receiver.next(max, &mut events)).await.expect("no event");
    events
}

/// The next delivery; other events are passed over.
pub(crate) async fn delivery(receiver: &mut Box<dyn Receiver>) -> Delivery {
    loop {
        if let Some(Event::Delivery(delivery)) = events(receiver, 1).await.pop() {
            return *delivery;
        }
    }
}

pub(crate) async fn complete(delivery: Delivery) -> SettleOutcome {
    delivery.unsettled.settle(Settlement::Complete).await
}

/// How many messages lie in the queue, ready to be delivered.
pub(crate) async fn ready(transport: &Arc<dyn Transport>, queue: &str) -> usize {
    transport.browse(queue, 1_000_000).await.unwrap().len()
}

/// Waits until so many messages lie ready in a queue, of which the broker tells nobody by itself.
pub(crate) async fn until_ready(transport: &Arc<dyn Transport>, queue: &str, count: usize) {
    let deadline = soon();
    while ready(transport, queue).await < count {
        assert!(Instant::now() < deadline, "{count} messages in {queue}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
