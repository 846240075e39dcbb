use std::time::Duration;

use super::{
    ConsumerDescription, Description, EndpointDescription, HandlerDescription, OutboxMode, SubscriptionDescription,
    TransportDescription,
};
use crate::{
    address::{Destination, without_credentials, without_parameters},
    bus::{
        endpoint::Outbox,
        plan::{Plan, PlannedConsumer, PlannedEndpoint},
        timeouts::Timeouts,
    },
    pipeline::{Filters, Policy},
    topology::{TopicKind, Topology},
    transport::Transport,
};

impl Description {
    /// Reads the plan that the bus is run by.
    pub(in crate::bus) fn new(
        (driver, url): (&str, &str),
        transport: &dyn Transport,
        timeouts: &Timeouts,
        states: Vec<&'static str>,
        plan: &Plan,
    ) -> Self {
        let limits = timeouts.limits();
        // Parameters may hold anything, a token too.
        let address = without_parameters(&without_credentials(url)).to_owned();
        let endpoint = |planned: &PlannedEndpoint| EndpointDescription::new(planned, transport, &plan.topology);
        Self {
            transport: TransportDescription { name: driver.to_owned(), address },
            start_timeout: limits.start,
            stop_timeout: limits.stop,
            send_timeout: limits.send,
            configured: timeouts.configured(),
            states: states.into_iter().map(str::to_owned).collect(),
            endpoints: plan.endpoints.iter().map(endpoint).collect(),
            warnings: plan.warnings.clone(),
        }
    }
}

impl EndpointDescription {
    fn new(planned: &PlannedEndpoint, transport: &dyn Transport, topology: &Topology) -> Self {
        let (name, policy) = (&planned.name, &planned.policy);
        let bindings = topology.bindings.iter();
        let own = bindings.filter(|binding| matches!(&binding.destination, Destination::Queue(queue) if queue == name));
        let kind = |topic: &str| topology.topics.iter().find(|known| *known.name == *topic).map(|known| known.kind);
        let subscription = |(topic, routing_key): (&str, &str)| SubscriptionDescription {
            topic: topic.to_owned(),
            kind: kind(topic).unwrap_or(TopicKind::Fanout),
            routing_key: routing_key.to_owned(),
        };
        Self {
            name: name.to_string(),
            error_queue: format!("{name}_error"),
            skipped_queue: format!("{name}_skipped"),
            prefetch: planned.prefetch,
            concurrency: planned.concurrency,
            retry: policy.retry.to_string(),
            redeliver: planned.redelivery.delays.clone(),
            timeout: limited(policy),
            outbox: match planned.outbox {
                Outbox::Off => OutboxMode::Off,
                Outbox::On => OutboxMode::On,
                Outbox::Durable => OutboxMode::EffectivelyOnce,
            },
            raw_json: planned.raw_json,
            max_body: planned.max_body,
            filters: policy.filters.names(),
            configured: planned.configured.clone(),
            options: transport.describe_endpoint(&planned.settings()).into_iter().collect(),
            consumers: planned.consumers.iter().map(|consumer| ConsumerDescription::new(consumer, policy)).collect(),
            subscriptions: own.map(|binding| subscription((&binding.source, &binding.routing_key))).collect(),
        }
    }
}

impl ConsumerDescription {
    fn new(planned: &PlannedConsumer, endpoint: &Policy) -> Self {
        let around = |filters: &Filters| filters.names();
        Self {
            name: planned.name.clone(),
            retry: planned.policy.retry.to_string(),
            timeout: limited(&planned.policy),
            concurrency: planned.policy.concurrency.limit(),
            configured: planned.configured.clone(),
            filters: around(&planned.policy.filters).split_off(around(&endpoint.filters).len()),
            handlers: planned
                .pipelines
                .iter()
                .map(|pipeline| HandlerDescription {
                    name: pipeline.consumer().to_string(),
                    message: pipeline.message_type().urn().to_owned(),
                })
                .collect(),
        }
    }
}

/// `Duration::MAX` means for ever.
fn limited(policy: &Policy) -> Option<Duration> {
    policy.timeout.0.filter(|timeout| *timeout < Duration::MAX)
}
