use std::sync::Arc;

use bus_core::{
    address::Destination,
    clock::Clock,
    naming::check_entity_name,
    topology::TopicKind,
    transport::{EnsureQueue, Outgoing, PublishOutcome},
};

use super::{Broker, delays::DELAY_MAX};
use crate::{
    endpoint::EndpointOptions,
    queue::{Message, Queue, push_unless_full},
};

/// The queues that a message is for.
#[derive(Debug)]
pub(super) enum Targets {
    Queue(Arc<Queue>),
    Topic(Arc<[Arc<Queue>]>),
}

impl Targets {
    pub(super) fn queues(&self) -> &[Arc<Queue>] {
        match self {
            Self::Queue(queue) => std::slice::from_ref(queue),
            Self::Topic(queues) => queues,
        }
    }
}

impl Broker {
    /// Brings a message to the queues it is for; or keeps it until it is time to, if it has a delay.
    pub(crate) fn publish(&self, outgoing: Outgoing, clock: &Clock) -> PublishOutcome {
        let targets = match self.targets(&outgoing) {
            Err(reason) => return PublishOutcome::Rejected(reason.into()),
            Ok(None) => return PublishOutcome::Unroutable,
            Ok(Some(targets)) => targets,
        };
        match outgoing.delay.filter(|delay| !delay.is_zero()) {
            Some(delay) if delay > DELAY_MAX => {
                let (to, days) = (outgoing.to, DELAY_MAX.as_secs() / 86_400);
                let reason = format!("the broker in memory delays a message {days} days at most (to {to})");
                return PublishOutcome::Rejected(reason.into());
            }
            Some(delay) => {
                let message = Arc::new(Message::new(outgoing));
                self.delays.insert((message, targets), delay, clock, &self.alarms, &self.this);
            }
            None => {
                let message = Arc::new(Message::new(outgoing));
                if let Err(full) = push_unless_full(targets.queues(), message, clock) {
                    return PublishOutcome::Rejected(full.into());
                }
            }
        }
        PublishOutcome::Confirmed
    }

    /// Brings a message to a queue of dead letters, which is made if it is missing.
    pub(crate) fn dead_letter(&self, queue: &Arc<str>, message: Arc<Message>, clock: &Clock) {
        let there = self.queue(queue);
        there.unwrap_or_else(|| self.make_queue(queue)).push(message, clock);
    }

    /// Where it goes; nothing if somebody should be there and is not.
    fn targets(&self, outgoing: &Outgoing) -> Result<Option<Targets>, String> {
        Ok(match &outgoing.to {
            Destination::Queue(queue) => self.queue_for(queue, outgoing)?.map(Targets::Queue),
            Destination::Topic(topic) => {
                let queues = self.reach(topic, outgoing.routing_key.as_deref().unwrap_or_default())?;
                (!queues.is_empty() || !outgoing.mandatory).then_some(Targets::Topic(queues))
            }
        })
    }

    /// The queue itself; it is made if the message asks for that.
    fn queue_for(&self, queue: &Arc<str>, message: &Outgoing) -> Result<Option<Arc<Queue>>, String> {
        let found = self.queue(queue);
        if found.is_some() || message.extensions.get::<EnsureQueue>().is_none() {
            return Ok(found);
        }
        check_entity_name(queue).map_err(|reason| format!("the queue `{queue}` cannot be named so: {reason}"))?;
        Ok(Some(self.make_queue(queue)))
    }

    /// A queue for what went wrong: one without options, where it waits for a person.
    fn make_queue(&self, queue: &Arc<str>) -> Arc<Queue> {
        self.write(|routes| routes.declare_queue(queue, EndpointOptions::default()))
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
}
