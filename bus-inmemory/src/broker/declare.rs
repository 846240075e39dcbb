use std::sync::Arc;

use bus_core::{naming::check_entity_name, topology::Topology, transport::ApplyMode};

use super::{Broker, routes::Routes};

/// What could not be declared, or is missing.
#[derive(Debug)]
pub(crate) struct Undeclared {
    /// Such as: queue `orders`.
    pub(crate) entity: String,
    pub(crate) reason: String,
}

impl Broker {
    /// Brings the broker to the topology, or sees whether it is there. Nothing is declared if anything is wrong.
    pub(crate) fn apply(&self, topology: &Topology, mode: ApplyMode) -> Result<(), Undeclared> {
        match mode {
            ApplyMode::Create => self.write(|routes| {
                check(routes, topology)?;
                declare(routes, topology);
                Ok(())
            }),
            ApplyMode::Assume => Ok(()),
            // To look and change nothing is the safe reading of a mode that is not known here.
            _ => self.read(|routes| validate(routes, topology)),
        }
    }
}

fn declare(routes: &mut Routes, topology: &Topology) {
    for queue in &topology.queues {
        routes.declare_queue(&queue.name);
    }
    for topic in &topology.topics {
        routes.declare_topic(&topic.name);
    }
    for binding in &topology.bindings {
        routes.bind(&binding.topic, &binding.queue);
    }
}

fn check(routes: &Routes, topology: &Topology) -> Result<(), Undeclared> {
    let names = topology.queues.iter().map(|queue| ("queue", &queue.name));
    let names = names.chain(topology.topics.iter().map(|topic| ("exchange", &topic.name)));
    for (kind, entity) in names.chain(topology.bindings.iter().map(|binding| ("exchange", &binding.topic))) {
        check_entity_name(entity).map_err(|reason| Undeclared { entity: format!("{kind} `{entity}`"), reason })?;
    }
    for binding in &topology.bindings {
        let declared = topology.queues.iter().any(|queue| queue.name == binding.queue);
        if !declared && routes.queue(&binding.queue).is_none() {
            // RabbitMQ refuses it too; here it would be a hole that swallows messages.
            return Err(missing(bound(&binding.topic, &binding.queue), "the queue"));
        }
    }
    Ok(())
}

fn validate(routes: &Routes, topology: &Topology) -> Result<(), Undeclared> {
    for queue in &topology.queues {
        if routes.queue(&queue.name).is_none() {
            return Err(missing(format!("queue `{}`", queue.name), "it"));
        }
    }
    for topic in &topology.topics {
        if !routes.has_topic(&topic.name) {
            return Err(missing(format!("exchange `{}`", topic.name), "it"));
        }
    }
    for binding in &topology.bindings {
        if !routes.has_binding(&binding.topic, &binding.queue) {
            return Err(missing(bound(&binding.topic, &binding.queue), "it"));
        }
    }
    Ok(())
}

fn bound(topic: &Arc<str>, queue: &Arc<str>) -> String {
    format!("the binding of exchange `{topic}` to queue `{queue}`")
}

fn missing(entity: String, what: &str) -> Undeclared {
    Undeclared { entity, reason: format!("{what} does not exist") }
}
