//! The broker: what is declared, and where a message goes.

mod declare;
mod pattern;
pub(crate) mod registry;
mod routes;

use std::sync::{Arc, PoisonError, RwLock};

use bus_core::{
    address::Destination,
    clock::Clock,
    naming::check_entity_name,
    topology::TopicKind,
    transport::{EnsureQueue, Outgoing, PublishOutcome},
};
pub(crate) use declare::Undeclared;
use routes::Routes;

use crate::queue::{Message, Queue};

/// One broker of this process.
#[derive(Debug)]
pub(crate) struct Broker {
    name: String,
    routes: RwLock<Routes>,
}

impl Broker {
    fn new(name: String) -> Self {
        Self { name, routes: RwLock::default() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The queue of that name.
    pub(crate) fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        self.read(|routes| routes.queue(name).cloned())
    }

    /// Brings a message to the queues it is for.
    pub(crate) fn publish(&self, message: Outgoing, clock: &Clock) -> PublishOutcome {
        if message.delay.is_some_and(|delay| !delay.is_zero()) {
            let to = &message.to;
            return PublishOutcome::Rejected(format!("the broker in memory cannot delay a message (to {to})").into());
        }
        let found = match &message.to {
            Destination::Queue(queue) => self.queue_for(queue, &message).map(Targets::Queue),
            Destination::Topic(topic) => {
                self.reach(topic, message.routing_key.as_deref().unwrap_or_default()).map(Targets::Topic)
            }
        };
        match found {
            Err(reason) => PublishOutcome::Rejected(reason.into()),
            Ok(Targets::Queue(Some(queue))) => {
                queue.push(Arc::new(Message::new(message, clock)), clock);
                PublishOutcome::Confirmed
            }
            Ok(Targets::Queue(None)) => PublishOutcome::Unroutable,
            Ok(Targets::Topic(queues)) if queues.is_empty() && message.mandatory => PublishOutcome::Unroutable,
            Ok(Targets::Topic(queues)) => {
                let message = Arc::new(Message::new(message, clock));
                for queue in &*queues {
                    queue.push(message.clone(), clock);
                }
                PublishOutcome::Confirmed
            }
        }
    }

    /// The queue itself; it is made if the message asks for that.
    fn queue_for(&self, queue: &Arc<str>, message: &Outgoing) -> Result<Option<Arc<Queue>>, String> {
        let found = self.queue(queue);
        // What the new queue should be like says nothing here: all queues of this broker are alike.
        if found.is_some() || message.extensions.get::<EnsureQueue>().is_none() {
            return Ok(found);
        }
        check_entity_name(queue).map_err(|reason| format!("the queue `{queue}` cannot be named so: {reason}"))?;
        Ok(Some(self.write(|routes| routes.declare_queue(queue))))
    }

    /// The queues behind an exchange, which is declared if it is missing, as at a first publish on RabbitMQ.
    fn reach(&self, topic: &Arc<str>, key: &str) -> Result<Arc<[Arc<Queue>]>, String> {
        if let Some(queues) = self.read(|routes| routes.reach(topic, key)) {
            return Ok(queues);
        }
        check_entity_name(topic).map_err(|reason| format!("the topic `{topic}` cannot be named so: {reason}"))?;
        self.write(|routes| routes.declare_topic(topic, TopicKind::Fanout));
        Ok(self.read(|routes| routes.reach(topic, key)).unwrap_or_default())
    }

    fn read<T>(&self, look: impl FnOnce(&Routes) -> T) -> T {
        look(&self.routes.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Routes) -> T) -> T {
        change(&mut self.routes.write().unwrap_or_else(PoisonError::into_inner))
    }
}

enum Targets {
    Queue(Option<Arc<Queue>>),
    Topic(Arc<[Arc<Queue>]>),
}
