use std::{
    collections::{HashMap, HashSet, hash_map::Entry as Known},
    sync::Arc,
};

use super::{EndpointBuilder, endpoint::Bound, problem::Problem, rules::Rules, source::Place};
use crate::{
    address::{Address, AddressError, Destination},
    consumer::Entry,
    topology::{Queue, TopicKind, Topology},
};

/// Works out the topology: the queues, a topic per message type, and what binds them.
pub(super) struct Bindings<'a> {
    rules: &'a Rules,
    /// Each has an exchange in front that takes everything.
    endpoints: HashSet<&'a str>,
    /// The kind of each topic, and where it was said first.
    kinds: HashMap<Arc<str>, (TopicKind, Place)>,
    /// Message types whose mistakes were told.
    told: HashSet<&'static str>,
    pub(super) topology: Topology,
}

impl<'a> Bindings<'a> {
    pub(super) fn new(rules: &'a Rules, endpoints: impl Iterator<Item = &'a str>) -> Self {
        let (kinds, told, topology) = (HashMap::new(), HashSet::new(), Topology::default());
        Self { rules, endpoints: endpoints.collect(), kinds, told, topology }
    }

    /// Adds an endpoint; the mistakes are told of it.
    pub(super) fn add(&mut self, name: &Arc<str>, endpoint: &EndpointBuilder, problems: &mut Vec<Problem>) {
        let mut queue = Queue::new(name.clone());
        queue.extensions = endpoint.extensions.clone();
        queue.redelivers = endpoint.redelivery().longest().is_some();
        self.topology.queues.push(queue);
        for consumer in endpoint.consumers.iter().filter(|_| *endpoint.subscribes) {
            for entry in &consumer.entries {
                let wrong = self.subscribe(name, entry, consumer.place());
                let told = |text| endpoint.problem_at(text, consumer.place()).of_consumer(&entry.name);
                problems.extend(wrong.into_iter().map(told));
            }
        }
        for bound in &endpoint.bindings {
            let wrong = self.bind(name, bound);
            problems.extend(wrong.into_iter().map(|text| endpoint.problem_at(text, bound.place)));
        }
    }

    fn subscribe(&mut self, name: &Arc<str>, entry: &Entry, place: Place) -> Vec<String> {
        let message_type = entry.message_type;
        if !message_type.is_in_topology() {
            return Vec::new();
        }
        let (topic, kind): (Arc<str>, _) = (message_type.entity_name().into(), message_type.topic_kind());
        let mut wrong = Vec::new();
        if let Err(reason) = self.rules.check_name(&topic) {
            wrong.push(format!("the entity of its message `{}` cannot be named so: {reason}", message_type.urn()));
        }
        wrong.extend(self.declare(&topic, kind, place));
        self.topology.bind(&topic, Destination::Queue(name.clone()), "");
        if wrong.is_empty() || self.told.insert(message_type.urn()) { wrong } else { Vec::new() }
    }

    fn bind(&mut self, name: &Arc<str>, bound: &Bound) -> Vec<String> {
        let address = match &bound.source {
            Ok(address) => address,
            Err(error) => return vec![cannot(error)],
        };
        let mut wrong = Vec::new();
        let kind = kind_of(address).unwrap_or_else(|error| {
            wrong.push(cannot(&error));
            None
        });
        if let Err(reason) = self.rules.check_routing_key(&bound.routing_key) {
            wrong.push(format!("its routing key for `{address}` cannot be used: {reason}"));
        }
        let topic = match self.rules.resolve(address) {
            Ok(Some(Destination::Topic(topic))) => topic,
            Ok(Some(Destination::Queue(queue))) => {
                let reason = format!("a queue gives no copies; bind to `exchange:{queue}`");
                wrong.push(cannot(&AddressError::new(&address.to_string(), reason)));
                return wrong;
            }
            Ok(None) => return wrong,
            Err(error) => {
                wrong.push(cannot(&error));
                return wrong;
            }
        };
        // Its type was wrong, so nobody knows what it is.
        if !wrong.is_empty() {
            return wrong;
        }
        let kind = kind.unwrap_or_default();
        if topic == *name {
            wrong.push(format!(
                "it cannot be bound to `{address}`, its own exchange: what is sent there arrives anyway"
            ));
        } else if self.endpoints.contains(&*topic) && kind != TopicKind::Fanout {
            wrong.push(format!(
                "it cannot be bound to `{address}`: that is the exchange of endpoint `{topic}`, whose type is `fanout`"
            ));
        } else if kind == TopicKind::Fanout && !bound.routing_key.is_empty() && self.rules.routing_keys() {
            wrong.push(format!(
                "its routing key `{}` for `{address}` would count for nothing, since a `fanout` exchange gives copies of \
                 everything: write `exchange:{topic}?type=topic` (or `direct`), or `.bind(..)` without a key",
                bound.routing_key
            ));
        } else if kind == TopicKind::Fanout && !bound.routing_key.is_empty() {
            wrong.push(format!("it asks for a routing key of `{address}`: {NO_KEYS}"));
        }
        if wrong.is_empty() {
            wrong.extend(self.declare(&topic, kind, bound.place));
            self.topology.bind(&topic, Destination::Queue(name.clone()), &bound.routing_key);
        }
        wrong
    }

    /// Adds a topic; a sentence if it cannot be what is wanted.
    fn declare(&mut self, topic: &Arc<str>, kind: TopicKind, place: Place) -> Option<String> {
        self.topology.topic(topic, kind);
        let known = match self.kinds.entry(topic.clone()) {
            Known::Vacant(vacant) => {
                vacant.insert((kind, place));
                let impossible = kind != TopicKind::Fanout && !self.rules.routing_keys();
                return impossible.then(|| format!("its topic `{topic}` is of type `{}`: {NO_KEYS}", kind.as_str()));
            }
            Known::Occupied(known) => *known.get(),
        };
        (known.0 != kind).then(|| {
            format!(
                "the exchange `{topic}` would be of type `{}` here, and of type `{}` at {}: say the same in both places, in \
                 an address by `?type={}`",
                kind.as_str(),
                known.0.as_str(),
                known.1,
                known.0.as_str()
            )
        })
    }
}

const NO_KEYS: &str = "this broker has no routing keys, every subscriber gets a copy of every message";

fn cannot(error: &AddressError) -> String {
    format!("it cannot be bound: {error}")
}

fn kind_of(address: &Address) -> Result<Option<TopicKind>, AddressError> {
    let Some(named) = address.parameter("type") else { return Ok(None) };
    let unknown = || AddressError::new(&address.to_string(), "its type is one of `fanout`, `direct`, `topic`");
    TopicKind::named(named).map(Some).ok_or_else(unknown)
}
