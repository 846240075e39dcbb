use std::sync::{Arc, Mutex};

use bus_conformance::eventually;
use bus_core::{observer::Event, transport::PublishOutcome};

/// An observer that keeps a line of each event.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(pub(super) Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(super) fn observer(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let seen = self.0.clone();
        move |event| seen.lock().unwrap().push(line(event))
    }

    /// The lines so far, without those about the bus and its endpoints.
    pub(super) fn of_messages(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap();
        seen.iter().filter(|line| !line.starts_with("bus") && !line.starts_with("endpoint")).cloned().collect()
    }

    pub(super) fn has(&self, line: &str) -> bool {
        self.0.lock().unwrap().iter().any(|seen| seen == line)
    }

    pub(super) async fn until(&self, line: &str) {
        eventually(line, || self.has(line)).await;
    }
}

fn line(event: &Event<'_>) -> String {
    let short = |urn: &str| urn.rsplit(':').next().unwrap_or(urn).trim_end_matches(']').to_owned();
    let types = |types: &[String]| types.first().map_or("?".to_owned(), |urn| short(urn));
    match event {
        Event::BusStarted { .. } => "bus started".to_owned(),
        Event::BusStartFailed { error, .. } => format!("bus start failed: {error}"),
        Event::BusStopped { .. } => "bus stopped".to_owned(),
        Event::EndpointStarted { endpoint, .. } => format!("endpoint {endpoint} started"),
        Event::EndpointDegraded { endpoint, why, .. } => format!("endpoint {endpoint} degraded: {why}"),
        Event::EndpointRecovered { endpoint, .. } => format!("endpoint {endpoint} recovered"),
        Event::EndpointStopped { endpoint, .. } => format!("endpoint {endpoint} stopped"),
        Event::Sending { message, .. } => {
            let by = message.endpoint.unwrap_or("program");
            let how = if message.published { "publishes" } else { "sends" };
            format!("{by} {how} {}", short(message.message_type))
        }
        Event::Sent { message, .. } => format!("sent {}", short(message.message_type)),
        Event::SendFailed { message, outcome, .. } => {
            let outcome = match outcome {
                PublishOutcome::Unroutable => "unroutable",
                PublishOutcome::Rejected(_) => "rejected",
                PublishOutcome::NotSent(_) => "not sent",
                PublishOutcome::Unknown(_) => "unknown",
                _ => "?",
            };
            format!("{} {outcome}", short(message.message_type))
        }
        Event::Received { message, .. } => format!("{} received {}", message.endpoint, types(message.message_types)),
        Event::Consumed { handling, attempt, .. } => {
            format!("{} consumed {}, attempt {attempt}", handling.endpoint, short(handling.message_type))
        }
        Event::Duplicate { handling, .. } => format!("{} had {}", handling.endpoint, short(handling.message_type)),
        Event::AttemptFailed { handling, attempt, error, next, .. } => {
            format!("{} failed, attempt {attempt}: {error}: {next:?}", handling.endpoint)
        }
        Event::Completed { message, .. } => format!("{} completed {}", message.endpoint, types(message.message_types)),
        Event::Moved { message, queue, why, .. } => format!("{} moved to {queue}: {why}", message.endpoint),
        Event::Redelivered { message, round, after, why, took, .. } => {
            format!("{} put off, round {round} in {after:?}, after {took:?}: {why}", message.endpoint)
        }
        Event::Returned { message, outcome, .. } => format!("{} returned: {outcome:?}", message.endpoint),
        other => format!("{other:?}"),
    }
}
