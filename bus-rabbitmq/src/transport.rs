use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{
    address::{Address, AddressError, Destination},
    clock::Clock,
    topology::Topology,
    transport::{
        ApplyMode, Capabilities, DeadLetter, Publisher, Receiver, ReceiverSettings, Transport, TransportError,
    },
};

use crate::{
    EndpointOptions,
    address::{self, SHORT},
    browse::Browsing,
    credentials::Identity,
    delay,
    endpoint::conflicts,
    link::{Link, OnConnected, Supervisor},
    publish,
    receive::{self, Inbound},
    refusal::{Kind, Refusal},
    runtime::RuntimeThread,
    settings::Settings,
    topology::Applied,
};

/// How long the thread may take to say goodbye to the broker when the transport is dropped.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long a new connection waits for the topology to be declared on it.
const DECLARING: Duration = Duration::from_secs(5);

/// One RabbitMQ, reached through two connections on a thread of their own.
#[derive(Debug)]
pub(crate) struct RabbitTransport {
    settings: Arc<Settings>,
    identity: Arc<Identity>,
    clock: Clock,
    source_address: String,
    runtime: RuntimeThread,
    publishing: Link,
    consuming: Link,
    outbound: Arc<publish::Outbound>,
    applied: Arc<Applied>,
}

impl RabbitTransport {
    /// Starts the thread, which waits to be asked to connect.
    pub(crate) fn new(settings: Settings, identity: Identity, clock: Clock) -> Result<Self, TransportError> {
        let (settings, identity) = (Arc::new(settings), Arc::new(identity));
        let applied = Arc::new(Applied::new(clock.clone()));
        let supervisor =
            |purpose, then| Supervisor::new(settings.clone(), identity.clone(), purpose, clock.clone(), then);
        let (publishing_supervisor, publishing) = supervisor("publish", None);
        let (again, declaring) = (applied.clone(), clock.clone());
        let declare: OnConnected = Box::new(move |connection, server| {
            let (again, clock) = (again.clone(), declaring.clone());
            Box::pin(async move {
                again.connected_to(server);
                let round = tokio::spawn(async move { again.again(&connection).await });
                // A round that takes longer goes on beside the receivers: most of their queues are there.
                let ended = clock.by(clock.now() + DECLARING, round).await;
                ended.ok().and_then(Result::ok).unwrap_or(Ok(()))
            })
        });
        let (consuming_supervisor, consuming) = supervisor("consume", Some(declare));
        let (links, last_clock) = ([publishing.clone(), consuming.clone()], clock.clone());
        let runtime = RuntimeThread::start(move || async move {
            for link in &links {
                link.end();
            }
            let deadline = last_clock.now() + GOODBYE;
            for link in links {
                // Late: the sockets are closed with the thread.
                let _ = last_clock.by(deadline, link.rested()).await;
            }
        })
        .map_err(|error| {
            Refusal::new(Kind::Channel, error.to_string())
                .during(&settings.address(), "starting the connection's thread")
        })?;
        runtime.keep("connection that publishes", publishing_supervisor.run());
        runtime.keep("connection that consumes", consuming_supervisor.run());
        let (outbound, commands) = publish::Outbound::new();
        runtime.keep("publisher", publish::Worker::new(&publishing, clock.clone(), applied.clone(), commands).run());
        Ok(Self {
            source_address: address::source_address(&settings.address()),
            settings,
            identity,
            clock,
            runtime,
            publishing,
            consuming,
            outbound: Arc::new(outbound),
            applied,
        })
    }
}

#[async_trait::async_trait]
impl Transport for RabbitTransport {
    /// What AMQP has, and delays, which a server before 3.10 refuses at the start: copies are the bus's own work here.
    /// Over TLS the server's version stays unknown.
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        (capabilities.ordered, capabilities.routing_keys) = (true, true);
        capabilities.individual_settlement = true;
        capabilities.delay_max = Some(delay::LONGEST);
        capabilities.server_version = self.applied.server().map(|server| server.to_string());
        capabilities
    }

    fn resolve(&self, address: &Address) -> Result<Destination, AddressError> {
        let destination = address::resolve(address)?;
        if let Destination::Topic(name) = &destination
            && address::made_by_its_owner(address)
        {
            self.outbound.leave(name);
        }
        Ok(destination)
    }

    fn absolute(&self, destination: &Destination) -> String {
        address::absolute(&self.settings.address(), destination)
    }

    fn source_address(&self) -> String {
        self.source_address.clone()
    }

    /// MassTransit cuts a name that is too long and puts a hash behind it. Which one is not known, so two parties could
    /// not agree on the name: it is refused instead.
    fn check_name(&self, name: &str) -> Result<(), String> {
        bus_core::naming::check_entity_name(name)
    }

    fn check_routing_key(&self, key: &str) -> Result<(), String> {
        if key.len() <= SHORT { Ok(()) } else { Err(format!("it has {} bytes; {SHORT} are possible", key.len())) }
    }

    fn check_endpoint(&self, settings: &ReceiverSettings) -> Vec<String> {
        let options = settings.extensions.get::<EndpointOptions>().cloned().unwrap_or_default();
        let mut problems = conflicts(&settings.queue, &options);
        if settings.redelivers.is_some() && settings.queue.len() > delay::NAME {
            problems.push(delay::too_long(&settings.queue));
        }
        problems
    }

    fn keeps_order(&self, settings: &ReceiverSettings) -> bool {
        settings.extensions.get::<EndpointOptions>().is_some_and(|options| options.lane().is_some())
    }

    fn describe_endpoint(&self, settings: &ReceiverSettings) -> Vec<(String, String)> {
        settings.extensions.get().map(EndpointOptions::described).unwrap_or_default()
    }

    fn input_address(&self, settings: &ReceiverSettings) -> String {
        address::input_address(&self.settings.address(), &settings.queue, settings.extensions.get())
    }

    async fn connect(&self, deadline: Instant) -> Result<(), TransportError> {
        self.identity.ask_here();
        // Both try at the same time; the first refusal ends the wait.
        let both = futures_util::future::try_join(self.publishing.connect(deadline), self.consuming.connect(deadline));
        both.await.map(drop).inspect_err(|_| {
            self.publishing.rest();
            self.consuming.rest();
        })
    }

    async fn apply(&self, topology: &Topology, mode: ApplyMode) -> Result<(), TransportError> {
        let (_, connection) = self.consuming.connection()?;
        let (applied, topology) = (self.applied.clone(), topology.clone());
        // On the thread: a caller who does not poll this any more must not keep the others from their turn.
        let applying = self.runtime.spawn(async move { applied.apply(&connection, &topology, mode).await });
        let address = self.settings.address();
        match applying.await {
            Ok(applied) => applied.map_err(|refused| refused.at(&address)),
            Err(error) => Err(Refusal::new(Kind::Disconnected, error.to_string()).during(&address, "declaring")),
        }
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        self.outbound.clone()
    }

    async fn receive(&self, settings: ReceiverSettings) -> Result<Box<dyn Receiver>, TransportError> {
        let (number, connection) = self.consuming.connection()?;
        let options = settings.extensions.get::<EndpointOptions>().cloned().unwrap_or_default();
        let (inbound, ends) = Inbound::new(self.clock.clone(), &options);
        let action = format!("receiving from queue `{}`", settings.queue);
        let mut worker =
            receive::Worker::new(settings, &self.consuming, self.clock.clone(), self.applied.clone(), ends);
        let begun = worker.begin(number, &connection).await;
        begun.map_err(|refusal| refusal.during(&self.settings.address(), action))?;
        self.runtime.keep("receiver", worker.run());
        Ok(Box::new(inbound))
    }

    async fn browse(&self, queue: &str, max: usize) -> Result<Vec<DeadLetter>, TransportError> {
        // Where the connection is that receives, and only while there is one.
        self.consuming.connection()?;
        let browsing = Browsing {
            settings: self.settings.clone(),
            identity: self.identity.clone(),
            host: self.consuming.status().host,
            clock: self.clock.clone(),
            queue: queue.to_owned(),
        };
        // On the thread: lapin needs its runtime. Given up with the caller, and what was taken goes back.
        let mut looking = AbortOnDrop(self.runtime.spawn(browsing.look(max)));
        let found = (&mut looking.0).await;
        let found = found.unwrap_or_else(|error| Err(Refusal::new(Kind::Disconnected, error.to_string())));
        found.map_err(|refusal| refusal.during(&self.settings.address(), format!("looking into queue `{queue}`")))
    }

    fn health(&self) -> Result<(), String> {
        let (publishing, consuming) = (self.publishing.status(), self.consuming.status());
        let (address, now) = (&self.publishing.address, self.clock.now());
        if let Some(part) = self.runtime.broken() {
            return Err(format!("the {part} to {address} panicked: start the bus again, and report it"));
        }
        // Both ask with the same credentials, and one gets its answer first.
        if let Some(refused) = [&publishing, &consuming].into_iter().find(|status| status.refused()) {
            return Err(format!("cannot connect to {address}: {}", refused.reason(now)));
        }
        if !publishing.open() || publishing.shaky() {
            return Err(format!("cannot publish to {address}: {}", publishing.reason(now)));
        }
        if consuming.usable().is_none() || consuming.shaky() {
            return Err(format!("cannot receive from {address}: {}", consuming.reason(now)));
        }
        match self.applied.left_out() {
            Some(left_out) => Err(format!("{address} did not declare all of the topology again: {left_out}")),
            None => Ok(()),
        }
    }

    async fn close(&self, deadline: Instant) {
        self.outbound.close(&self.clock, deadline).await;
        self.publishing.rest();
        self.consuming.rest();
        let rested = futures_util::future::join(self.publishing.rested(), self.consuming.rested());
        // A broker that does not answer is left.
        let _ = self.clock.by(deadline.max(self.clock.now() + GOODBYE), rested).await;
    }
}

/// Work that nobody waits for any more is given up.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
