use std::{any::type_name, fmt, panic::Location, time::Duration};

use super::{
    ConsumerBuilder,
    setting::{Rank, Setting},
    source::Place,
};
use crate::{
    address::{Address, AddressError},
    consumer::{IntoConsumer, Registration, Verdict},
    filter::Filter,
    naming::EndpointNames,
    pipeline::{Classifiers, Filters, Retry},
    send::IntoAddress,
    transport::Extensions,
};

/// A receive endpoint on its way into the bus: one queue, its consumers, its policy.
pub struct EndpointBuilder {
    pub(super) name: String,
    /// The type that the endpoint is named after, if nobody named it.
    pub(super) named_after: Option<&'static str>,
    /// It has a function for its consumer, after which nothing can be named.
    pub(super) nameless: bool,
    pub(super) consumers: Vec<ConsumerBuilder>,
    pub(super) bindings: Vec<Bound>,
    pub(super) subscribes: Setting<bool>,
    pub(super) raw_json: Setting<bool>,
    pub(super) max_body: Setting<usize>,
    pub(super) retry: Setting<Retry>,
    pub(super) redeliver: Setting<Vec<Duration>>,
    pub(super) allow_reorder: Setting<bool>,
    pub(super) classifiers: Classifiers,
    pub(super) timeout: Setting<Option<Duration>>,
    pub(super) filters: Filters,
    pub(super) outbox: Setting<Outbox>,
    pub(super) prefetch: Setting<Option<u16>>,
    pub(super) concurrency: Setting<Option<u16>>,
    pub(super) extensions: Extensions,
    /// Those of `extensions` that every endpoint has.
    #[cfg(feature = "config")]
    pub(super) default_extensions: Extensions,
    /// Who added to `extensions` last.
    pub(super) options: Setting<()>,
    /// The types of the options that the endpoint gave itself.
    own_options: Vec<&'static str>,
    /// Those that it gave twice, and where.
    pub(super) replaced: Vec<(&'static str, Place)>,
    /// Where it was added.
    pub(super) place: Place,
}

/// Whether a handler's work is made one with what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outbox {
    Off,
    On,
    /// And survives the process.
    Durable,
}

/// A source bound by hand.
pub(super) struct Bound {
    pub(super) source: Result<Address, AddressError>,
    pub(super) routing_key: String,
    pub(super) place: Place,
}

/// The largest body, unless the endpoint says otherwise.
const MAX_BODY: usize = 64 << 20;

impl EndpointBuilder {
    #[track_caller]
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            named_after: None,
            nameless: false,
            consumers: Vec::new(),
            bindings: Vec::new(),
            subscribes: Setting::usual(true),
            raw_json: Setting::usual(false),
            max_body: Setting::usual(MAX_BODY),
            retry: Setting::usual(Retry::none()),
            redeliver: Setting::usual(Vec::new()),
            allow_reorder: Setting::usual(false),
            classifiers: Classifiers::default(),
            timeout: Setting::usual(None),
            filters: Filters::default(),
            outbox: Setting::usual(Outbox::Off),
            prefetch: Setting::usual(None),
            concurrency: Setting::usual(None),
            extensions: Extensions::new(),
            #[cfg(feature = "config")]
            default_extensions: Extensions::new(),
            options: Setting::usual(()),
            own_options: Vec::new(),
            replaced: Vec::new(),
            place: Location::caller(),
        }
    }

    /// Names it after its consumer's type, if nobody named it.
    pub(super) fn name_by(&mut self, names: &EndpointNames) {
        if let Some(type_name) = self.named_after {
            self.name = names.name(type_name);
        }
    }

    /// What is set now counts least from here on.
    pub(super) fn with_settings_outweighed(mut self) -> Self {
        self.prefetch.outweighed();
        self.concurrency.outweighed();
        self.subscribes.outweighed();
        self.raw_json.outweighed();
        self.max_body.outweighed();
        self.retry.outweighed();
        self.redeliver.outweighed();
        self.allow_reorder.outweighed();
        self.timeout.outweighed();
        self.outbox.outweighed();
        self.options.outweighed();
        self.own_options.clear();
        #[cfg(feature = "config")]
        self.default_extensions.clone_from(&self.extensions);
        self
    }

    /// Adds a consumer. An endpoint may have several; each gets every message of its types.
    #[must_use]
    #[track_caller]
    pub fn consumer<Kind>(self, consumer: impl IntoConsumer<Kind>) -> Self {
        self.consumer_with(consumer, |consumer| consumer)
    }

    /// Adds a consumer with settings of its own, which outweigh the endpoint's; its filters come after them.
    ///
    /// ```
    /// # use bus_core::{Message, Retry, bus::EndpointBuilder, consumer::{Failure}};
    /// # use serde::{Deserialize, Serialize};
    /// # use std::time::Duration;
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(namespace = "Acme.Orders", crate = bus_core)]
    /// # struct OrderSubmitted {}
    /// # async fn print(_: OrderSubmitted) -> Result<(), Failure> { Ok(()) }
    /// # async fn count(_: OrderSubmitted) -> Result<(), Failure> { Ok(()) }
    /// # fn configured(endpoint: EndpointBuilder) -> EndpointBuilder {
    /// endpoint
    ///     .timeout(Duration::from_secs(30))
    ///     .consumer(count)
    ///     // There are two printers, and they are slow.
    ///     .consumer_with(print, |c| c.concurrency(2).timeout(Duration::from_secs(300)).retry(Retry::immediate(3)))
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn consumer_with<Kind>(
        mut self,
        consumer: impl IntoConsumer<Kind>,
        configure: impl FnOnce(ConsumerBuilder) -> ConsumerBuilder,
    ) -> Self {
        self.add(consumer.registration(), configure);
        self
    }

    #[track_caller]
    pub(super) fn add(
        &mut self,
        registration: Registration,
        configure: impl FnOnce(ConsumerBuilder) -> ConsumerBuilder,
    ) {
        let settings = registration.settings;
        // Of several consumers on one endpoint the most careful one counts.
        for (limit, said) in [(&mut self.prefetch, settings.prefetch), (&mut self.concurrency, settings.concurrency)] {
            let known = limit.filter(|_| limit.rank() == Some(Rank::Attribute));
            if let Some(said) = said.filter(|said| known.is_none_or(|known| *said < known)) {
                limit.say(Some(said), Rank::Attribute, Location::caller());
            }
        }
        self.consumers.push(configure(ConsumerBuilder::new(registration)));
    }

    /// How many unsettled messages the endpoint holds. The default is 1.2 times a concurrency that was
    /// set, else 32 or twice the number of processors, if that is more. At least 1.
    #[must_use]
    #[track_caller]
    pub fn prefetch(mut self, messages: u16) -> Self {
        self.prefetch.call(Some(messages));
        self
    }

    /// How many messages are handled at once. The default is the prefetch. At least 1.
    #[must_use]
    #[track_caller]
    pub fn concurrency(mut self, messages: u16) -> Self {
        self.concurrency.call(Some(messages));
        self
    }

    /// When a failed message is tried again. The default is never.
    #[must_use]
    #[track_caller]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry.call(retry);
        self
    }

    /// Lets a message that failed come again later, once after each of these delays, before it goes to `_error`. The
    /// default is never; each delay is longer than zero and at most 366 days. MassTransit's `UseDelayedRedelivery`.
    ///
    /// A round is over when the [retry](Self::retry) policy gave up, whose retries begin again in the next one. The
    /// message waits at the broker, so it takes no place of the endpoint's concurrency, and its rounds are counted in
    /// its header `MT-Redelivery-Count`: exactly, whichever process makes them. A handler sees the count as
    /// [`Context::redelivery_count`](crate::consumer::Context::redelivery_count). Faults are told after the last round.
    ///
    /// - A failure that is [permanent](Verdict::Permanent), or that the policy's filters leave out, is not redelivered.
    ///   Of several consumers of a message one with another failure is enough for a round.
    /// - A failure with [`retry_after`](crate::consumer::ResultExt::retry_after) that is the last of its round brings
    ///   its own delay, in place of the round's.
    /// - Every consumer of the message runs again, also those that succeeded; not on an endpoint with an
    ///   [outbox](Self::outbox), which knows them.
    /// - A message whose time to live would be over by then goes to `_error` at once.
    /// - What comes again comes behind what was sent meanwhile: where messages are handled in order, `build()` asks for
    ///   [`allow_reorder`](Self::allow_reorder).
    ///
    /// The broker must hold messages back for that long, or `build()` fails. RabbitMQ counts in whole seconds, and
    /// shorter delays take one.
    ///
    /// ```
    /// # use bus_core::{Retry, bus::EndpointBuilder};
    /// # use std::time::Duration;
    /// # fn configured(endpoint: EndpointBuilder) -> EndpointBuilder {
    /// let (secs, mins) = (Duration::from_secs, |minutes: u64| Duration::from_secs(60 * minutes));
    /// endpoint
    ///     .retry(Retry::immediate(3))
    ///     // 16 attempts in all, the last four of them after more than an hour.
    ///     .redeliver([secs(30), mins(5), mins(60)])
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn redeliver(mut self, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.redeliver.call(delays.into_iter().collect());
        self
    }

    /// Lets a [redelivered](Self::redeliver) message come behind those that followed it, where the endpoint handles
    /// messages in order: in lanes, or with a single active consumer. Without redelivery it means nothing.
    #[must_use]
    #[track_caller]
    pub fn allow_reorder(mut self) -> Self {
        self.allow_reorder.call(true);
        self
    }

    /// Says by its type what is to happen after an error that carries no [`Verdict`] of its own. May be called
    /// several times: they are asked in order, and the first whose type is found, the error's own or that of
    /// something behind it, decides. [`Verdict::Retry`] leaves it to the retry policy and its filters.
    ///
    /// A classifier that panics is a failure that the retry policy is asked about.
    ///
    /// ```
    /// use bus_core::{bus::EndpointBuilder, consumer::Verdict};
    /// use std::time::Duration;
    ///
    /// #[derive(Debug, thiserror::Error)]
    /// enum OrderError {
    ///     #[error("no such order")]
    ///     Unknown,
    ///     #[error("cancelled meanwhile")]
    ///     Cancelled,
    ///     #[error("the warehouse is closed")]
    ///     Closed,
    ///     #[error("the warehouse did not answer")]
    ///     Silent,
    /// }
    ///
    /// fn orders(endpoint: EndpointBuilder) -> EndpointBuilder {
    ///     endpoint.classify(|error: &OrderError| match error {
    ///         OrderError::Unknown => Verdict::Permanent,
    ///         OrderError::Cancelled => Verdict::Discard,
    ///         OrderError::Closed => Verdict::RetryAfter(Duration::from_secs(60)),
    ///         OrderError::Silent => Verdict::Retry,
    ///     })
    /// }
    /// ```
    #[must_use]
    pub fn classify<E: std::error::Error + 'static>(
        mut self,
        classify: impl Fn(&E) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        self.classifiers.add(classify);
        self
    }

    /// How long each attempt of a consumer may take, its filters included. The default is for ever. Longer
    /// than zero.
    ///
    /// An attempt that takes longer is dropped where it waits, and fails with
    /// [`TimedOut`](crate::TimedOut): the retry policy is asked, and at last the message goes to `_error`. Its
    /// context closes; what it sent before has left. One that blocks its thread, or that has moved its work to
    /// another task, cannot be dropped. Waiting in line is not counted, nor are the broker's confirms of what
    /// the consumer sent.
    #[must_use]
    #[track_caller]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout.call(Some(timeout));
        self
    }

    /// Adds a filter, of this endpoint's every consumer; the first that is added is the outermost. It runs in
    /// each attempt, inside of retries, limits and the timeout: see [`filter`](crate::filter).
    ///
    /// ```
    /// # use bus_core::bus::EndpointBuilder;
    /// # fn configured(endpoint: EndpointBuilder) -> EndpointBuilder {
    /// use bus_core::filter;
    ///
    /// endpoint.filter(filter::from_fn(|ctx, next| async move {
    ///     if ctx.header("tenant").is_none() {
    ///         return Err("no tenant".into());
    ///     }
    ///     next.run().await
    /// }))
    /// # }
    /// ```
    #[must_use]
    pub fn filter(mut self, filter: impl Filter) -> Self {
        self.filters.filter(filter);
        self
    }

    /// Makes each attempt of a consumer a unit of work in the bus's [store](super::Builder::persistence): what it
    /// sends leaves after it succeeded, all of it or, after a failure, nothing; and a message that the consumer
    /// handled before, known by its id, is not handled again (an inbox). The default is off.
    ///
    /// Without a store that survives the process this is duplicate suppression: see
    /// [`MemoryPersistence`](crate::persistence::MemoryPersistence). MassTransit's in-memory outbox does the
    /// first half of it.
    ///
    /// A message without an id is handled each time. Faults do not wait for the outbox.
    #[must_use]
    #[track_caller]
    pub fn outbox(mut self) -> Self {
        match *self.outbox {
            // Whoever asked for more has it, and the endpoint has said so too.
            Outbox::Durable => self.outbox.reranked(Rank::Builder),
            Outbox::Off | Outbox::On => self.outbox.call(Outbox::On),
        }
        self
    }

    /// The same, and it has to survive the process: `build()` fails unless the bus was given a durable
    /// [store](super::Builder::persistence).
    #[must_use]
    #[track_caller]
    pub fn effectively_once(mut self) -> Self {
        self.outbox.call(Outbox::Durable);
        self
    }

    /// Also receives copies of what is sent to an exchange or topic: a wire tap. The endpoint of the queue
    /// `orders` has the exchange `orders` in front, so `.bind("exchange:orders")` sees what is sent to
    /// `exchange:orders` (and not what is sent to `queue:orders`).
    #[must_use]
    #[track_caller]
    pub fn bind(self, source: impl IntoAddress) -> Self {
        self.bind_key(source, "")
    }

    /// The same for an exchange that looks at routing keys: `.bind_key("exchange:prices?type=topic", "eu.*")`.
    /// The exchange is declared with that type; the default is `fanout`.
    #[must_use]
    #[track_caller]
    pub fn bind_key(mut self, source: impl IntoAddress, routing_key: impl Into<String>) -> Self {
        let (source, routing_key, place) = (source.into_address(), routing_key.into(), Location::caller());
        self.bindings.push(Bound { source, routing_key, place });
        self
    }

    /// Binds the queue to nothing but what [`bind`](Self::bind) says: what is published stays away, and only
    /// what is sent to the queue arrives. MassTransit's `ConfigureConsumeTopology = false`.
    #[must_use]
    #[track_caller]
    pub fn without_subscriptions(mut self) -> Self {
        self.subscribes.call(false);
        self
    }

    /// Takes bodies of media type `application/json` as payloads without an envelope, from producers that
    /// know none. Their types are those of the header `MT-MessageType`; without it every consumer of the
    /// endpoint gets the message. Other media types are read as envelopes. MassTransit's
    /// `UseRawJsonDeserializer`.
    #[must_use]
    #[track_caller]
    pub fn raw_json(mut self) -> Self {
        self.raw_json.call(true);
        self
    }

    /// The largest body that is read, in bytes. The default is 64 MiB; at least 1. A message with a larger one
    /// is moved to `_error` as it is, with both sizes in the reason, and neither parsed nor tried again. Its
    /// bytes have arrived by then: what a queue may take in at all is the broker's to bound.
    #[must_use]
    #[track_caller]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body.call(bytes);
        self
    }

    /// Adds an option that only one transport knows; others ignore it. One per type: `build()` refuses a second one,
    /// unless the first is one of the [defaults](super::Builder::endpoint_defaults).
    #[must_use]
    #[track_caller]
    pub fn with<T: Send + Sync + 'static>(mut self, option: T) -> Self {
        let known = type_name::<T>();
        if self.own_options.contains(&known) {
            self.replaced.push((known, Location::caller()));
        }
        self.own_options.push(known);
        self.options.call(());
        self.extensions.insert(option);
        self
    }
}

impl fmt::Debug for EndpointBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointBuilder")
            .field("name", &self.name)
            .field("consumers", &self.consumers)
            .finish_non_exhaustive()
    }
}
