//! The broker under test: virtual hosts and forced closes through its management API.

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
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

/// A virtual host of its own, deleted at the end.
pub struct Rabbit {
    pub name: String,
}

/// Long enough for a slow machine; nothing waits for it unless it fails.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

impl Rabbit {
    pub fn new() -> Self {
        let name = format!("test-{}", uuid::Uuid::new_v4());
        let rabbit = Self { name };
        assert_eq!(call("PUT", &format!("/api/vhosts/{}", rabbit.name), "").0, 201);
        let all = r#"{"configure":".*","write":".*","read":".*"}"#;
        let status = call("PUT", &format!("/api/permissions/{}/guest", rabbit.name), all).0;
        assert!(status == 201 || status == 204, "{status}");
        rabbit
    }

    pub fn url(&self) -> String {
        format!("{}/{}", amqp().trim_end_matches('/'), self.name)
    }

    pub fn open(&self) -> Arc<dyn Transport> {
        DRIVER.open(&self.url(), Environment::default()).unwrap()
    }

    pub async fn connected(&self) -> Arc<dyn Transport> {
        let transport = self.open();
        transport.connect(soon()).await.unwrap();
        transport
    }

    /// Connected, with one queue.
    pub async fn with_queue(&self, queue: &str) -> Arc<dyn Transport> {
        let transport = self.connected().await;
        transport.apply(&queues(&[queue]), ApplyMode::Create).await.unwrap();
        transport
    }

    /// Closes every connection of this virtual host, as an operator does. The API learns of connections
    /// late: it is asked until it closed `count`.
    pub async fn close_connections(&self, count: usize) {
        let mut closed = std::collections::HashSet::new();
        let deadline = soon();
        while closed.len() < count {
            assert!(Instant::now() < deadline, "the API never listed {count} connections");
            let (_, list) = call("GET", &format!("/api/vhosts/{}/connections", self.name), "");
            for name in list.split(r#""name":""#).skip(1).filter_map(|rest| rest.split('"').next()) {
                if name.contains(" -> ") && !closed.contains(name) {
                    let escaped = name.replace(' ', "%20").replace('>', "%3E");
                    if call("DELETE", &format!("/api/connections/{escaped}"), "").0 == 204 {
                        closed.insert(name.to_owned());
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    }

    pub fn delete(&self, what: &str, name: &str) {
        let status = call("DELETE", &format!("/api/{what}/{}/{name}", self.name), "").0;
        assert_eq!(status, 204, "{what} {name}");
    }

    pub fn put(&self, what: &str, name: &str, body: &str) {
        let status = call("PUT", &format!("/api/{what}/{}/{name}", self.name), body).0;
        assert!(matches!(status, 201 | 204), "{what} {name}: {status}");
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        call("DELETE", &format!("/api/vhosts/{}", self.name), "");
    }
}

pub fn amqp() -> String {
    env::var("BUS_TEST_AMQP_URL").expect("run `cargo xtask test`, or set BUS_TEST_AMQP_URL (amqp://127.0.0.1:5672)")
}

fn call(method: &str, path: &str, body: &str) -> (u16, String) {
    let api = env::var("BUS_TEST_RABBITMQ_API")
        .expect("run `cargo xtask test`, or set BUS_TEST_RABBITMQ_API (http://guest:guest@127.0.0.1:15672)");
    let (credentials, host) = api.trim_start_matches("http://").trim_end_matches('/').split_once('@').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}",
        base64(credentials.as_bytes())
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    (status, answer)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0_u32, |bits, (i, byte)| bits | u32::from(*byte) << (16 - 8 * i));
        for digit in 0..4 {
            let symbol = char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]);
            text.push(if digit > chunk.len() { '=' } else { symbol });
        }
    }
    text
}

pub fn queues(names: &[&str]) -> Topology {
    let mut topology = Topology::default();
    topology.queues.extend(names.iter().map(|name| Queue::new((*name).into())));
    topology
}

pub fn to(queue: &str, id: impl ToString) -> Outgoing {
    let id = id.to_string();
    let mut message = Outgoing::new(Destination::Queue(queue.into()), id.clone().into_bytes().into(), soon());
    message.message_id = Some(id.into());
    message
}

pub fn published(topic: &str, id: impl ToString) -> Outgoing {
    let mut message = to("unused", id);
    message.to = Destination::Topic(topic.into());
    message
}

pub async fn send(transport: &Arc<dyn Transport>, message: Outgoing) -> PublishOutcome {
    let publisher = transport.publisher();
    let permit = publisher.ready(message.body.len(), Class::Application).await;
    publisher.submit(permit, message).await
}

pub async fn receiver(transport: &Arc<dyn Transport>, queue: &str, prefetch: u16) -> Box<dyn Receiver> {
    transport.receive(ReceiverSettings::new(queue.into(), prefetch)).await.unwrap()
}

/// The next events; fails if there are none soon.
pub async fn events(receiver: &mut Box<dyn Receiver>, max: usize) -> Vec<Event> {
    let mut events = Vec::new();
    tokio::time::timeout(Duration::from_secs(30), receiver.next(max, &mut events)).await.expect("no event");
    events
}

/// The next delivery; other events are passed over.
pub async fn delivery(receiver: &mut Box<dyn Receiver>) -> Delivery {
    loop {
        if let Some(Event::Delivery(delivery)) = events(receiver, 1).await.pop() {
            return *delivery;
        }
    }
}

pub async fn complete(delivery: Delivery) -> SettleOutcome {
    delivery.unsettled.settle(Settlement::Complete).await
}

/// How many messages lie in the queue, ready to be delivered.
pub async fn ready(transport: &Arc<dyn Transport>, queue: &str) -> usize {
    transport.browse(queue, 1_000_000).await.unwrap().len()
}
