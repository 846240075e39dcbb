use std::{sync::Arc, time::Duration};

use super::EndpointBuilder;
use crate::{
    address::{Address, Destination},
    consumer::Entry,
    extract::Scope,
    pipeline::{Pipeline, Policy},
    topology::{Queue, Topology},
    transport::{Extensions, Transport},
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
}

/// An endpoint that was checked.
pub(super) struct PlannedEndpoint {
    pub(super) name: Arc<str>,
    pub(super) prefetch: u16,
    pub(super) concurrency: u16,
    pub(super) extensions: Extensions,
    pub(super) pipelines: Vec<Arc<dyn Pipeline>>,
}

/// Checks the endpoints and works out their topology; adds a sentence for every mistake.
pub(super) fn plan(
    endpoints: Vec<EndpointBuilder>,
    scope: &Scope,
    transport: Option<&dyn Transport>,
    problems: &mut Vec<String>,
) -> Plan {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut plan = Plan::default();
    for endpoint in endpoints {
        let name: Arc<str> = endpoint.name.as_str().into();
        if plan.endpoints.iter().any(|known| known.name == name) {
            problems.push(format!(
                "two endpoints are named `{name}`: put their consumers into one \
                 `.endpoint(\"{name}\", |e| e.consumer(..).consumer(..))`, or name one of them otherwise"
            ));
            continue;
        }
        if let Some(Err(reason)) = transport.map(|transport| transport.check_name(&name)) {
            problems.push(format!("endpoint `{name}`: the name cannot be used: {reason}"));
        }
        if endpoint.entries.is_empty() {
            problems.push(format!("endpoint `{name}` has no consumer: add one with `.consumer(..)`, or remove it"));
        }
        for entry in &endpoint.entries {
            let mut missing = Vec::new();
            (entry.check)(scope, &mut missing);
            problems.extend(
                missing.into_iter().map(|what| format!("endpoint `{name}`, consumer `{}`: {what}", entry.name)),
            );
        }
        let (prefetch, concurrency) = endpoint.limits(processors).unwrap_or_else(|problem| {
            problems.push(problem);
            (1, 1)
        });
        declare(&mut plan.topology, &name, &endpoint, transport, problems);
        let policy = Policy { retry: endpoint.retry };
        plan.endpoints.push(PlannedEndpoint {
            pipelines: endpoint.entries.into_iter().map(|entry: Entry| entry.pipeline(policy.clone())).collect(),
            name,
            prefetch,
            concurrency,
            extensions: endpoint.extensions,
        });
    }
    plan
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
    for entry in &endpoint.entries {
        let topic: Arc<str> = entry.message_type.entity_name().into();
        if let Some(Err(reason)) = transport.map(|transport| transport.check_name(&topic)) {
            problems.push(format!("message `{}`: its entity cannot be named so: {reason}", entry.message_type.urn()));
        }
        topology.topic(&topic);
        topology.bind(&topic, name);
    }
    for source in &endpoint.bindings {
        match source.as_ref().map_err(Clone::clone).and_then(|address| topic_of(address, transport)) {
            Ok(Some(topic)) => {
                topology.topic(&topic);
                topology.bind(&topic, name);
            }
            Ok(None) => {}
            Err(error) => problems.push(format!("endpoint `{name}` cannot be bound: {error}")),
        }
    }
}

fn topic_of(
    address: &Address,
    transport: Option<&dyn Transport>,
) -> Result<Option<Arc<str>>, crate::address::AddressError> {
    // Without a transport the URL was wrong, which is told already.
    let Some(transport) = transport else { return Ok(None) };
    match transport.resolve(address)? {
        Destination::Topic(topic) => Ok(Some(topic)),
        Destination::Queue(queue) => Err(crate::address::AddressError::new(
            &address.to_string(),
            format!("a queue gives no copies; bind to `exchange:{queue}`"),
        )),
    }
}
