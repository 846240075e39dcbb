use std::fmt;

use crate::{
    address::{Address, AddressError},
    consumer::{Entry, IntoConsumer, Registration},
    pipeline::Retry,
    send::IntoAddress,
    transport::Extensions,
};

/// A receive endpoint on its way into the bus: one queue, its consumers, its policy.
pub struct EndpointBuilder {
    pub(super) name: String,
    /// The type that the endpoint is named after, if nobody named it.
    pub(super) named_after: Option<&'static str>,
    pub(super) entries: Vec<Entry>,
    pub(super) bindings: Vec<Bound>,
    pub(super) subscribes: bool,
    pub(super) raw_json: bool,
    pub(super) max_body: usize,
    pub(super) retry: Retry,
    pub(super) extensions: Extensions,
    prefetch: Limit,
    concurrency: Limit,
}

/// A source bound by hand.
pub(super) struct Bound {
    pub(super) source: Result<Address, AddressError>,
    pub(super) routing_key: String,
}

/// The largest body, unless the endpoint says otherwise.
const MAX_BODY: usize = 64 << 20;

/// A number that all endpoints have by default, over it one from the consumer's attribute, and over that one
/// from the endpoint.
#[derive(Debug, Clone, Copy, Default)]
struct Limit {
    default: Option<u16>,
    attribute: Option<u16>,
    builder: Option<u16>,
}

impl Limit {
    fn get(self) -> Option<u16> {
        self.builder.or(self.attribute).or(self.default)
    }
}

impl EndpointBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            named_after: None,
            entries: Vec::new(),
            bindings: Vec::new(),
            subscribes: true,
            raw_json: false,
            max_body: MAX_BODY,
            retry: Retry::none(),
            extensions: Extensions::new(),
            prefetch: Limit::default(),
            concurrency: Limit::default(),
        }
    }

    /// The limits that are set now count least from here on.
    pub(super) fn with_limits_outweighed(mut self) -> Self {
        for limit in [&mut self.prefetch, &mut self.concurrency] {
            limit.default = limit.get();
            (limit.attribute, limit.builder) = (None, None);
        }
        self
    }

    /// Adds a consumer. An endpoint may have several; each gets every message of its types.
    #[must_use]
    pub fn consumer<Kind>(mut self, consumer: impl IntoConsumer<Kind>) -> Self {
        let registration = consumer.registration();
        self.add(registration);
        self
    }

    pub(super) fn add(&mut self, registration: Registration) {
        let Registration { settings, entries, .. } = registration;
        // Of several consumers on one endpoint the most careful one counts.
        for (limit, said) in [(&mut self.prefetch, settings.prefetch), (&mut self.concurrency, settings.concurrency)] {
            limit.attribute = limit.attribute.into_iter().chain(said).min();
        }
        self.entries.extend(entries);
    }

    /// How many unsettled messages the endpoint holds. The default is 1.2 times a concurrency that was
    /// set, else 32 or twice the number of processors, if that is more. At least 1.
    #[must_use]
    pub fn prefetch(mut self, messages: u16) -> Self {
        self.prefetch.builder = Some(messages);
        self
    }

    /// How many messages are handled at once. The default is the prefetch. At least 1.
    #[must_use]
    pub fn concurrency(mut self, messages: u16) -> Self {
        self.concurrency.builder = Some(messages);
        self
    }

    /// When a failed message is tried again. The default is never.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
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
        self.subscribes = false;
        self
    }

    /// Takes bodies of media type `application/json` as payloads without an envelope, from producers that
    /// know none. Their types are those of the header `MT-MessageType`; without it every consumer of the
    /// endpoint gets the message. Other media types are read as envelopes. MassTransit's
    /// `UseRawJsonDeserializer`.
    #[must_use]
    pub fn raw_json(mut self) -> Self {
        self.raw_json = true;
        self
    }

    /// The largest body that is read, in bytes. The default is 64 MiB; at least 1. A message with a larger one
    /// is moved to `_error` as it is, with both sizes in the reason, and neither parsed nor tried again. Its
    /// bytes have arrived by then: what a queue may take in at all is the broker's to bound.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Adds an option that only one transport knows; others ignore it.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, option: T) -> Self {
        self.extensions.insert(option);
        self
    }

    /// Prefetch and concurrency, or what is wrong with them.
    pub(super) fn limits(&self, processors: usize) -> Result<(u16, u16), String> {
        let usual = u16::try_from((2 * processors).max(32)).unwrap_or(u16::MAX);
        let (prefetch, concurrency) = (self.prefetch.get(), self.concurrency.get());
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
            .field("entries", &self.entries)
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
            EndpointBuilder::new("orders".to_owned()).prefetch(7).concurrency(2).with_limits_outweighed();
        assert_eq!(endpoint.limits(2), Ok((7, 2)));
        endpoint.add(registration);
        assert_eq!(endpoint.limits(2), Ok((5, 2)));
        assert_eq!(endpoint.prefetch(9).limits(2), Ok((9, 2)));
    }
}
