use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use bus_core::{
    clock::Clock,
    topology::Topology,
    transport::{ApplyMode, Confirm, Outgoing, Pending, Permit, PublishOutcome, Publisher, Window, WindowLimits},
};

use crate::broker::Broker;

/// The way to the broker. An outcome is there when [`submit`](Publisher::submit) returns.
#[derive(Debug)]
pub(crate) struct MemoryPublisher {
    /// Weak: the broker lives through transports, not through who may want to send.
    broker: Weak<Broker>,
    connected: AtomicBool,
    window: Arc<Window>,
    clock: Clock,
}

impl MemoryPublisher {
    pub(crate) fn new(broker: &Arc<Broker>, clock: Clock) -> Self {
        Self {
            broker: Arc::downgrade(broker),
            connected: AtomicBool::new(false),
            window: Arc::new(Window::new(WindowLimits::default())),
            clock,
        }
    }

    pub(crate) fn connect(&self, connected: bool) {
        self.connected.store(connected, Ordering::Release);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }
}

impl Publisher for MemoryPublisher {
    fn window(&self) -> &Arc<Window> {
        &self.window
    }

    fn announce(&self, topic: &Arc<str>, needs: Arc<Topology>) {
        // Nothing here is far away: it is made at once. What cannot be made is told by the message itself.
        if let Some(Err(undeclared)) = self.broker.upgrade().map(|broker| broker.apply(&needs, ApplyMode::Create)) {
            tracing::warn!(
                topic = &**topic,
                entity = undeclared.entity,
                error = undeclared.reason,
                "what publishing to a topic needs could not be declared: messages may reach nobody"
            );
        }
    }

    fn submit(&self, _permit: Permit, message: Outgoing) -> Confirm {
        let broker = if self.is_connected() { self.broker.upgrade() } else { None };
        Pending::ready(match broker {
            Some(broker) => broker.publish(message, &self.clock),
            None => PublishOutcome::NotSent("not connected".into()),
        })
    }
}
