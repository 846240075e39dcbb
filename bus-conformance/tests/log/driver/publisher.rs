use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use bus_core::{
    address::Destination,
    clock::Clock,
    topology::Topology,
    transport::{Confirm, EnsureQueue, Outgoing, Pending, Permit, PublishOutcome, Publisher, Window, WindowLimits},
};

use crate::broker::Broker;

/// When a message is of no use any more: a header of the driver's own, since the log keeps everything.
pub(super) struct Expires(pub(super) Instant);

/// The way to the log.
#[derive(Debug)]
pub(super) struct LogPublisher {
    broker: Arc<Broker>,
    connected: AtomicBool,
    window: Arc<Window>,
    clock: Clock,
}

impl LogPublisher {
    pub(super) fn new(broker: Arc<Broker>, clock: Clock) -> Self {
        let window = Arc::new(Window::new(WindowLimits::default()));
        Self { broker, connected: AtomicBool::new(false), window, clock }
    }

    pub(super) fn connect(&self, connected: bool) {
        self.connected.store(connected, Ordering::SeqCst);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::SeqCst)
    }

    fn publish(&self, mut message: Outgoing) -> PublishOutcome {
        if !self.is_connected() {
            return PublishOutcome::NotSent("not connected".into());
        }
        if message.delay.is_some() {
            return PublishOutcome::Rejected("a log holds nothing back: send it without a delay".into());
        }
        let ensured = message.extensions.get::<EnsureQueue>().is_some();
        match &message.to {
            Destination::Queue(name) if ensured => self.broker.add_queue(name),
            Destination::Queue(_) if self.broker.has(&message.to) => {}
            Destination::Topic(_) if !message.mandatory || self.broker.is_read(&message.to) => {}
            _ if message.mandatory => return PublishOutcome::Unroutable,
            _ => return PublishOutcome::Confirmed,
        }
        if let Some(time) = message.time_to_live {
            message.extensions.insert(Expires(self.clock.after(time)));
        }
        self.broker.append(message);
        PublishOutcome::Confirmed
    }
}

impl Publisher for LogPublisher {
    fn window(&self) -> &Arc<Window> {
        &self.window
    }

    fn announce(&self, _: &Arc<str>, needs: Arc<Topology>) {
        self.broker.apply(&needs);
    }

    fn submit(&self, _permit: Permit, message: Outgoing) -> Confirm {
        Pending::ready(self.publish(message))
    }
}
