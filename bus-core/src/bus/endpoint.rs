use std::{fmt, time::Duration};

use super::{
    ConsumerBuilder,
    setting::{Origin, Setting},
};
use crate::{
    address::{Address, AddressError},
    consumer::{Entry, IntoConsumer, Registration, Verdict},
    filter::Filter,
    pipeline::{Classifiers, Filters, Retry},
    send::IntoAddress,
    transport::Extensions,
};

/// A receive endpoint on its way into the bus: one queue, its consumers, its policy.
pub struct EndpointBuilder {
    pub(super) name: String,
    /// The type that the endpoint is named after, if nobody named it.
    pub(super) named_after: Option<&'static str>,
    pub(super) consumers: Vec<ConsumerBuilder>,
    pub(super) bindings: Vec<Bound>,
    pub(super) subscribes: Setting<bool>,
    pub(super) raw_json: Setting<bool>,
    pub(super) max_body: Setting<usize>,
    pub(super) retry: Setting<Retry>,
    pub(super) classifiers: Classifiers,
    pub(super) timeout: Setting<Option<Duration>>,
    pub(super) filters: Filters,
    pub(super) outbox: Setting<Outbox>,
    pub(super) extensions: Extensions,
    /// Those of `extensions` that every endpoint has.
    #[cfg(feature = "config")]
    pub(super) default_extensions: Extensions,
    pub(super) prefetch: Setting<Option<u16>>,
    pub(super) concurrency: Setting<Option<u16>>,
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
}

/// The largest body, unless the endpoint says otherwise.
const MAX_BODY: usize = 64 << 20;

impl EndpointBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            named_after: None,
            consumers: Vec::new(),
            bindings: Vec::new(),
            subscribes: Setting::usual(true),
            raw_json: Setting::usual(false),
            max_body: Setting::usual(MAX_BODY),
            retry: Setting::usual(Retry::none()),
            classifiers: Classifiers::default(),
            timeout: Setting::usual(None),
            filters: Filters::default(),
            outbox: Setting::usual(Outbox::Off),
            extensions: Extensions::new(),
            #[cfg(feature = "config")]
            default_extensions: Extensions::new(),
            prefetch: Setting::usual(None),
            concurrency: Setting::usual(None),
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
        self.timeout.outweighed();
        self.outbox.outweighed();
        #[cfg(feature = "config")]
        self.default_extensions.clone_from(&self.extensions);
        self
    }

    /// Adds a consumer. An endpoint may have several; each gets every message of its types.
    #[must_use]
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
    pub fn consumer_with<Kind>(
        mut self,
        consumer: impl IntoConsumer<Kind>,
        configure: impl FnOnce(ConsumerBuilder) -> ConsumerBuilder,
    ) -> Self {
        self.add(consumer.registration(), configure);
        self
    }

    pub(super) fn add(
        &mut self,
        registration: Registration,
        configure: impl FnOnce(ConsumerBuilder) -> ConsumerBuilder,
    ) {
        let settings = registration.settings;
        // Of several consumers on one endpoint the most careful one counts.
        for (limit, said) in [(&mut self.prefetch, settings.prefetch), (&mut self.concurrency, settings.concurrency)] {
            if let Some(said) = said {
                let known = if *limit.origin() == Origin::Attribute { **limit } else { None };
                limit.say(Some(known.map_or(said, |known| known.min(said))), Origin::Attribute);
            }
        }
        self.consumers.push(configure(ConsumerBuilder::new(registration)));
    }

    /// The handlers of all consumers.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.consumers.iter().flat_map(|consumer| &consumer.entries)
    }

    /// How many unsettled messages the endpoint holds. The default is 1.2 times a concurrency that was
    /// set, else 32 or twice the number of processors, if that is more. At least 1.
    #[must_use]
    pub fn prefetch(mut self, messages: u16) -> Self {
        self.prefetch.say(Some(messages), Origin::Builder);
        self
    }

    /// How many messages are handled at once. The default is the prefetch. At least 1.
    #[must_use]
    pub fn concurrency(mut self, messages: u16) -> Self {
        self.concurrency.say(Some(messages), Origin::Builder);
        self
    }

    /// When a failed message is tried again. The default is never.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry.say(retry, Origin::Builder);
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
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout.say(Some(timeout), Origin::Builder);
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
    pub fn outbox(mut self) -> Self {
        let durable = *self.outbox == Outbox::Durable;
        self.outbox.say(if durable { Outbox::Durable } else { Outbox::On }, Origin::Builder);
        self
    }

    /// The same, and it has to survive the process: `build()` fails unless the bus was given a durable
    /// [store](super::Builder::persistence).
    #[must_use]
    pub fn effectively_once(mut self) -> Self {
        self.outbox.say(Outbox::Durable, Origin::Builder);
        self
    }

    /// Also receives copies of what is sent to an exchange or topic: a wire tap. The endpoint of the queue
    /// `orders` has the exchange `orders` in front, so `.bind("exchange:orders")` sees what is sent to
    /// `exchange:orders` (and not what is sent to `queue:orders`).
    #[must_use]
    pub fn bind(self, source: impl IntoAddress) -> Self {
        self.bind_key(source, "")
    }

    /// The same for an exchange that looks at routing keys: `.bind_key("exchange:prices?type=topic", "eu.*")`.
    /// The exchange is declared with that type; the default is `fanout`.
    #[must_use]
    pub fn bind_key(mut self, source: impl IntoAddress, routing_key: impl Into<String>) -> Self {
        self.bindings.push(Bound { source: source.into_address(), routing_key: routing_key.into() });
        self
    }

    /// Binds the queue to nothing but what [`bind`](Self::bind) says: what is published stays away, and only
    /// what is sent to the queue arrives. MassTransit's `ConfigureConsumeTopology = false`.
    #[must_use]
    pub fn without_subscriptions(mut self) -> Self {
        self.subscribes.say(false, Origin::Builder);
        self
    }

    /// Takes bodies of media type `application/json` as payloads without an envelope, from producers that
    /// know none. Their types are those of the header `MT-MessageType`; without it every consumer of the
    /// endpoint gets the message. Other media types are read as envelopes. MassTransit's
    /// `UseRawJsonDeserializer`.
    #[must_use]
    pub fn raw_json(mut self) -> Self {
        self.raw_json.say(true, Origin::Builder);
        self
    }

    /// The largest body that is read, in bytes. The default is 64 MiB; at least 1. A message with a larger one
    /// is moved to `_error` as it is, with both sizes in the reason, and neither parsed nor tried again. Its
    /// bytes have arrived by then: what a queue may take in at all is the broker's to bound.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body.say(bytes, Origin::Builder);
        self
    }

    /// Adds an option that only one transport knows; others ignore it.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, option: T) -> Self {
        self.extensions.insert(option);
        self
    }

    /// A sentence for each setting of the endpoint's or a consumer's that cannot be.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let own = (*self.timeout == Some(Duration::ZERO))
            .then(|| format!("endpoint `{}`: the timeout must be longer than zero; for none, leave it out", self.name));
        own.into_iter().chain(self.consumers.iter().flat_map(|consumer| consumer.mistakes(&self.name))).collect()
    }

    /// Prefetch and concurrency, or what is wrong with them.
    pub(super) fn limits(&self, processors: usize) -> Result<(u16, u16), String> {
        let usual = u16::try_from((2 * processors).max(32)).unwrap_or(u16::MAX);
        let (prefetch, concurrency) = (*self.prefetch, *self.concurrency);
        let refuse = |what: &str| Err(format!("endpoint `{}`: {what} must be at least 1", self.name));
        if prefetch == Some(0) {
            return refuse("the prefetch");
        }
        if concurrency == Some(0) {
            return refuse("the concurrency");
        }
        Ok(match (prefetch, concurrency) {
            (None, None) => (usual, usual),
            (Some(prefetch), None) => (prefetch, prefetch),
            (None, Some(concurrency)) => (concurrency.saturating_add(concurrency.div_ceil(5)), concurrency),
            (Some(prefetch), Some(concurrency)) => (prefetch, concurrency),
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::ConsumerSettings;

    #[test]
    fn limits_follow_from_each_other() {
        let endpoint = || EndpointBuilder::new("orders".to_owned());
        assert_eq!(endpoint().limits(2), Ok((32, 32)));
        assert_eq!(endpoint().limits(32), Ok((64, 64)));
        assert_eq!(endpoint().prefetch(7).limits(2), Ok((7, 7)));
        assert_eq!(endpoint().concurrency(1).limits(2), Ok((2, 1)));
        assert_eq!(endpoint().concurrency(10).limits(2), Ok((12, 10)));
        assert_eq!(endpoint().prefetch(500).concurrency(16).limits(2), Ok((500, 16)));
        let refused = endpoint().prefetch(0).limits(2).unwrap_err();
        assert_eq!(refused, "endpoint `orders`: the prefetch must be at least 1");
    }

    #[test]
    fn a_default_counts_less_than_an_attribute_and_that_less_than_the_endpoint() {
        let settings = ConsumerSettings { prefetch: Some(5), ..ConsumerSettings::default() };
        let registration = Registration { name: None, settings, entries: Vec::new() };
        let mut endpoint =
            EndpointBuilder::new("orders".to_owned()).prefetch(7).concurrency(2).with_settings_outweighed();
        assert_eq!(endpoint.limits(2), Ok((7, 2)));
        endpoint.add(registration, |consumer| consumer);
        assert_eq!(endpoint.limits(2), Ok((5, 2)));
        assert_eq!(endpoint.prefetch(9).limits(2), Ok((9, 2)));
    }
}
