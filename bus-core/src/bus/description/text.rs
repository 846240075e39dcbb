//! A description as an operator reads it.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{ConsumerDescription, Description, EndpointDescription, OutboxMode, SubscriptionDescription};
use crate::{naming::short_name, topology::TopicKind};

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} at {}", self.transport.name, self.transport.address)?;
        let said = |key| said(&self.configured, key);
        let start = format!("start {}{}", time(self.start_timeout), said("start_timeout"));
        let stop = format!("stop {}{}", time(self.stop_timeout), said("stop_timeout"));
        let send = format!("send {}{}", time(self.send_timeout), said("send_timeout"));
        row(f, "timeouts", [[start, stop, send].join(", ")])?;
        if !self.states.is_empty() {
            let states: Vec<_> = self.states.iter().map(|state| short_name(state)).collect();
            row(f, "states", [states.join(", ")])?;
        }
        row(f, "warnings", self.warnings.iter().cloned())?;
        self.endpoints.iter().try_for_each(|endpoint| write!(f, "\n{endpoint}"))
    }
}

impl fmt::Display for EndpointDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "endpoint {}", self.name)?;
        let said = |key| said(&self.configured, key);
        let concurrency = format!("{} at once{}", self.concurrency, said("concurrency"));
        let prefetch = format!("prefetch {}{}", self.prefetch, said("prefetch"));
        let max_body = format!("up to {}{}", bytes(self.max_body), said("max_body"));
        row(f, "messages", [[concurrency, prefetch, max_body].join(", ")])?;
        row(f, "retry", [format!("{}{}", self.retry, said("retry"))])?;
        let delays: Vec<_> = self.redeliver.iter().map(|delay| time(*delay)).collect();
        row(f, "redeliver", (!delays.is_empty()).then(|| format!("after {}{}", delays.join(", "), said("redeliver"))))?;
        row(f, "timeout", [format!("{}{}", timeout(self.timeout), said("timeout"))])?;
        let outbox = match self.outbox {
            OutboxMode::Off => "off",
            OutboxMode::On => "on",
            OutboxMode::EffectivelyOnce => "on, effectively once",
        };
        row(f, "outbox", [format!("{outbox}{}", said("outbox"))])?;
        row(f, "raw JSON", self.raw_json.then(|| format!("on{}", said("raw_json"))))?;
        row(f, "filters", self.filters.iter().map(|filter| filter_name(filter)))?;
        row(f, "options", self.options.iter().map(|(name, value)| format!("{name} = {value}")))?;
        row(f, "consumers", self.consumers.iter().flat_map(|consumer| consumer.lines(self)))?;
        row(f, "bound to", self.subscriptions.iter().map(SubscriptionDescription::line))?;
        row(f, "failed go to", [&self.error_queue])?;
        row(f, "skipped go to", [&self.skipped_queue])
    }
}

impl ConsumerDescription {
    /// Each handler, and what differs from the endpoint.
    fn lines(&self, endpoint: &EndpointDescription) -> impl Iterator<Item = String> {
        let handlers = self.handlers.iter().map(|handler| {
            format!("{} takes {}", short_name(&handler.name), handler.message.trim_start_matches("urn:message:"))
        });
        let said = |key| said(&self.configured, key);
        let own = [
            self.concurrency.map(|attempts| format!("{attempts} at once{}", said("concurrency"))),
            (self.retry != endpoint.retry).then(|| format!("retry {}{}", self.retry, said("retry"))),
            (self.timeout != endpoint.timeout).then(|| format!("timeout {}{}", timeout(self.timeout), said("timeout"))),
            (!self.filters.is_empty()).then(|| {
                let names: Vec<_> = self.filters.iter().map(|filter| filter_name(filter)).collect();
                format!("filters {}", names.join(", "))
            }),
        ];
        handlers.chain(own.into_iter().flatten().map(|own| format!("    {own}")))
    }
}

impl SubscriptionDescription {
    fn line(&self) -> String {
        match self.kind {
            TopicKind::Fanout => self.topic.clone(),
            kind => format!("{} ({}, key `{}`)", self.topic, kind.as_str(), self.routing_key),
        }
    }
}

/// A label, and its values below each other; nothing without a value.
fn row(f: &mut fmt::Formatter<'_>, label: &str, values: impl IntoIterator<Item = impl fmt::Display>) -> fmt::Result {
    let mut values = values.into_iter();
    let Some(first) = values.next() else { return Ok(()) };
    writeln!(f, "  {label:<14} {first}")?;
    values.try_for_each(|value| writeln!(f, "  {:14} {value}", ""))
}

/// `a closure in main` of a closure's path, the type's name of others.
fn filter_name(name: &str) -> String {
    let mut around = name;
    while let Some(outer) = around.strip_suffix("::{{closure}}") {
        around = outer;
    }
    if around.len() == name.len() { short_name(name) } else { format!("a closure in {}", short_name(around)) }
}

fn timeout(timeout: Option<Duration>) -> String {
    timeout.map_or_else(|| "none".to_owned(), |after| format!("{} per attempt", time(after)))
}

/// ` (bus.toml:7:1)` behind what a configuration says.
fn said(configured: &BTreeMap<String, String>, key: &str) -> String {
    configured.get(key).map(|place| format!(" ({place})")).unwrap_or_default()
}

/// `30s`; the longest time is no limit.
pub(super) fn time(time: Duration) -> String {
    if time == Duration::MAX { "none".to_owned() } else { format!("{time:?}") }
}

fn bytes(bytes: usize) -> String {
    match bytes {
        usize::MAX => "any size".to_owned(),
        mebi if mebi % (1 << 20) == 0 => format!("{} MiB", mebi >> 20),
        kibi if kibi % (1 << 10) == 0 => format!("{} KiB", kibi >> 10),
        bytes => format!("{bytes} bytes"),
    }
}
