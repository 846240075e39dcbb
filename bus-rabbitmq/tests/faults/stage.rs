//! The broker of the suite, which cases stop, freeze, kill and configure.

use std::time::Duration;

use lapin::{
    Connection, ConnectionProperties,
    message::BasicGetMessage,
    options::{BasicGetOptions, QueueDeclareOptions},
    types::FieldTable,
};
use serde_json::Value;
use xtask::{
    Relay,
    rabbitmq::{Management, Server, VirtualHost},
};

/// Checks for consumers that hold a delivery too long come twice a second instead of once a minute.
const ADVANCED: &str = "[{rabbit, [{channel_tick_interval, 500}]}].\n";

pub(crate) struct Stage {
    server: Server,
    soak: bool,
}

/// A virtual host of a case's own.
pub(crate) struct Place {
    host: VirtualHost,
    /// `host:port` of the broker.
    pub(crate) broker: String,
}

impl Stage {
    pub(crate) fn new(soak: bool) -> Self {
        Self { server: start(), soak }
    }

    pub(crate) fn renew(&mut self) {
        self.server = start();
    }

    pub(crate) fn soak(&self) -> bool {
        self.soak
    }

    /// `short`, or many more in the long form.
    pub(crate) fn messages(&self, short: u32) -> u32 {
        if self.soak { 20 * short } else { short }
    }

    pub(crate) fn place(&self) -> Place {
        let url = self.server.amqp_url();
        let host = VirtualHost::create_at(Management::new(&self.server.management_url()), &url);
        Place { host, broker: url.rsplit('@').next().unwrap().to_owned() }
    }

    /// Does something to the broker that takes a while.
    pub(crate) fn server<T>(&mut self, work: impl FnOnce(&mut Server) -> T) -> T {
        tokio::task::block_in_place(|| work(&mut self.server))
    }
}

fn start() -> Server {
    Server::start_with(ADVANCED).expect("a server of its own")
}

impl Place {
    pub(crate) fn url(&self) -> String {
        format!("{}?heartbeat=10", self.host.url())
    }

    /// The URL through a relay, with a heartbeat of so many seconds.
    pub(crate) fn url_through(&self, relay: &Relay, heartbeat: u16) -> String {
        let through = self.host.url().replace(&self.broker, &format!("127.0.0.1:{}", relay.port()));
        format!("{through}?heartbeat={heartbeat}")
    }

    pub(crate) fn name(&self) -> &str {
        self.host.name()
    }

    fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        tokio::task::block_in_place(|| self.host.management().call(method, path, body))
    }

    /// Closes every connection of this virtual host that the API lists now, as an operator does.
    pub(crate) fn close_connections(&self) -> usize {
        let (_, list) = self.call("GET", &format!("/api/vhosts/{}/connections", self.name()), "");
        let list: Vec<Value> = serde_json::from_str(&list).unwrap_or_default();
        let names = list.iter().filter_map(|connection| connection["name"].as_str());
        names
            .filter(|name| {
                let escaped = name.replace(' ', "%20").replace('>', "%3E");
                self.call("DELETE", &format!("/api/connections/{escaped}"), "").0 == 204
            })
            .count()
    }

    /// How many messages lie ready in a queue; none if there is no such queue.
    pub(crate) async fn ready(&self, queue: &str) -> Option<u32> {
        let connection = self.connection().await;
        let channel = connection.create_channel().await.expect("a channel");
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.into(), passive, FieldTable::default()).await;
        let _ = connection.close(200, "OK".into()).await;
        declared.ok().map(|queue| queue.message_count())
    }

    /// Waits until so many lie ready in it, and a moment longer for more than that.
    pub(crate) async fn until_ready(&self, queue: &str, count: u32) -> u32 {
        for _ in 0..200 {
            if self.ready(queue).await.is_some_and(|ready| ready >= count) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.ready(queue).await.unwrap_or_default()
    }

    /// Takes all that lies in a queue.
    pub(crate) async fn taken(&self, queue: &str) -> Vec<BasicGetMessage> {
        let connection = self.connection().await;
        let channel = connection.create_channel().await.expect("a channel");
        let mut all = Vec::new();
        while let Ok(Some(message)) = channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await {
            all.push(message);
        }
        let _ = connection.close(200, "OK".into()).await;
        all
    }

    pub(crate) fn delete(&self, what: &str, name: &str) {
        self.delete_path(&format!("{what}/{}/{name}", self.name()));
    }

    /// Deletes what stands at a path behind `/api/`.
    pub(crate) fn delete_path(&self, path: &str) {
        let status = self.call("DELETE", &format!("/api/{path}"), "").0;
        assert_eq!(status, 204, "{path}");
    }

    /// Somebody else's connection.
    pub(crate) async fn connection(&self) -> Connection {
        Connection::connect(&self.url(), ConnectionProperties::default()).await.expect("a connection")
    }

    pub(crate) fn put(&self, path: &str, body: &str) {
        let (status, answer) = self.call("PUT", &format!("/api/{path}"), body);
        assert!(matches!(status, 201 | 204), "{path}: {status} {answer}");
    }

    /// What the API says at a path behind `/api/`; nothing if it is not there.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        let (status, body) = self.call("GET", &format!("/api/{path}"), "");
        (status == 200).then(|| serde_json::from_str(&body).expect("JSON"))
    }
}
