use std::{fmt, future::Future, sync::Arc, time::Duration};

use bus_core::{
    Builder, Bus,
    bus::{Catalog, EndpointBuilder},
    clock::Clock,
    transport::{Capabilities, Driver, Environment, Transport},
};

/// How the suite reaches a transport. It lives as long as what happens in its place.
pub trait Fixture: Send + Sync + 'static {
    /// The transport's driver.
    fn driver(&self) -> &'static dyn Driver;

    /// The URL of a place where nothing else happens: a virtual host, a broker of its own. A new one at
    /// each call.
    fn url(&self) -> impl Future<Output = String> + Send;

    /// Says of every endpoint what the suite cannot know, such as the kind of its queue. The default changes
    /// nothing.
    fn endpoint(&self, endpoint: EndpointBuilder) -> EndpointBuilder {
        endpoint
    }

    /// Turns the lanes of an endpoint on, such as `endpoint.with(bus_inmemory::endpoint().lanes())`; outweighs
    /// [`endpoint`](Self::endpoint). A transport whose [capabilities](Capabilities::sessions) promise them must have
    /// it. The default is that there are none.
    fn lanes(&self) -> Option<Configure> {
        None
    }

    /// Gives the deliveries of an endpoint a lease of that length, or of what comes nearest to it; outweighs
    /// [`endpoint`](Self::endpoint). The default is that a delivery is its receiver's for ever.
    fn lease(&self, _length: Duration) -> Option<Configure> {
        None
    }
}

/// Says more of an endpoint.
pub type Configure = Box<dyn FnOnce(EndpointBuilder) -> EndpointBuilder + Send>;

/// What of a fixture is asked for later; objects can be made of it.
trait Endpoints: Send + Sync {
    fn endpoint(&self, endpoint: EndpointBuilder) -> EndpointBuilder;
    fn lanes(&self) -> Option<Configure>;
    fn lease(&self, length: Duration) -> Option<Configure>;
}

impl<F: Fixture> Endpoints for F {
    fn endpoint(&self, endpoint: EndpointBuilder) -> EndpointBuilder {
        Fixture::endpoint(self, endpoint)
    }

    fn lanes(&self) -> Option<Configure> {
        Fixture::lanes(self)
    }

    fn lease(&self, length: Duration) -> Option<Configure> {
        Fixture::lease(self, length)
    }
}

/// A place of its own on a broker, for one behaviour.
#[derive(Clone)]
pub struct Place {
    driver: &'static dyn Driver,
    url: String,
    /// Keeps what lies there, for brokers that live only as long as they are used.
    anchor: Arc<dyn Transport>,
    fixture: Arc<dyn Endpoints>,
}

/// How long anything may take before the suite gives up on it. No test passes by waiting for it.
const PATIENCE: Duration = Duration::from_secs(30);

tokio::task_local! {
    static OWN_PATIENCE: Duration;
}

/// Runs a behaviour that gives up sooner than after 30 s, where it is known to fail.
pub async fn with_patience<T>(patience: Duration, behaviour: impl Future<Output = T>) -> T {
    OWN_PATIENCE.scope(patience, behaviour).await
}

fn patience() -> Duration {
    OWN_PATIENCE.try_with(|own| *own).unwrap_or(PATIENCE)
}

impl Place {
    /// A new place.
    ///
    /// # Panics
    /// If the fixture's URL cannot be opened.
    pub async fn new(fixture: impl Fixture) -> Self {
        let (driver, url) = (fixture.driver(), fixture.url().await);
        let anchor = driver.open(&url, Environment::default()).expect("the fixture's URL can be opened");
        Self { driver, url, anchor, fixture: Arc::new(fixture) }
    }

    /// What the transport there can do.
    pub fn capabilities(&self) -> Capabilities {
        self.anchor.capabilities()
    }

    /// What turns an endpoint's lanes on; none if the transport has none.
    ///
    /// # Panics
    /// If it has, and the fixture does not say how.
    pub fn lanes(&self) -> Option<Configure> {
        self.capabilities().sessions.then(|| {
            self.fixture.lanes().expect("the transport has lanes: say with `Fixture::lanes` how to turn them on")
        })
    }

    /// What gives the deliveries of an endpoint about such a lease; none if they have none.
    ///
    /// # Panics
    /// If all deliveries of the transport have one, and the fixture does not say how to shorten it.
    pub fn lease(&self, length: Duration) -> Option<Configure> {
        let lease = self.fixture.lease(length);
        let missing = lease.is_none() && self.capabilities().lease.is_some();
        assert!(!missing, "the transport has leases: say with `Fixture::lease` how to shorten them");
        lease
    }

    /// A bus there, not built yet.
    pub fn builder(&self) -> Builder {
        let fixture = self.fixture.clone();
        Builder::new(&self.url, Catalog { drivers: vec![self.driver], missing: Vec::new() })
            .endpoint_defaults(move |defaults| fixture.endpoint(defaults))
    }

    /// A bus there, configured.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn bus(&self, configure: impl FnOnce(Builder) -> Builder) -> Bus {
        configure(self.builder()).build().expect("the behaviour's bus can be built")
    }

    /// A bus there, started.
    ///
    /// # Panics
    /// If it cannot be built or started.
    pub async fn started(&self, configure: impl FnOnce(Builder) -> Builder) -> Bus {
        let bus = self.bus(configure);
        bus.start().await.expect("the bus starts");
        bus
    }

    /// The transport itself, not connected yet, for what a bus would not do.
    ///
    /// # Panics
    /// If the URL cannot be opened.
    pub fn open(&self) -> Arc<dyn Transport> {
        self.driver.open(&self.url, Environment::default()).expect("the URL can be opened")
    }

    /// The transport itself, connected.
    ///
    /// # Panics
    /// If it does not connect.
    pub async fn transport(&self) -> Arc<dyn Transport> {
        let transport = self.open();
        transport.connect(Clock::real().after(patience())).await.expect("the transport connects");
        transport
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.driver.name()).finish()
    }
}

/// Waits for something that must come.
///
/// # Panics
/// If it does not come in time.
pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let (clock, patience) = (Clock::real(), patience());
    match clock.by(clock.after(patience), work).await {
        Ok(done) => done,
        Err(_) => panic!("waited {patience:?} for {what}"),
    }
}

/// Waits until something is so that tells nobody when it changes, such as health.
///
/// # Panics
/// If it is not so in time.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    soon(what, async {
        while !is_so() {
            Clock::real().sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
