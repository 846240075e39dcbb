//! A topology as the declarations that make it, in MassTransit's order.

use std::{fmt, sync::Arc};

use bus_core::topology::{Queue, TopicKind, Topology};
use lapin::types::FieldTable;

use super::delivery_limit::DeliveryLimit;
use crate::{
    EndpointOptions, delay,
    endpoint::{Lifetime, arguments},
    link::ServerVersion,
};

/// One declaration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Declaration {
    Queue {
        name: Arc<str>,
        lifetime: Lifetime,
        arguments: FieldTable,
        limit: Option<DeliveryLimit>,
    },
    Exchange {
        name: Arc<str>,
        kind: TopicKind,
        durable: bool,
        auto_delete: bool,
        /// The exchange that gets what is bound to nothing.
        alternate: Option<Arc<str>>,
    },
    /// From an exchange to a queue; from that of its own name without a key.
    QueueBinding {
        exchange: Arc<str>,
        queue: Arc<str>,
        routing_key: Arc<str>,
    },
    /// From a topic's exchange to a queue's, or to another topic's.
    ExchangeBinding {
        source: Arc<str>,
        destination: Arc<str>,
        routing_key: Arc<str>,
    },
}

impl Declaration {
    /// A durable exchange.
    pub(crate) fn exchange(name: &Arc<str>, kind: TopicKind) -> Self {
        Self::Exchange { name: name.clone(), kind, durable: true, auto_delete: false, alternate: None }
    }

    /// All that arrives at a fanout comes to the queue.
    pub(super) fn all_of(exchange: &Arc<str>, queue: &Arc<str>) -> Self {
        Self::QueueBinding { exchange: exchange.clone(), queue: queue.clone(), routing_key: "".into() }
    }

    /// A queue with these options, on that server.
    pub(crate) fn queue(name: &Arc<str>, options: &EndpointOptions, server: Option<&ServerVersion>) -> Self {
        Self::Queue {
            name: name.clone(),
            lifetime: options.lifetime,
            arguments: arguments(options),
            limit: DeliveryLimit::of(options, server),
        }
    }

    /// It makes, or binds, the queue of another endpoint than that one.
    pub(super) fn is_of_another(&self, endpoint: &str, topology: &Topology) -> bool {
        match self {
            Self::Queue { name, .. } | Self::QueueBinding { queue: name, .. } => {
                **name != *endpoint && topology.queues.iter().any(|queue| queue.name == *name)
            }
            Self::Exchange { .. } | Self::ExchangeBinding { .. } => false,
        }
    }
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue { name, .. } => write!(f, "queue `{name}`"),
            Self::Exchange { name, .. } => write!(f, "exchange `{name}`"),
            Self::QueueBinding { exchange, queue, .. } => {
                write!(f, "the binding of queue `{queue}` to exchange `{exchange}`")
            }
            Self::ExchangeBinding { source, destination, .. } => {
                write!(f, "the binding of exchange `{source}` to exchange `{destination}`")
            }
        }
    }
}

/// The options that a queue was given, or the default ones.
pub(super) fn options(queue: &Queue) -> EndpointOptions {
    queue.extensions.get::<EndpointOptions>().cloned().unwrap_or_default()
}

/// The groups: what is in one may be declared at once, and needs the groups before it.
pub(crate) fn plan(topology: &Topology, server: Option<&ServerVersion>) -> [Vec<Declaration>; 4] {
    let [mut queues, mut exchanges, mut queue_bindings] = [const { Vec::new() }; 3];
    for queue in &topology.queues {
        let (name, options) = (&queue.name, options(queue));
        let durable = options.lifetime == Lifetime::Durable;
        queues.push(Declaration::queue(name, &options, server));
        let auto_delete = !durable || options.auto_delete_exchange;
        exchanges.push(Declaration::Exchange {
            name: name.clone(),
            kind: TopicKind::Fanout,
            durable,
            auto_delete,
            alternate: None,
        });
        queue_bindings.push(Declaration::all_of(name, name));
    }
    for topic in &topology.topics {
        if !topology.queues.iter().any(|queue| queue.name == topic.name) {
            exchanges.push(Declaration::exchange(&topic.name, topic.kind));
        }
    }
    for (exchange, queue) in topology.queues.iter().flat_map(|queue| options(queue).dead_letters) {
        // Endpoints may share them, and have them as their own.
        once(&mut exchanges, Declaration::exchange(&exchange, TopicKind::Fanout));
        if let Some(queue) = queue {
            once(&mut queues, Declaration::queue(&queue, &EndpointOptions::default(), server));
            once(&mut queue_bindings, Declaration::all_of(&exchange, &queue));
        }
    }
    let exchange_bindings =
        topology.bindings.iter().filter(|binding| binding.source != *binding.destination.name()).map(|binding| {
            Declaration::ExchangeBinding {
                source: binding.source.clone(),
                destination: binding.destination.name().clone(),
                routing_key: binding.routing_key.clone(),
            }
        });
    let mut exchange_bindings: Vec<_> = exchange_bindings.collect();
    let mut redelivering = topology.queues.iter().filter(|queue| queue.redelivers).map(|queue| &queue.name).peekable();
    // An old one says so itself once.
    if redelivering.peek().is_some() && delay::unable(topology, server).is_none() {
        let delays = delay::declarations(redelivering, server);
        let groups = [&mut queues, &mut exchanges, &mut queue_bindings, &mut exchange_bindings];
        groups.into_iter().zip(delays).for_each(|(group, more)| group.extend(more));
    }
    [queues, exchanges, queue_bindings, exchange_bindings]
}

/// Adds it, unless something is declared there already.
fn once(group: &mut Vec<Declaration>, declaration: Declaration) {
    let place = declaration.to_string();
    if !group.iter().any(|known| known.to_string() == place) {
        group.push(declaration);
    }
}

#[cfg(test)]
mod tests {
    use bus_core::address::Destination;

    use super::*;
    use crate::endpoint;

    fn shown(topology: &Topology) -> [Vec<String>; 4] {
        plan(topology, None).map(|group| group.iter().map(ToString::to_string).collect())
    }

    fn with(name: &str, options: EndpointOptions) -> Queue {
        let mut queue = Queue::new(name.into());
        queue.extensions.insert(options);
        queue
    }

    #[test]
    fn a_topology_is_declared_in_masstransits_order() {
        let mut topology = Topology::default();
        topology.topic(&"Acme:SubmitOrder".into(), TopicKind::Fanout);
        topology.bind(&"Acme:SubmitOrder".into(), Destination::Queue("orders".into()), "");
        topology.queues.push(Queue::new("orders".into()));
        assert_eq!(
            shown(&topology),
            [
                vec!["queue `orders`"],
                vec!["exchange `orders`", "exchange `Acme:SubmitOrder`"],
                vec!["the binding of queue `orders` to exchange `orders`"],
                vec!["the binding of exchange `Acme:SubmitOrder` to exchange `orders`"],
            ]
        );
    }

    #[test]
    fn dead_letters_of_two_endpoints_are_declared_once_and_an_endpoint_may_consume_them() {
        let mut topology = Topology::default();
        for name in ["a", "b"] {
            topology.queues.push(with(name, endpoint().dead_letter_queue("dlx", "dlq")));
        }
        topology.queues.push(with("dlq", endpoint().lazy()));
        let [queues, exchanges, bindings, _] = shown(&topology);
        assert_eq!(queues, ["queue `a`", "queue `b`", "queue `dlq`"]);
        assert_eq!(exchanges, ["exchange `a`", "exchange `b`", "exchange `dlq`", "exchange `dlx`"]);
        assert_eq!(bindings.len(), 4, "{bindings:?}");
        assert_eq!(bindings[3], "the binding of queue `dlq` to exchange `dlx`");
    }

    #[test]
    fn a_queue_and_its_exchange_are_declared_with_its_options() {
        let mut topology = Topology::default();
        topology.queues.push(with("q", endpoint().quorum().auto_delete_exchange()));
        topology.queues.push(with("t", endpoint().temporary()));
        let [queues, exchanges, ..] = plan(&topology, None);
        let [Declaration::Queue { arguments, .. }, Declaration::Queue { lifetime, .. }] = &queues[..] else {
            panic!("{queues:?}")
        };
        assert!(arguments.contains_key("x-queue-type"));
        assert_eq!(*lifetime, Lifetime::Temporary);
        let exchange = |name: &str, durable| Declaration::Exchange {
            name: name.into(),
            kind: TopicKind::Fanout,
            durable,
            auto_delete: true,
            alternate: None,
        };
        assert_eq!(exchanges, [exchange("q", true), exchange("t", false)]);
    }
}
