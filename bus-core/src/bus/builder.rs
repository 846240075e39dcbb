use std::{fmt, sync::Arc, time::Duration};

#[cfg(feature = "config")]
use super::configured::configure;
use super::{
    Bus, EndpointBuilder,
    endpoint_defaults::EndpointDefaults,
    plan::{Limits, plan},
};
#[cfg(feature = "config")]
use crate::configuration::Configuration;
#[cfg(feature = "testing")]
use crate::testing::Instruments;
use crate::{
    Error,
    address::without_credentials,
    clock::Clock,
    consumer::IntoConsumer,
    error::BuildError,
    extract::Scope,
    naming::EndpointNames,
    persistence::{MemoryPersistence, Persistence},
    transport::{Driver, Environment, Transport, TransportError},
};

/// Which transports a program has, and which it could have.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// The drivers that are compiled in.
    pub drivers: Vec<&'static dyn Driver>,
    /// Schemes whose driver is not compiled in, each with the cargo feature that brings it.
    pub missing: Vec<(&'static str, &'static str)>,
}

/// Puts a bus together. [`build`](Self::build) checks everything and does no I/O.
pub struct Builder {
    url: String,
    catalog: Catalog,
    scope: Scope,
    endpoints: Vec<EndpointBuilder>,
    defaults: EndpointDefaults,
    problems: Vec<String>,
    names: EndpointNames,
    limits: Limits,
    store: Option<Arc<dyn Persistence>>,
    clock: Clock,
    #[cfg(feature = "config")]
    configurations: Vec<Configuration>,
    #[cfg(feature = "testing")]
    instruments: Option<Instruments>,
}

impl Builder {
    /// A bus at a URL, whose scheme picks one of the catalog's drivers.
    #[must_use]
    pub fn new(url: impl Into<String>, catalog: Catalog) -> Self {
        Self {
            url: url.into(),
            catalog,
            scope: Scope::default(),
            endpoints: Vec::new(),
            defaults: EndpointDefaults::default(),
            problems: Vec::new(),
            names: EndpointNames::default(),
            limits: Limits::default(),
            store: None,
            clock: Clock::real(),
            #[cfg(feature = "config")]
            configurations: Vec::new(),
            #[cfg(feature = "testing")]
            instruments: None,
        }
    }

    /// Adds a driver of a third party.
    #[must_use]
    pub fn driver(mut self, driver: &'static dyn Driver) -> Self {
        self.catalog.drivers.push(driver);
        self
    }

    /// Gives handlers a value, which they take as `State<T>`; found by its type, one per type.
    #[must_use]
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        if let Some(type_name) = self.scope.insert(value) {
            self.problems.push(format!(
                "`.state(..)` was called twice with a `{type_name}`: wrap one of them in a type of its own"
            ));
        }
        self
    }

    /// Adds a consumer on an endpoint of its own, named by its attribute, else by its type's name in kebab
    /// case. A function has no name that could be relied on: put it into [`endpoint`](Self::endpoint).
    #[must_use]
    pub fn consumer<Kind>(mut self, consumer: impl IntoConsumer<Kind>) -> Self {
        let registration = consumer.registration();
        let named = registration.settings.endpoint.unwrap_or_default();
        if named.is_empty() && registration.name.is_none() {
            let what = registration.entries.first().map(|entry| entry.name.to_string()).unwrap_or_default();
            self.problems.push(format!(
                "`{what}` is a function, and its queue needs a name: write `.endpoint(\"a-name\", |e| e.consumer(..))`"
            ));
            return self;
        }
        let mut endpoint = self.defaults.endpoint(named.to_owned());
        endpoint.named_after = registration.name.filter(|_| named.is_empty());
        endpoint.add(registration, |consumer| consumer);
        self.endpoints.push(endpoint);
        self
    }

    /// Configures every endpoint that is added after it, before the endpoint says anything itself: what the
    /// endpoint says then, or its consumer's attribute, outweighs it, and what adds up (`bind`, `consumer`) adds
    /// up. May be called again; of two, the later one counts more. The default is nothing. MassTransit's
    /// `AddConfigureEndpointsCallback`.
    ///
    /// An option of a transport (`with`) is one value: an endpoint with an option of that type has its own alone.
    ///
    /// ```
    /// use bus_core::{Builder, Retry, bus::Catalog, consumer::Failure};
    /// # use bus_core::Message;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(namespace = "Acme", crate = bus_core)]
    /// # struct Audit {}
    ///
    /// let builder = Builder::new("memory://shop", Catalog::default())
    ///     .endpoint_defaults(|e| e.concurrency(4).retry(Retry::immediate(3)))
    ///     .endpoint("audit", |e| e.concurrency(1).consumer(|_: Audit| async { Ok::<_, Failure>(()) }));
    /// ```
    #[must_use]
    pub fn endpoint_defaults(
        mut self,
        configure: impl Fn(EndpointBuilder) -> EndpointBuilder + Send + Sync + 'static,
    ) -> Self {
        self.defaults.add(configure);
        self
    }

    /// How endpoints are named after their consumers' types. The default is kebab case without a prefix.
    #[must_use]
    pub fn endpoint_names(mut self, names: EndpointNames) -> Self {
        self.names = names;
        self
    }

    /// Adds an endpoint: a queue of that name with its consumers and its policy.
    #[must_use]
    pub fn endpoint(
        mut self,
        name: impl Into<String>,
        configure: impl FnOnce(EndpointBuilder) -> EndpointBuilder,
    ) -> Self {
        let endpoint = self.defaults.endpoint(name.into());
        self.endpoints.push(configure(endpoint));
        self
    }

    /// The store in which endpoints with an [outbox](EndpointBuilder::outbox) make a handler's work one with what
    /// it sends. The default is a [`MemoryPersistence`](crate::persistence::MemoryPersistence) of this bus.
    #[must_use]
    pub fn persistence(mut self, store: impl Persistence) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// How long [`Bus::start`] tries to connect. The default is 30 s.
    #[must_use]
    pub fn start_timeout(mut self, time: Duration) -> Self {
        self.limits.start = time;
        self
    }

    /// How long [`Bus::stop`] lets handlers finish. The default is 30 s.
    #[must_use]
    pub fn stop_timeout(mut self, time: Duration) -> Self {
        self.limits.stop = time;
        self
    }

    /// How long a send tries, through outages, unless it says otherwise. The default is 30 s.
    #[must_use]
    pub fn send_timeout(mut self, time: Duration) -> Self {
        self.limits.send = time;
        self
    }

    /// The time that the bus and its transport go by. The default is that of the machine; a test may give
    /// [`Clock::manual`].
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// With the feature `config`: settings from a file or the environment, which outweigh what the program says of
    /// the same endpoint, field by field. May be called again: of two files the later one counts more, and the
    /// environment counts more than any file. What is wrong with them is told by [`build`](Self::build).
    ///
    /// ```
    /// use bus_core::{Builder, Retry, bus::Catalog, configuration::Configuration, consumer::Failure};
    /// # use bus_core::Message;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(namespace = "Acme", crate = bus_core)]
    /// # struct Audit {}
    ///
    /// let builder = Builder::new("memory://shop", Catalog::default())
    ///     .configuration(Configuration::from_toml("[endpoints.audit]\nprefetch = 64"))
    ///     .configuration(Configuration::from_env())
    ///     .endpoint("audit", |e| e.prefetch(8).consumer(|_: Audit| async { Ok::<_, Failure>(()) }));
    /// ```
    #[cfg(feature = "config")]
    #[must_use]
    pub fn configuration(mut self, configuration: Configuration) -> Self {
        self.configurations.push(configuration);
        self
    }

    /// Lets a harness see what happens.
    #[cfg(feature = "testing")]
    pub(crate) fn instruments(mut self, instruments: Instruments) -> Self {
        self.instruments = Some(instruments);
        self
    }

    /// Checks everything and makes the bus. No I/O. What works, and may work otherwise than expected, is logged and
    /// among its [warnings](Bus::warnings).
    ///
    /// # Errors
    /// [`Error::Build`] with every mistake there is: URL, names, duplicates, missing states.
    pub fn build(mut self) -> Result<Bus, Error> {
        let clock = self.clock.clone();
        let transport = match self.transport(&clock) {
            Ok(transport) => Some(transport),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        };
        let observer = None;
        #[cfg(feature = "testing")]
        let (transport, observer) = match self.instruments.take() {
            Some(Instruments { observer: seen, wrap }) => (transport.map(wrap), Some(seen)),
            None => (transport, observer),
        };
        for endpoint in &mut self.endpoints {
            if let Some(type_name) = endpoint.named_after {
                endpoint.name = self.names.name(type_name);
            }
        }
        #[cfg(feature = "config")]
        configure(self.configurations, &self.catalog, &mut self.limits, &mut self.endpoints, &mut self.problems);
        let store = self.store.unwrap_or_else(|| Arc::new(MemoryPersistence::new()));
        store.attach(&clock);
        let planned = plan(self.endpoints, &self.scope, &store, transport.as_deref(), &mut self.problems);
        match transport {
            Some(transport) if self.problems.is_empty() => {
                for warning in &planned.warnings {
                    tracing::warn!("{warning}");
                }
                Ok(Bus::new(transport, clock, &Arc::new(self.scope), planned, self.limits, observer))
            }
            _ => Err(BuildError::new(self.problems).into()),
        }
    }

    fn transport(&self, clock: &Clock) -> Result<Arc<dyn Transport>, String> {
        let shown = without_credentials(&self.url);
        let Some((scheme, _)) = self.url.split_once("://") else {
            return Err(format!("`{shown}` is no URL: write one such as `memory://shop` or `amqp://localhost`"));
        };
        let scheme = scheme.to_ascii_lowercase();
        if let Some(driver) = self.catalog.drivers.iter().find(|driver| driver.schemes().contains(&&*scheme)) {
            let environment = Environment { clock: clock.clone() };
            return driver.open(&self.url, environment).map_err(|error| match error {
                TransportError::Url { reason } => format!("`{shown}`: {reason}"),
                other => other.to_string(),
            });
        }
        if let Some((_, feature)) = self.catalog.missing.iter().find(|(known, _)| *known == scheme) {
            return Err(format!("scheme `{scheme}://` needs the cargo feature `{feature}` of `bus`"));
        }
        let known: Vec<_> = self.catalog.drivers.iter().flat_map(|driver| driver.schemes()).copied().collect();
        Err(format!("no transport handles scheme `{scheme}://`; compiled in: {}", known.join(", ")))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("url", &without_credentials(&self.url))
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}
