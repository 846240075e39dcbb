//! A transport that keeps what is sent, and delivers what the test gives it.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Instant,
};

use bus_core::{
    Builder, Bus,
    address::{Address, AddressError, Destination, without_parameters},
    bus::Catalog,
    topology::Topology,
    transport::{
        ApplyMode, Capabilities, Confirm, DeadLetter, Delivery, Driver, Environment, Event, Outgoing, Pending, Permit,
        PublishOutcome, Publisher, Receiver, ReceiverSettings, SettleOutcome, Settlement, Settler, Settling, Token,
        Transport, TransportError, Unsettled, Window, WindowLimits,
    },
};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::captures::Captured;

/// The virtual host of the captures.
const HOST: &str = "rabbitmq://127.0.0.1:5679/cap";
/// The address that most captures were sent from.
const SOURCE: &str = "rabbitmq://127.0.0.1:5679/cap/recorder_bus_x?temporary=true";

#[derive(Debug)]
pub(crate) struct Recorder {
    source: String,
    window: Arc<Window>,
    sent: Mutex<Vec<Outgoing>>,
    queues: Mutex<HashMap<String, mpsc::UnboundedSender<Event>>>,
    unsettled: Mutex<HashMap<u64, oneshot::Sender<Settlement>>>,
}

/// The same recorder as everything that the bus asks for.
#[derive(Debug, Clone)]
pub(crate) struct Handle(pub(crate) Arc<Recorder>);

/// A recorder, and a builder of buses on it.
pub(crate) fn recorder(source: Option<&str>) -> (Handle, Builder) {
    let handle = Handle(Arc::new(Recorder {
        source: source.unwrap_or(SOURCE).to_owned(),
        window: Arc::new(Window::new(WindowLimits::default())),
        sent: Mutex::default(),
        queues: Mutex::default(),
        unsettled: Mutex::default(),
    }));
    // A driver lives as long as the program.
    let driver: &'static Handle = Box::leak(Box::new(handle.clone()));
    (handle, Builder::new(HOST, Catalog::default()).driver(driver))
}

/// Builds and starts.
pub(crate) async fn started(builder: Builder) -> Bus {
    let bus = builder.build().unwrap();
    bus.start().await.unwrap();
    bus
}

impl Handle {
    /// Everything that was sent so far.
    pub(crate) fn sent(&self) -> Vec<Outgoing> {
        self.0.sent.lock().unwrap().clone()
    }

    /// The same, and forgets it.
    pub(crate) fn take(&self) -> Vec<Outgoing> {
        std::mem::take(&mut self.0.sent.lock().unwrap())
    }

    /// Delivers to a queue and waits until the bus has settled it: what its handlers sent is there then.
    pub(crate) async fn deliver(&self, queue: &str, body: Bytes, fill: impl FnOnce(&mut Delivery)) {
        let (settled, wait) = oneshot::channel();
        let number = {
            let mut unsettled = self.0.unsettled.lock().unwrap();
            let number = unsettled.len() as u64;
            unsettled.insert(number, settled);
            number
        };
        let mut delivery = Delivery::new(body, Unsettled::new(Arc::new(self.clone()), Token { generation: 0, number }));
        fill(&mut delivery);
        let receiver = self.0.queues.lock().unwrap()[queue].clone();
        receiver.send(Event::Delivery(Box::new(delivery))).unwrap();
        // A message that is given back would come again.
        let settlement = wait.await.unwrap();
        assert!(matches!(settlement, Settlement::Complete), "{settlement:?}");
    }

    /// Delivers the `nth` message that was sent, from 1, as a broker would.
    pub(crate) async fn pass_on(&self, nth: usize, queue: &str) {
        let message = self.sent()[nth - 1].clone();
        let fill = |delivery: &mut Delivery| {
            delivery.content_type = message.content_type;
            delivery.message_id = message.message_id;
            delivery.correlation_id = message.correlation_id;
            delivery.headers = message.headers;
            delivery.priority = message.priority;
            delivery.durable = message.durable;
        };
        self.deliver(queue, message.body, fill).await;
    }

    /// Delivers a captured message.
    pub(crate) async fn replay(&self, captured: &Captured, queue: &str) {
        let fill = |delivery: &mut Delivery| {
            delivery.content_type = captured.property("content_type");
            delivery.message_id = captured.property("message_id");
            delivery.correlation_id = captured.property("correlation_id");
            delivery.headers = captured.headers.clone();
        };
        self.deliver(queue, captured.body.clone(), fill).await;
    }
}

impl Driver for Handle {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["rabbitmq"]
    }

    fn open(&self, _: &str, _: Environment) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait::async_trait]
impl Transport for Handle {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn resolve(&self, address: &Address) -> Result<Destination, AddressError> {
        Ok(match address {
            Address::Queue(name) => Destination::Queue(without_parameters(name).into()),
            Address::Exchange(name) | Address::Topic(name) => Destination::Topic(without_parameters(name).into()),
            other => return Err(AddressError::new(&other.to_string(), "the recorder has no such address")),
        })
    }

    fn absolute(&self, destination: &Destination) -> String {
        match destination {
            Destination::Queue(name) => format!("{HOST}/{name}?bind=true"),
            Destination::Topic(name) => format!("{HOST}/{name}"),
        }
    }

    fn source_address(&self) -> String {
        self.0.source.clone()
    }

    fn check_name(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    async fn connect(&self, _: Instant) -> Result<(), TransportError> {
        Ok(())
    }

    async fn apply(&self, _: &Topology, _: ApplyMode) -> Result<(), TransportError> {
        Ok(())
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.clone())
    }

    async fn receive(&self, settings: ReceiverSettings) -> Result<Box<dyn Receiver>, TransportError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.queues.lock().unwrap().insert(settings.queue.to_string(), sender);
        Ok(Box::new(Queue(receiver)))
    }

    async fn browse(&self, _: &str, _: usize) -> Result<Vec<DeadLetter>, TransportError> {
        Ok(Vec::new())
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    async fn close(&self, _: Instant) {}
}

impl Publisher for Handle {
    fn window(&self) -> &Arc<Window> {
        &self.0.window
    }

    fn announce(&self, _: &Arc<str>, _: Arc<Topology>) {}

    fn submit(&self, _: Permit, message: Outgoing) -> Confirm {
        self.0.sent.lock().unwrap().push(message);
        Pending::ready(PublishOutcome::Confirmed)
    }
}

impl Settler for Handle {
    fn settle(&self, token: Token, settlement: Settlement) -> Settling {
        // Kept, so that the next delivery has the next number.
        let (unused, _) = oneshot::channel();
        let settled = self.0.unsettled.lock().unwrap().insert(token.number, unused).unwrap();
        // The test may have ended.
        let _ = settled.send(settlement);
        Pending::ready(SettleOutcome::Settled)
    }

    fn renew(&self, _: Token) -> Pending<Option<bus_core::transport::Lease>> {
        Pending::ready(None)
    }
}

#[derive(Debug)]
struct Queue(mpsc::UnboundedReceiver<Event>);

impl Receiver for Queue {
    fn next<'a>(&'a mut self, _: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {
            match self.0.recv().await {
                Some(event) => into.push(event),
                None => std::future::pending().await,
            }
        })
    }

    fn pause(&mut self) {}

    fn close(self: Box<Self>, _: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}
