use std::{sync::Arc, time::Instant};

use async_trait::async_trait;

use super::{
    Markers,
    publisher::WatchedPublisher,
    receiver::{MARKER, WatchedReceiver},
};
use crate::{
    address::{Address, AddressError, Destination},
    testing::activity::Activity,
    topology::Topology,
    transport::{
        ApplyMode, Capabilities, Class, DeadLetter, Outgoing, PublishOutcome, Publisher, Receiver, ReceiverSettings,
        Transport, TransportError,
    },
};

/// A transport around another one that counts what is under way.
#[derive(Debug)]
pub(in crate::testing) struct WatchedTransport {
    inner: Arc<dyn Transport>,
    publisher: Arc<WatchedPublisher>,
    activity: Arc<Activity>,
    markers: Arc<Markers>,
}

impl WatchedTransport {
    pub(in crate::testing) fn new(inner: Arc<dyn Transport>, activity: Arc<Activity>) -> Self {
        let publisher = Arc::new(WatchedPublisher { inner: inner.publisher(), activity: activity.clone() });
        Self { inner, publisher, activity, markers: Arc::default() }
    }

    /// Sends a marker through each of the queues and waits until all came back: what lay before them has been
    /// handed out by then, if the transport keeps the order of a queue.
    pub(in crate::testing) async fn flush(&self, queues: &[Arc<str>], deadline: Instant) -> Result<(), String> {
        let mut seen = self.markers.subscribe();
        let before = *seen.borrow_and_update();
        for queue in queues {
            let mut marker = Outgoing::new(Destination::Queue(queue.clone()), bytes::Bytes::new(), deadline);
            marker.headers.set(MARKER, "1");
            marker.mandatory = true;
            let publisher = self.inner.publisher();
            let permit = publisher.ready(0, Class::Application).await;
            match publisher.submit(permit, marker).await {
                PublishOutcome::Confirmed => {}
                outcome => return Err(format!("nothing can be sent to {queue}: {outcome:?}")),
            }
        }
        let all = before + queues.len() as u64;
        // The sender lives in this very transport.
        let _ = seen.wait_for(|seen| *seen >= all).await;
        Ok(())
    }

    pub(in crate::testing) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

#[async_trait]
impl Transport for WatchedTransport {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn resolve(&self, address: &Address) -> Result<Destination, AddressError> {
        self.inner.resolve(address)
    }

    fn absolute(&self, destination: &Destination) -> String {
        self.inner.absolute(destination)
    }

    fn source_address(&self) -> String {
        self.inner.source_address()
    }

    fn check_name(&self, name: &str) -> Result<(), String> {
        self.inner.check_name(name)
    }

    fn check_routing_key(&self, key: &str) -> Result<(), String> {
        self.inner.check_routing_key(key)
    }

    fn check_endpoint(&self, settings: &ReceiverSettings) -> Vec<String> {
        self.inner.check_endpoint(settings)
    }

    fn keeps_order(&self, settings: &ReceiverSettings) -> bool {
        self.inner.keeps_order(settings)
    }

    fn describe_endpoint(&self, settings: &ReceiverSettings) -> Vec<(String, String)> {
        self.inner.describe_endpoint(settings)
    }

    fn input_address(&self, settings: &ReceiverSettings) -> String {
        self.inner.input_address(settings)
    }

    async fn connect(&self, deadline: Instant) -> Result<(), TransportError> {
        self.inner.connect(deadline).await
    }

    async fn apply(&self, topology: &Topology, mode: ApplyMode) -> Result<(), TransportError> {
        self.inner.apply(topology, mode).await
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        self.publisher.clone()
    }

    async fn receive(&self, settings: ReceiverSettings) -> Result<Box<dyn Receiver>, TransportError> {
        let inner = self.inner.receive(settings).await?;
        let (activity, markers) = (self.activity.clone(), self.markers.clone());
        Ok(Box::new(WatchedReceiver { inner, activity, markers }))
    }

    async fn browse(&self, queue: &str, max: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.inner.browse(queue, max).await
    }

    fn health(&self) -> Result<(), String> {
        self.inner.health()
    }

    fn in_flight(&self) -> Option<usize> {
        self.inner.in_flight()
    }

    async fn close(&self, deadline: Instant) {
        self.inner.close(deadline).await;
    }
}
