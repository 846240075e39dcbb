use std::{borrow::Cow, sync::Arc, time::Duration};

use bus_core::{envelope::HeaderValue, transport::Lane};
use lapin::types::{FieldTable, ShortString};

use super::argument_values::shown;
use crate::headers::to_amqp;

const QUEUE_TYPE: &str = "x-queue-type";
const SINGLE_ACTIVE: &str = "x-single-active-consumer";

/// Options of an endpoint on RabbitMQ: `.with(bus_rabbitmq::endpoint().quorum())`.
#[must_use]
pub fn endpoint() -> EndpointOptions {
    EndpointOptions::default()
}

/// How an endpoint's queue and the exchange in front of it are declared. Argument names and types are those
/// that MassTransit writes. The default is a durable classic queue without arguments.
///
/// An existing queue with other arguments refuses to be declared: that is an error at start, with the
/// broker's words. Options that exclude each other are errors of `build()`.
///
/// ```
/// use std::time::Duration;
/// use bus_core::{Builder, bus::Catalog, consumer::Failure};
/// # use bus_core::Message;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme", crate = bus_core)]
/// # struct Audit {}
///
/// let bus = Builder::new("amqp://localhost", Catalog::default())
///     .driver(&bus_rabbitmq::DRIVER)
///     .endpoint("audit", |e| {
///         e.consumer(|_: Audit| async { Ok::<_, Failure>(()) })
///             .with(bus_rabbitmq::endpoint().quorum().message_ttl(Duration::from_secs(3600)))
///     })
///     .build()?;
/// # Ok::<(), bus_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EndpointOptions {
    arguments: Vec<(Cow<'static, str>, HeaderValue)>,
    pub(crate) lifetime: Lifetime,
    pub(crate) auto_delete_exchange: bool,
    /// Exchanges that are declared for what the queue gives up, each perhaps with a queue.
    pub(crate) dead_letters: Vec<(Arc<str>, Option<Arc<str>>)>,
}

/// How long queue and exchange stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Until somebody deletes them.
    #[default]
    Durable,
    /// As long as the consumer.
    Temporary,
    /// As long as the connection, and a minute without a consumer.
    Expiring,
}

impl EndpointOptions {
    /// A replicated queue: `x-queue-type=quorum`. Default: classic.
    ///
    /// RabbitMQ 4 would delete a message at its 20th delivery. There the queue is declared with
    /// `x-delivery-limit=-1`, unless [`argument`](Self::argument) says otherwise; over TLS the server's
    /// version is not known, and the limit is left to a policy. At half of a limit, or at the tenth delivery, the
    /// bus puts a copy in the message's place, which to the broker is new.
    #[must_use]
    pub fn quorum(self) -> Self {
        self.argument(QUEUE_TYPE, "quorum")
    }

    /// On how many nodes a quorum queue begins: `x-quorum-initial-group-size`. At least 1; default: the
    /// broker's, three.
    #[must_use]
    pub fn quorum_group_size(self, nodes: u16) -> Self {
        self.argument("x-quorum-initial-group-size", i32::from(nodes))
    }

    /// Messages of a classic queue lie on disk: `x-queue-mode=lazy`. Default: they may lie in memory.
    /// RabbitMQ ignores it since 3.12, where all of them lie on disk.
    #[must_use]
    pub fn lazy(self) -> Self {
        self.argument("x-queue-mode", "lazy")
    }

    /// Priorities from 0 up to this one are kept apart: `x-max-priority`, 1 to 255; the broker's makers
    /// advise at most 10. Default: order of arrival.
    #[must_use]
    pub fn max_priority(self, highest: u8) -> Self {
        self.argument("x-max-priority", i32::from(highest))
    }

    /// The broker deletes the queue when nobody used it for so long: `x-expires`, whole milliseconds, 1 ms to
    /// 49 days. Default: never. What lies in it then is lost; its `_error` queue stays.
    #[must_use]
    pub fn expires(self, after: Duration) -> Self {
        self.argument("x-expires", milliseconds(after))
    }

    /// A message that lies in the queue for so long goes, to the dead-letter exchange if there is one:
    /// `x-message-ttl`, whole milliseconds, at most 49 days. Default: it stays.
    #[must_use]
    pub fn message_ttl(self, time: Duration) -> Self {
        self.argument("x-message-ttl", milliseconds(time))
    }

    /// The queue holds so many messages that wait: `x-max-length`. Default: no limit. Above it the broker
    /// drops the oldest, to the dead-letter exchange if there is one.
    #[must_use]
    pub fn max_length(self, messages: u32) -> Self {
        self.argument("x-max-length", i64::from(messages))
    }

    /// One consumer at a time gets all messages, the others stand by: `x-single-active-consumer`. Default:
    /// they share.
    ///
    /// The queue is one lane then: the bus handles its messages one after the other in the broker's order, whatever
    /// the endpoint's concurrency is, and a message that fails holds up the others until its retries are used up. When
    /// another consumer takes over, what the one before had prefetched is handled again; classic queues keep its order
    /// then, quorum queues do not. A message that ends its process is not found out, and what a quorum queue with a
    /// delivery limit gives up is lost without a dead-letter exchange.
    #[must_use]
    pub fn single_active_consumer(self) -> Self {
        self.argument(SINGLE_ACTIVE, true)
    }

    /// How long a delivery may stay unsettled before the broker closes the channel: `x-consumer-timeout`,
    /// whole milliseconds. Default: the broker's, 30 minutes.
    #[must_use]
    pub fn consumer_timeout(self, time: Duration) -> Self {
        self.argument("x-consumer-timeout", milliseconds(time))
    }

    /// What the queue gives up (expired, too many, refused) goes to this exchange, which is declared: fanout,
    /// durable. Default: it is lost. For an exchange of another kind, that others declare, write
    /// `.argument("x-dead-letter-exchange", "name")`.
    #[must_use]
    pub fn dead_letter_to(self, exchange: &str) -> Self {
        self.give_up_to(exchange, None)
    }

    /// The same, with a durable queue that is bound to the exchange.
    #[must_use]
    pub fn dead_letter_queue(self, exchange: &str, queue: &str) -> Self {
        self.give_up_to(exchange, Some(queue.into()))
    }

    fn give_up_to(mut self, exchange: &str, queue: Option<Arc<str>>) -> Self {
        self.dead_letters = vec![(exchange.into(), queue)];
        self.argument("x-dead-letter-exchange", exchange.to_owned())
    }

    /// Queue and exchange go with their consumer: for this process alone (exclusive), in memory. What lies in
    /// it then is lost. Default: durable. The endpoint's address says `?temporary=true`.
    ///
    /// After a lost connection the broker may hold the name until it missed two heartbeats: the endpoint is
    /// unhealthy until then, and a start of another process fails.
    #[must_use]
    pub fn temporary(mut self) -> Self {
        self.lifetime = Lifetime::Temporary;
        self
    }

    /// Queue and exchange go with the connection, the queue also after a minute without a consumer
    /// (`x-expires` of 60 000 ms); otherwise as [`temporary`](Self::temporary). MassTransit's way for
    /// endpoints with a [`generated_name`](crate::generated_name).
    #[must_use]
    pub fn expiring_temporary(mut self) -> Self {
        self.lifetime = Lifetime::Expiring;
        self.expires(Duration::from_secs(60))
    }

    /// The exchange in front of the queue goes with its last binding. Default: it stays as long as the queue
    /// does by these options.
    #[must_use]
    pub fn auto_delete_exchange(mut self) -> Self {
        self.auto_delete_exchange = true;
        self
    }

    /// Any other argument of the queue, in place of one of that name. Whole numbers of 32 bits (`i32`) and
    /// 64 bits (`i64`) are told apart by AMQP, and mean the same to RabbitMQ.
    #[must_use]
    pub fn argument(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<HeaderValue>) -> Self {
        let name = name.into();
        self.arguments.retain(|(known, _)| *known != name);
        self.arguments.push((name, value.into()));
        self
    }

    /// Without an argument that was asked for.
    #[cfg(feature = "config")]
    pub(super) fn without(mut self, name: &str) -> Self {
        self.arguments.retain(|(known, _)| *known != name);
        self
    }

    #[cfg(feature = "config")]
    pub(super) fn durable(mut self) -> Self {
        self.lifetime = Lifetime::Durable;
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&HeaderValue> {
        self.arguments.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().map(|(name, _)| name.as_ref())
    }

    /// The queue's arguments and whatever else was set, by name.
    pub(crate) fn described(&self) -> Vec<(String, String)> {
        let lifetime = match self.lifetime {
            Lifetime::Durable => None,
            Lifetime::Temporary => Some("temporary"),
            Lifetime::Expiring => Some("expiring_temporary"),
        };
        let flags = [lifetime, self.auto_delete_exchange.then_some("auto_delete_exchange")];
        let flags = flags.into_iter().flatten().map(|flag| (flag.to_owned(), "true".to_owned()));
        let queues = self.dead_letters.iter().filter_map(|(_, queue)| queue.as_ref());
        let queues = queues.map(|queue| ("dead_letter_queue".to_owned(), queue.to_string()));
        let arguments = self.arguments.iter().map(|(name, value)| (name.to_string(), shown(value)));
        flags.chain(queues).chain(arguments).collect()
    }

    /// Whether the queue belongs to the connection that declares it.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.lifetime != Lifetime::Durable
    }

    /// The lane of its messages, if it has one.
    pub(crate) fn lane(&self) -> Option<Lane> {
        let single = self.get(SINGLE_ACTIVE) == Some(&HeaderValue::Bool(true));
        single.then(|| Lane("single active consumer".into()))
    }

    pub(crate) fn is_quorum(&self) -> bool {
        matches!(self.get(QUEUE_TYPE), Some(HeaderValue::Text(kind)) if kind == "quorum")
    }
}

/// AMQP's arguments for these options.
pub(crate) fn arguments(options: &EndpointOptions) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in &options.arguments {
        // A longer name is a problem that `build()` told.
        if let Ok(name) = ShortString::try_new(&**name) {
            table.insert(name, to_amqp(value));
        }
    }
    table
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
