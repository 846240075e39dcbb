use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{
    ConsumerBuilder, EndpointBuilder,
    bindings::Bindings,
    doubts::doubts,
    endpoint::Outbox,
    problem::Problem,
    rules::Rules,
    twice::{self, Names, Urns},
};
use crate::{
    consumer::Entry,
    endpoint::Redelivery,
    extract::Scope,
    persistence::Persistence,
    pipeline::{Concurrency, Pipeline, Policy, Timeout},
    topology::Topology,
    transport::{Extensions, ReceiverSettings},
};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) start: Duration,
    pub(super) stop: Duration,
    pub(super) send: Duration,
    /// How often the topology is brought about again.
    pub(super) round: Duration,
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
    pub(super) redelivery: Redelivery,
    pub(super) outbox: Outbox,
    /// Which settings are a configuration's, and where each is written.
    pub(super) configured: BTreeMap<String, String>,
    /// What its consumers go by, unless they say otherwise.
    pub(super) policy: Policy,
    pub(super) consumers: Vec<PlannedConsumer>,
}

impl PlannedEndpoint {
    /// What the transport is told of it.
    pub(super) fn settings(&self) -> ReceiverSettings {
        let mut settings = ReceiverSettings::new(self.name.clone(), self.prefetch);
        settings.extensions = self.extensions.clone();
        settings.redelivers = self.redelivery.longest();
        settings
    }
}

/// A consumer with what it goes by.
pub(super) struct PlannedConsumer {
    pub(super) name: String,
    pub(super) policy: Policy,
    pub(super) configured: BTreeMap<String, String>,
    /// One per handler.
    pub(super) pipelines: Vec<Arc<dyn Pipeline>>,
}

/// Checks the endpoints and works out their topology. The mistakes come in the order in which the program was written:
/// of each endpoint its name, its consumers, its settings, its bindings.
pub(super) fn plan(
    endpoints: Vec<EndpointBuilder>,
    scope: &Scope,
    store: &Arc<dyn Persistence>,
    rules: &Rules,
    problems: &mut Vec<Problem>,
) -> Plan {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut plan = Plan::default();
    let (mut names, mut urns) = (Names::default(), Urns::default());
    let mut bindings = Bindings::new(rules, endpoints.iter().map(|endpoint| &*endpoint.name));
    for endpoint in &endpoints {
        let name: Arc<str> = endpoint.name.as_str().into();
        if !endpoint.nameless {
            problems.extend(names.add(endpoint));
            problems.extend(check_name(endpoint, rules));
        }
        check_consumers(endpoint, scope, &mut urns, problems);
        problems.extend(endpoint.mistakes());
        let (prefetch, concurrency) = endpoint.limits(processors);
        let mut settings = ReceiverSettings::new(name.clone(), prefetch.max(1));
        settings.extensions = endpoint.extensions.clone();
        let redelivery = endpoint.redelivery();
        settings.redelivers = redelivery.longest();
        let impossible = redelivery.problems(&settings, rules.transport()).into_iter();
        let (redeliver, options) = (endpoint.source_of(&endpoint.redeliver), endpoint.source_of(&endpoint.options));
        problems.extend(impossible.map(|text| endpoint.problem_at(text, redeliver.clone())));
        let refused = rules.check_endpoint(&settings).into_iter();
        problems.extend(refused.map(|text| endpoint.problem_at(text, options.clone())));
        if *endpoint.outbox == Outbox::Durable && !store.is_durable() {
            let text = "`.effectively_once()` needs a store that survives the process: give one to the builder with \
                        `.persistence(..)`, or write `.outbox()`, which suppresses duplicates while the process lives";
            problems.push(endpoint.problem_at(text, endpoint.source_of(&endpoint.outbox)));
        }
        bindings.add(&name, endpoint, problems);
        plan.warnings.extend(doubts(endpoint, (prefetch, concurrency), rules));
    }
    plan.topology = bindings.topology;
    plan.endpoints = endpoints.into_iter().map(|endpoint| planned(endpoint, store, processors)).collect();
    plan
}

/// The queue and those beside it have to be possible.
fn check_name(endpoint: &EndpointBuilder, rules: &Rules) -> Option<Problem> {
    let name = &endpoint.name;
    if let Err(reason) = rules.check_name(name) {
        return Some(endpoint.problem(format!("the name cannot be used: {reason}")));
    }
    ["_error", "_skipped"].into_iter().find_map(|suffix| {
        let reason = rules.check_name(&format!("{name}{suffix}")).err()?;
        Some(endpoint.problem(format!("the name leaves no room for `{suffix}` behind it: {reason}")))
    })
}

fn check_consumers<'a>(endpoint: &'a EndpointBuilder, scope: &Scope, urns: &mut Urns<'a>, problems: &mut Vec<Problem>) {
    if endpoint.consumers.is_empty() {
        problems.push(endpoint.problem("it has no consumer: add one with `.consumer(..)`, or remove the endpoint"));
    }
    for consumer in &endpoint.consumers {
        let mut tell = |text, name: &str| problems.push(endpoint.problem_at(text, consumer.place()).of_consumer(name));
        if endpoint.nameless {
            tell(
                "a function has no name for a queue: write `.endpoint(\"a-name\", |e| e.consumer(..))`".to_owned(),
                consumer.name(),
            );
        }
        for entry in &consumer.entries {
            let mut missing = Vec::new();
            (entry.check)(scope, &mut missing);
            missing.into_iter().chain(urns.add(entry, consumer.place())).for_each(|text| tell(text, &entry.name));
        }
        problems.extend(consumer.mistakes().into_iter().map(|problem| match endpoint.nameless {
            true => problem,
            false => problem.of_endpoint(&endpoint.name),
        }));
    }
    problems.extend(twice::consumers(endpoint));
}

fn planned(endpoint: EndpointBuilder, store: &Arc<dyn Persistence>, processors: usize) -> PlannedEndpoint {
    let (prefetch, concurrency) = endpoint.limits(processors);
    let (redelivery, configured) = (endpoint.redelivery(), endpoint.configured());
    let policy = Policy {
        retry: endpoint.retry.into_value(),
        classifiers: endpoint.classifiers,
        concurrency: Concurrency::default(),
        timeout: Timeout(*endpoint.timeout),
        filters: endpoint.filters,
        store: (*endpoint.outbox != Outbox::Off).then(|| store.clone()),
    };
    PlannedEndpoint {
        consumers: consumers(endpoint.consumers, &policy),
        policy,
        configured,
        outbox: *endpoint.outbox,
        name: endpoint.name.into(),
        prefetch,
        concurrency,
        extensions: endpoint.extensions,
        raw_json: *endpoint.raw_json,
        max_body: *endpoint.max_body,
        redelivery,
    }
}

/// The consumers. Two handlers of one name, as closures may be, are told apart by a number: what is remembered of a
/// message is remembered by handler.
fn consumers(consumers: Vec<ConsumerBuilder>, policy: &Policy) -> Vec<PlannedConsumer> {
    let mut names: HashMap<Arc<str>, u32> = HashMap::new();
    let mut unique = |entry: &mut Entry| {
        let count = names.entry(entry.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            entry.name = format!("{} #{count}", entry.name).into();
        }
    };
    let planned = consumers.into_iter().map(|mut consumer| {
        consumer.entries.iter_mut().for_each(&mut unique);
        consumer.planned(policy)
    });
    planned.collect()
}
