use std::{
    collections::{HashMap, hash_map::Entry as HashEntry},
    sync::Arc,
    time::Duration,
};

use super::{ConsumerBuilder, EndpointBuilder, endpoint::Outbox, outlasting::outlasting};
use crate::{
    address::{Address, AddressError, Destination},
    consumer::Entry,
    extract::Scope,
    persistence::Persistence,
    pipeline::{Concurrency, Pipeline, Policy, Timeout},
    topology::{Queue, TopicKind, Topology},
    transport::{Extensions, ReceiverSettings, Transport},
};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) start: Duration,
    pub(super) stop: Duration,
    pub(super) send: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let usual = Duration::from_secs(30);
        Self { start: usual, stop: usual, send: usual }
    }
}

/// What `build()` made of the endpoints.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) topology: Topology,
    pub(super) endpoints: Vec<PlannedEndpoint>,
    /// What works, and may work otherwise than expected.
    pub(super) warnings: Vec<String>,
}

/// An endpoint that was checked.
pub(super) struct PlannedEndpoint {
    pub(super) name: Arc<str>,
    pub(super) prefetch: u16,
    pub(super) concurrency: u16,
    pub(super) extensions: Extensions,
    pub(super) raw_json: bool,
    pub(super) max_body: usize,
    pub(super) pipelines: Vec<Arc<dyn Pipeline>>,
}

/// Checks the endpoints and works out their topology; adds a sentence for every mistake.
pub(super) fn plan(
    endpoints: Vec<EndpointBuilder>,
    scope: &Scope,
    store: &Arc<dyn Persistence>,
    transport: Option<&dyn Transport>,
    problems: &mut Vec<String>,
) -> Plan {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut plan = Plan::default();
    problems.extend(ambiguous(endpoints.iter().flat_map(EndpointBuilder::entries)));
    for endpoint in endpoints {
        let name: Arc<str> = endpoint.name.as_str().into();
        if plan.endpoints.iter().any(|known| known.name == name) {
            problems.push(format!(
                "two endpoints are named `{name}`: put their consumers into one \
                 `.endpoint(\"{name}\", |e| e.consumer(..).consumer(..))`, or name one of them otherwise"
            ));
            continue;
        }
        for suffix in ["", "_error", "_skipped"] {
            let queue = format!("{name}{suffix}");
            if let Some(Err(reason)) = transport.map(|transport| transport.check_name(&queue)) {
                problems.push(format!("endpoint `{name}`: the name `{queue}` cannot be used: {reason}"));
                break;
            }
        }
        if endpoint.entries().next().is_none() {
            problems.push(format!("endpoint `{name}` has no consumer: add one with `.consumer(..)`, or remove it"));
        }
        for entry in endpoint.entries() {
            let mut missing = Vec::new();
            (entry.check)(scope, &mut missing);
            problems.extend(
                missing.into_iter().map(|what| format!("endpoint `{name}`, consumer `{}`: {what}", entry.name)),
            );
        }
        problems.extend(endpoint.mistakes());
        let (prefetch, concurrency) = endpoint.limits(processors).unwrap_or_else(|problem| {
            problems.push(problem);
            (1, 1)
        });
        if *endpoint.max_body == 0 {
            problems.push(format!("endpoint `{name}`: `max_body` must be at least 1 byte"));
        }
        if let Some(transport) = transport {
            let mut settings = ReceiverSettings::new(name.clone(), prefetch);
            settings.extensions = endpoint.extensions.clone();
            let against = transport.check_endpoint(&settings).into_iter();
            problems.extend(against.map(|problem| format!("endpoint `{name}`: {problem}")));
            let lease = transport.capabilities().lease;
            let outlasting = lease.and_then(|lease| outlasting(&endpoint, (prefetch, concurrency), lease));
            plan.warnings.extend(outlasting);
        }
        if *endpoint.outbox == Outbox::Durable && !store.is_durable() {
            problems.push(format!(
                "{}endpoint `{name}` asks for `.effectively_once()`, which needs a store that survives the process: give \
                 one to the builder with `.persistence(..)`, or write `.outbox()`, which suppresses duplicates while the \
                 process lives",
                endpoint.outbox.origin().lead()
            ));
        }
        declare(&mut plan.topology, &name, &endpoint, transport, problems);
        problems.extend(endpoint.retry.problem().map(|problem| format!("endpoint `{name}`: {problem}")));
        let policy = Policy {
            retry: endpoint.retry.into_value(),
            classifiers: endpoint.classifiers,
            concurrency: Concurrency::default(),
            timeout: Timeout(*endpoint.timeout),
            filters: endpoint.filters,
            store: (*endpoint.outbox != Outbox::Off).then(|| store.clone()),
        };
        plan.endpoints.push(PlannedEndpoint {
            pipelines: pipelines(endpoint.consumers, &policy),
            name,
            prefetch,
            concurrency,
            extensions: endpoint.extensions,
            raw_json: *endpoint.raw_json,
            max_body: *endpoint.max_body,
        });
    }
    plan
}

/// The pipelines of the consumers. Two of one name, as closures may be, are told apart by a number: what is
/// remembered of a message is remembered by consumer.
fn pipelines(consumers: Vec<ConsumerBuilder>, policy: &Policy) -> Vec<Arc<dyn Pipeline>> {
    let mut names: HashMap<Arc<str>, u32> = HashMap::new();
    let mut unique = |entry: &mut Entry| {
        let count = names.entry(entry.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            entry.name = format!("{} #{count}", entry.name).into();
        }
    };
    let mut pipelines = Vec::new();
    for mut consumer in consumers {
        consumer.entries.iter_mut().for_each(&mut unique);
        pipelines.extend(consumer.pipelines(policy));
    }
    pipelines
}

/// A sentence for each URN that two types claim: a message of it would be decoded as either.
fn ambiguous<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<String> {
    let mut known: HashMap<String, &Entry> = HashMap::new();
    let mut problems = Vec::new();
    for entry in entries {
        match known.entry(entry.message_type.urn().to_ascii_lowercase()) {
            HashEntry::Vacant(vacant) => drop(vacant.insert(entry)),
            HashEntry::Occupied(first) if first.get().rust_type.0 != entry.rust_type.0 => problems.push(format!(
                "`{}` and `{}` both have the URN `{}`: give one of them another name or namespace",
                first.get().rust_type.1,
                entry.rust_type.1,
                entry.message_type.urn()
            )),
            HashEntry::Occupied(_) => {}
        }
    }
    problems
}

/// The queue, a topic per message type, and what binds them.
fn declare(
    topology: &mut Topology,
    name: &Arc<str>,
    endpoint: &EndpointBuilder,
    transport: Option<&dyn Transport>,
    problems: &mut Vec<String>,
) {
    let mut queue = Queue::new(name.clone());
    queue.extensions = endpoint.extensions.clone();
    topology.queues.push(queue);
    let subscribed = endpoint.entries().map(|entry| entry.message_type).filter(|_| *endpoint.subscribes);
    for message_type in subscribed.filter(|message_type| message_type.is_in_topology()) {
        let topic: Arc<str> = message_type.entity_name().into();
        if let Some(Err(reason)) = transport.map(|transport| transport.check_name(&topic)) {
            problems.push(format!("message `{}`: its entity cannot be named so: {reason}", message_type.urn()));
        }
        topology.topic(&topic, message_type.topic_kind());
        topology.bind(&topic, Destination::Queue(name.clone()), "");
    }
    for bound in &endpoint.bindings {
        match bound.source.as_ref().map_err(Clone::clone).and_then(|address| topic_of(address, transport)) {
            Ok(Some((topic, kind))) => {
                topology.topic(&topic, kind);
                topology.bind(&topic, Destination::Queue(name.clone()), &bound.routing_key);
            }
            Ok(None) => {}
            Err(error) => problems.push(format!("endpoint `{name}` cannot be bound: {error}")),
        }
    }
}

fn topic_of(
    address: &Address,
    transport: Option<&dyn Transport>,
) -> Result<Option<(Arc<str>, TopicKind)>, AddressError> {
    // Without a transport the URL was wrong, which is told already.
    let Some(transport) = transport else { return Ok(None) };
    let kind = match address.parameter("type") {
        None => TopicKind::Fanout,
        Some(named) => TopicKind::named(named)
            .ok_or_else(|| AddressError::new(&address.to_string(), "its type is one of `fanout`, `direct`, `topic`"))?,
    };
    match transport.resolve(address)? {
        Destination::Topic(topic) => Ok(Some((topic, kind))),
        Destination::Queue(queue) => {
            Err(AddressError::new(&address.to_string(), format!("a queue gives no copies; bind to `exchange:{queue}`")))
        }
    }
}
