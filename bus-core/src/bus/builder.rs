use std::{
    any::{TypeId, type_name},
    fmt,
    panic::Location,
    sync::Arc,
    time::Duration,
};

#[cfg(feature = "config")]
use super::configured::configure;
#[cfg(feature = "discover")]
use super::discover::Discovery;
use super::{
    Bus, Description, EndpointBuilder, endpoint_defaults::EndpointDefaults, plan::plan, problem::Problem, rules::Rules,
    source::Place, timeouts::Timeouts,
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
    observer::{Observer, Observers},
    persistence::{MemoryPersistence, Persistence},
    transport::{Driver, Environment, Extensions, Transport, TransportError},
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
    /// Or why there is none.
    url: Result<String, String>,
    catalog: Catalog,
    options: Extensions,
    scope: Scope,
    endpoints: Vec<EndpointBuilder>,
    defaults: EndpointDefaults,
    /// Those of calls that cannot wait for `build()`.
    problems: Vec<Problem>,
    states: Vec<Given>,
    /// Where it was made.
    place: Place,
    names: EndpointNames,
    timeouts: Timeouts,
    store: Option<Arc<dyn Persistence>>,
    clock: Clock,
    observers: Vec<Box<dyn Observer>>,
    #[cfg(feature = "config")]
    configurations: Vec<Configuration>,
    #[cfg(feature = "discover")]
    discovery: Option<Discovery>,
    #[cfg(feature = "testing")]
    instruments: Option<Instruments>,
}

/// A state that was given.
struct Given {
    type_id: TypeId,
    type_name: &'static str,
    place: Place,
}

impl Builder {
    /// A bus at a URL, whose scheme picks one of the catalog's drivers.
    #[must_use]
    #[track_caller]
    pub fn new(url: impl Into<String>, catalog: Catalog) -> Self {
        Self::at(Ok(url.into()), catalog)
    }

    #[track_caller]
    pub(super) fn at(url: Result<String, String>, catalog: Catalog) -> Self {
        Self {
            url,
            catalog,
            options: Extensions::new(),
            scope: Scope::default(),
            endpoints: Vec::new(),
            defaults: EndpointDefaults::default(),
            problems: Vec::new(),
            states: Vec::new(),
            place: Location::caller(),
            names: EndpointNames::default(),
            timeouts: Timeouts::default(),
            store: None,
            clock: Clock::real(),
            observers: Vec::new(),
            #[cfg(feature = "config")]
            configurations: Vec::new(),
            #[cfg(feature = "discover")]
            discovery: None,
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

    /// Adds an option that only one transport knows, such as where RabbitMQ's credentials come from; others ignore
    /// it. One per type: of two, the later one counts. What only one endpoint is concerned with goes there
    /// ([`EndpointBuilder::with`]).
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, option: T) -> Self {
        self.options.insert(option);
        self
    }

    /// Gives handlers a value, which they take as `State<T>`; found by its type, one per type.
    #[must_use]
    #[track_caller]
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        let (type_id, place) = (TypeId::of::<T>(), Location::caller());
        match self.states.iter().find(|given| given.type_id == type_id) {
            Some(Given { place: first, .. }) => {
                let text = format!(
                    "`.state(..)` was called with a `{}` already, at {first}: wrap one of them in a type of its own",
                    type_name::<T>()
                );
                self.problems.push(Problem::new(text, place));
            }
            None => self.states.push(Given { type_id, type_name: type_name::<T>(), place }),
        }
        self.scope.insert(value);
        self
    }

    /// Adds a consumer on an endpoint of its own, named by its attribute, else by its type's name in kebab
    /// case. A function has no name that could be relied on: put it into [`endpoint`](Self::endpoint).
    #[must_use]
    #[track_caller]
    pub fn consumer<Kind>(mut self, consumer: impl IntoConsumer<Kind>) -> Self {
        let registration = consumer.registration();
        let named = registration.settings.endpoint.unwrap_or_default();
        let mut endpoint = self.defaults.endpoint(named.to_owned());
        endpoint.named_after = registration.name.filter(|_| named.is_empty());
        endpoint.nameless = named.is_empty() && registration.name.is_none();
        endpoint.add(registration, |consumer| consumer);
        self.endpoints.push(endpoint);
        self
    }

    /// Adds every consumer of the program that has `#[consumer(auto)]`, each on the endpoint that its attribute names,
    /// else on one named after its type or function. Those of one endpoint share it. What was found is logged, one
    /// line for each message type of a consumer.
    ///
    /// A consumer of another crate is found if the program names something of that crate; `use my_consumers as _;` is
    /// enough. A program that must not depend on this adds its consumers by hand.
    ///
    /// `build()` fails if nothing was found, and if a consumer that was found, or its endpoint, is added by hand, too.
    /// A second call finds nothing new.
    ///
    /// ```
    /// use bus_core::{Builder, bus::Catalog, consumer, consumer::Failure};
    /// # use bus_core::Message;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(namespace = "Acme", crate = bus_core)]
    /// # struct Paid {}
    ///
    /// #[consumer(auto, concurrency = 4)] // its endpoint is named by convention: `send-receipt`
    /// async fn send_receipt(_: Paid) -> Result<(), Failure> {
    ///     Ok(())
    /// }
    ///
    /// let builder = Builder::new("memory://shop", Catalog::default()).discover();
    /// ```
    #[cfg(feature = "discover")]
    #[must_use]
    #[track_caller]
    pub fn discover(mut self) -> Self {
        if self.discovery.is_none() {
            self.discovery = Some(Discovery::everywhere(&self.defaults));
        }
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
    #[track_caller]
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
    #[track_caller]
    pub fn start_timeout(mut self, time: Duration) -> Self {
        self.timeouts.start.call(time);
        self
    }

    /// How long [`Bus::stop`] lets handlers finish. The default is 30 s.
    #[must_use]
    #[track_caller]
    pub fn stop_timeout(mut self, time: Duration) -> Self {
        self.timeouts.stop.call(time);
        self
    }

    /// How long a send tries, through outages, unless it says otherwise. The default is 30 s.
    #[must_use]
    #[track_caller]
    pub fn send_timeout(mut self, time: Duration) -> Self {
        self.timeouts.send.call(time);
        self
    }

    /// How often queues, topics and bindings are declared again while the bus runs. The default is 60 s; longer than
    /// zero. A binding that somebody deleted cannot be seen by other means: what is published until the next round
    /// does not reach its queue.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bus_core::{Builder, bus::Catalog};
    /// let builder = Builder::new("memory://shop", Catalog::default()).topology_round(Duration::from_secs(5));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn topology_round(mut self, time: Duration) -> Self {
        self.timeouts.round.call(time);
        self
    }

    /// The time that the bus and its transport go by. The default is that of the machine; a test may give
    /// [`Clock::manual`].
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Adds somebody who is told what happens on the bus, where it happens: see [`observer`](crate::observer). May be
    /// called again; they are told in this order. The default is nobody, and then nothing is spent on it.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
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
        let environment = || Environment { clock: self.clock.clone(), options: self.options.clone() };
        let mut problems = Vec::new();
        let meant = self.meant();
        let opened = meant.as_ref().map_err(Clone::clone).and_then(|driver| self.open(*driver, environment()));
        let transport = opened.map_err(|text| problems.push(Problem::new(text, self.place))).ok();
        let meant = meant.ok();
        let driver_name = meant.map(Driver::name).unwrap_or_default();
        let rules = Rules::new(transport.as_ref(), meant, environment());
        problems.append(&mut self.problems);
        let clock = self.clock;
        #[cfg(feature = "testing")]
        let transport = match self.instruments.take() {
            Some(Instruments { observer, wrap }) => {
                self.observers.insert(0, observer);
                transport.map(wrap)
            }
            None => transport,
        };
        for endpoint in &mut self.endpoints {
            endpoint.name_by(&self.names);
        }
        #[cfg(feature = "discover")]
        if let Some(discovery) = self.discovery.take() {
            discovery.join(&mut self.endpoints, &self.names, &mut problems);
        }
        #[cfg(feature = "config")]
        configure(self.configurations, &self.catalog, &mut self.timeouts, &mut self.endpoints, &mut problems);
        problems.extend(self.timeouts.mistakes(self.place));
        let limits = self.timeouts.limits();
        let store = self.store.unwrap_or_else(|| Arc::new(MemoryPersistence::new()));
        store.attach(&clock);
        let planned = plan(self.endpoints, &self.scope, &store, &rules, &mut problems);
        match transport {
            Some(transport) if problems.is_empty() => {
                for warning in &planned.warnings {
                    tracing::warn!(warning, "the bus is built, and may work otherwise than expected");
                }
                let states = self.states.iter().map(|given| given.type_name).collect();
                let broker = (driver_name, self.url.as_deref().unwrap_or_default());
                let description = Description::new(broker, &*transport, &self.timeouts, states, &planned);
                let observers = Observers::new(self.observers);
                Ok(Bus::new(transport, clock, &Arc::new(self.scope), planned, limits, description, observers))
            }
            _ => Err(BuildError::new(problems).into()),
        }
    }

    /// The driver that the URL's scheme picks.
    fn meant(&self) -> Result<&'static dyn Driver, String> {
        let url = self.url.as_ref().map_err(Clone::clone)?;
        let Some((scheme, _)) = url.split_once("://") else {
            let shown = without_credentials(url);
            return Err(format!("`{shown}` is no URL: write one such as `memory://shop` or `amqp://localhost`"));
        };
        let scheme = scheme.to_ascii_lowercase();
        let mut taking = self.catalog.drivers.iter().filter(|driver| driver.schemes().contains(&&*scheme));
        if let Some(driver) = taking.next() {
            return match taking.find(|other| other.name() != driver.name()) {
                None => Ok(*driver),
                Some(other) => Err(format!(
                    "scheme `{scheme}://` is taken by two drivers, `{}` and `{}`: leave one of them out",
                    driver.name(),
                    other.name()
                )),
            };
        }
        if let Some((_, feature)) = self.catalog.missing.iter().find(|(known, _)| *known == scheme) {
            return Err(format!("scheme `{scheme}://` needs the cargo feature `{feature}` of `bus`"));
        }
        let known: Vec<_> = self.catalog.drivers.iter().flat_map(|driver| driver.schemes()).copied().collect();
        Err(format!("no transport handles scheme `{scheme}://`; compiled in: {}", known.join(", ")))
    }

    fn open(&self, driver: &'static dyn Driver, environment: Environment) -> Result<Arc<dyn Transport>, String> {
        let url = self.url.as_ref().map_err(Clone::clone)?;
        driver.open(url, environment).map_err(|error| match error {
            TransportError::Url { reason } => format!("`{}`: {reason}", without_credentials(url)),
            other => other.to_string(),
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("url", &self.url.as_deref().map(without_credentials))
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}
