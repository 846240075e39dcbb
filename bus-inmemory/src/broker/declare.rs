use bus_core::{
    address::Destination,
    naming::check_entity_name,
    topology::{Binding, Queue, Topology},
    transport::ApplyMode,
};

use super::{Broker, routes::Routes};
use crate::endpoint::{EndpointOptions, conflicts};

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
        routes.declare_queue(&queue.name, options(queue));
    }
    for topic in &topology.topics {
        routes.declare_topic(&topic.name, topic.kind);
    }
    for binding in &topology.bindings {
        routes.bind(&binding.source, binding.destination.name(), &binding.routing_key);
    }
}

fn check(routes: &Routes, topology: &Topology) -> Result<(), Undeclared> {
    let names = topology.queues.iter().map(|queue| ("queue", &queue.name));
    let names = names.chain(topology.topics.iter().map(|topic| ("exchange", &topic.name)));
    for (kind, entity) in names.chain(topology.bindings.iter().map(|binding| ("exchange", &binding.source))) {
        check_entity_name(entity).map_err(|reason| Undeclared { entity: format!("{kind} `{entity}`"), reason })?;
    }
    for (position, queue) in topology.queues.iter().enumerate() {
        if let Some(reason) = conflicts(&queue.name, &options(queue)).into_iter().next() {
            return Err(Undeclared { entity: format!("queue `{}`", queue.name), reason });
        }
        let before = topology.queues[..position].iter().find(|other| other.name == queue.name);
        check_options(before.map(options).as_ref().or(known_options(routes, queue)), queue)?;
    }
    for topic in &topology.topics {
        if let Some(kind) = routes.topic(&topic.name).filter(|kind| *kind != topic.kind) {
            let reason = format!("it is of type {} already, not {}", kind.as_str(), topic.kind.as_str());
            return Err(Undeclared { entity: format!("exchange `{}`", topic.name), reason });
        }
    }
    for binding in &topology.bindings {
        let name = binding.destination.name();
        let there = match &binding.destination {
            Destination::Queue(_) => {
                routes.queue(name).is_some() || topology.queues.iter().any(|queue| queue.name == *name)
            }
            Destination::Topic(_) => {
                routes.topic(name).is_some() || topology.topics.iter().any(|topic| topic.name == *name)
            }
        };
        if !there {
            // RabbitMQ refuses it too; here it would be a hole that swallows messages.
            return Err(missing(bound(binding), "the destination"));
        }
    }
    Ok(())
}

fn validate(routes: &Routes, topology: &Topology) -> Result<(), Undeclared> {
    for queue in &topology.queues {
        if routes.queue(&queue.name).is_none() {
            return Err(missing(format!("queue `{}`", queue.name), "it"));
        }
        check_options(known_options(routes, queue), queue)?;
    }
    for topic in &topology.topics {
        if routes.topic(&topic.name).is_none() {
            return Err(missing(format!("exchange `{}`", topic.name), "it"));
        }
    }
    for binding in &topology.bindings {
        if !routes.has_binding(&binding.source, binding.destination.name(), &binding.routing_key) {
            return Err(missing(bound(binding), "it"));
        }
    }
    Ok(())
}

/// What is there stays as it is: whoever wants it otherwise has to hear that.
fn check_options(there: Option<&EndpointOptions>, queue: &Queue) -> Result<(), Undeclared> {
    let wanted = options(queue);
    match there.filter(|there| **there != wanted) {
        None => Ok(()),
        Some(there) => Err(Undeclared {
            entity: format!("queue `{}`", queue.name),
            reason: format!("it is there with {there} already, not with {wanted}"),
        }),
    }
}

fn known_options<'a>(routes: &'a Routes, queue: &Queue) -> Option<&'a EndpointOptions> {
    routes.queue(&queue.name).map(|there| there.options())
}

fn options(queue: &Queue) -> EndpointOptions {
    queue.extensions.get().cloned().unwrap_or_default()
}

fn bound(binding: &Binding) -> String {
    let kind = match binding.destination {
        Destination::Queue(_) => "queue",
        Destination::Topic(_) => "exchange",
    };
    format!("the binding of exchange `{}` to {kind} `{}`", binding.source, binding.destination.name())
}

fn missing(entity: String, what: &str) -> Undeclared {
    Undeclared { entity, reason: format!("{what} does not exist") }
}
