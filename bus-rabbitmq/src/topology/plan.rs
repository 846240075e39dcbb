//! A topology as the declarations that make it, in MassTransit's order.

use std::{fmt, sync::Arc};

use bus_core::topology::{TopicKind, Topology};
use lapin::types::FieldTable;

use crate::QueueOptions;

/// One declaration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Declaration {
    Queue {
        name: Arc<str>,
        arguments: FieldTable,
    },
    /// Durable.
    Exchange {
        name: Arc<str>,
        kind: TopicKind,
        auto_delete: bool,
    },
    /// From the exchange of a queue to the queue.
    QueueBinding {
        queue: Arc<str>,
    },
    /// From a topic's exchange to a queue's, or to another topic's.
    ExchangeBinding {
        source: Arc<str>,
        destination: Arc<str>,
        routing_key: Arc<str>,
    },
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue { name, .. } => write!(f, "queue `{name}`"),
            Self::Exchange { name, .. } => write!(f, "exchange `{name}`"),
            Self::QueueBinding { queue } => write!(f, "the binding of queue `{queue}` to its exchange"),
            Self::ExchangeBinding { source, destination, .. } => {
                write!(f, "the binding of exchange `{source}` to exchange `{destination}`")
            }
        }
    }
}

/// The groups: what is in one may be declared at once, and needs the groups before it.
pub(crate) fn plan(topology: &Topology) -> [Vec<Declaration>; 4] {
    let options =
        |queue: &bus_core::topology::Queue| queue.extensions.get::<QueueOptions>().cloned().unwrap_or_default();
    let queues = topology
        .queues
        .iter()
        .map(|queue| Declaration::Queue { name: queue.name.clone(), arguments: options(queue).table() });
    let mut exchanges: Vec<Declaration> = Vec::new();
    for queue in &topology.queues {
        exchanges.push(Declaration::Exchange {
            name: queue.name.clone(),
            kind: TopicKind::Fanout,
            auto_delete: options(queue).exchange_goes(),
        });
    }
    for topic in &topology.topics {
        if !topology.queues.iter().any(|queue| queue.name == topic.name) {
            exchanges.push(Declaration::Exchange { name: topic.name.clone(), kind: topic.kind, auto_delete: false });
        }
    }
    let queue_bindings = topology.queues.iter().map(|queue| Declaration::QueueBinding { queue: queue.name.clone() });
    let exchange_bindings =
        topology.bindings.iter().filter(|binding| binding.source != *binding.destination.name()).map(|binding| {
            Declaration::ExchangeBinding {
                source: binding.source.clone(),
                destination: binding.destination.name().clone(),
                routing_key: binding.routing_key.clone(),
            }
        });
    [queues.collect(), exchanges, queue_bindings.collect(), exchange_bindings.collect()]
}

#[cfg(test)]
mod tests {
    use bus_core::{address::Destination, topology::Queue};

    use super::*;

    #[test]
    fn a_topology_is_declared_in_masstransits_order() {
        let mut topology = Topology::default();
        topology.topic(&"Acme:SubmitOrder".into(), TopicKind::Fanout);
        topology.bind(&"Acme:SubmitOrder".into(), Destination::Queue("orders".into()), "");
        topology.queues.push(Queue::new("orders".into()));
        let plan = plan(&topology).map(|group| group.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(
            plan,
            [
                vec!["queue `orders`"],
                vec!["exchange `orders`", "exchange `Acme:SubmitOrder`"],
                vec!["the binding of queue `orders` to its exchange"],
                vec!["the binding of exchange `Acme:SubmitOrder` to exchange `orders`"],
            ]
        );
    }

    #[test]
    fn a_queue_is_declared_with_its_options() {
        let mut topology = Topology::default();
        let mut queue = Queue::new("q".into());
        queue.extensions.insert(QueueOptions::new().quorum().auto_delete_exchange());
        topology.queues.push(queue);
        let [queues, exchanges, ..] = plan(&topology);
        let [Declaration::Queue { arguments, .. }] = &queues[..] else { panic!("{queues:?}") };
        assert!(arguments.contains_key("x-queue-type"));
        assert_eq!(exchanges, [Declaration::Exchange { name: "q".into(), kind: TopicKind::Fanout, auto_delete: true }]);
    }
}
