use std::panic::Location;

use super::{EndpointBuilder, endpoint_defaults::EndpointDefaults, problem::Problem, source::Place};
use crate::{
    consumer::{Discovered, Registration},
    naming::EndpointNames,
};

/// What `.discover()` found. Its endpoints are named at `build()`, as those of other consumers.
pub(super) struct Discovery {
    found: Vec<Found>,
    place: Place,
}

struct Found {
    /// The endpoint to be, without the consumer.
    endpoint: EndpointBuilder,
    registration: Registration,
}

impl Discovery {
    /// Every consumer with `#[consumer(auto)]` in the program.
    #[track_caller]
    pub(super) fn everywhere(defaults: &EndpointDefaults) -> Self {
        Self::of(inventory::iter::<Discovered>().map(Discovered::registration), defaults)
    }

    #[track_caller]
    fn of(registrations: impl Iterator<Item = Registration>, defaults: &EndpointDefaults) -> Self {
        let mut found = Vec::new();
        for registration in registrations {
            let named = registration.settings.endpoint.unwrap_or_default();
            let mut endpoint = defaults.endpoint(named.to_owned());
            endpoint.named_after = registration.name.filter(|_| named.is_empty());
            found.push(Found { endpoint, registration });
        }
        Self { found, place: Location::caller() }
    }

    /// Adds the endpoints to those that were added by hand, in an order of their own: the linker's means nothing.
    pub(super) fn join(
        mut self,
        endpoints: &mut Vec<EndpointBuilder>,
        names: &EndpointNames,
        problems: &mut Vec<Problem>,
    ) {
        if self.found.is_empty() {
            problems.push(Problem::new(NOTHING, self.place));
        }
        for Found { endpoint, .. } in &mut self.found {
            endpoint.name_by(names);
        }
        self.found.sort_by(|a, b| a.key().cmp(&b.key()));
        let by_hand = endpoints.len();
        for found in self.found {
            if let Some(problem) = found.problem(&endpoints[..by_hand]) {
                problems.push(Problem::new(problem, self.place));
                continue;
            }
            found.log();
            let Found { mut endpoint, registration } = found;
            match endpoints[by_hand..].iter_mut().find(|known| known.name == endpoint.name) {
                Some(known) => known.add(registration, |consumer| consumer),
                None => {
                    endpoint.add(registration, |consumer| consumer);
                    endpoints.push(endpoint);
                }
            }
        }
    }
}

impl Found {
    fn key(&self) -> (&str, &str) {
        (&self.endpoint.name, self.consumer())
    }

    /// What the consumer is called where a problem is told.
    fn consumer(&self) -> &str {
        self.registration.entries.first().map(|entry| &*entry.name).or(self.registration.name).unwrap_or_default()
    }

    /// Why it cannot be beside what was added by hand.
    fn problem(&self, by_hand: &[EndpointBuilder]) -> Option<String> {
        let (name, consumer) = self.key();
        let is_same = |endpoint: &EndpointBuilder| {
            endpoint.consumers.iter().flat_map(|known| &known.entries).any(|entry| *entry.name == *consumer)
        };
        if let Some(endpoint) = by_hand.iter().find(|endpoint| is_same(endpoint)) {
            return Some(format!(
                "consumer `{consumer}` is added to endpoint `{}`, and `.discover()` finds it, too: remove `auto` from \
                 its `#[consumer]`, or what adds it",
                endpoint.name
            ));
        }
        by_hand.iter().any(|endpoint| endpoint.name == name).then(|| {
            format!(
                "endpoint `{name}` is added by hand, and `.discover()` puts `{consumer}` on it, too: add the consumer \
                 there and remove its `auto`, or write `#[consumer(auto, endpoint = \"another-name\")]`"
            )
        })
    }

    fn log(&self) {
        for entry in &self.registration.entries {
            let (consumer, endpoint) = (&*entry.name, &*self.endpoint.name);
            let message_type = entry.message_type.urn();
            tracing::info!(consumer, endpoint, message_type, "a consumer was discovered, and is on its endpoint");
        }
    }
}

const NOTHING: &str = "`.discover()` found no consumer: write `#[consumer(auto)]` on some; those of another crate are \
    found only if the program names it, for which `use my_consumers as _;` is enough";

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{
        Builder, Message,
        bus::Catalog,
        consumer::{ConsumerSettings, Failure, IntoConsumer},
    };

    #[derive(Serialize, Deserialize, Message)]
    #[message(namespace = "Acme.Discover")]
    struct Paid {}

    async fn book(_: Paid) -> Result<(), Failure> {
        Ok(())
    }

    async fn audit(_: Paid) -> Result<(), Failure> {
        Ok(())
    }

    async fn remind(_: Paid) -> Result<(), Failure> {
        Ok(())
    }

    fn joined(registrations: impl Iterator<Item = Registration>) -> Vec<(String, Vec<String>)> {
        let (mut endpoints, mut problems) = (Vec::new(), Vec::new());
        let discovery = Discovery::of(registrations, &EndpointDefaults::default());
        discovery.join(&mut endpoints, &EndpointNames::default(), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        let consumers = |endpoint: &EndpointBuilder| {
            endpoint.consumers.iter().flat_map(|known| &known.entries).map(|entry| entry.name.to_string()).collect()
        };
        endpoints.iter().map(|endpoint| (endpoint.name.clone(), consumers(endpoint))).collect()
    }

    #[test]
    fn the_order_in_which_they_were_linked_means_nothing() {
        let on = |endpoint| ConsumerSettings { endpoint, ..ConsumerSettings::default() };
        let found = || {
            [
                remind.registration().named("remind", on(None)),
                book.registration().named("book", on(Some("books"))),
                audit.registration().named("audit", on(Some("books"))),
            ]
        };
        let there = joined(found().into_iter());
        assert_eq!(there, joined(found().into_iter().rev()));
        let names: Vec<_> = there.iter().map(|(name, consumers)| (name.as_str(), consumers.len())).collect();
        assert_eq!(names, [("books", 2), ("remind", 1)]);
    }

    // Nothing in this program has `#[consumer(auto)]`.
    #[test]
    fn a_bus_that_finds_nothing_is_not_built() {
        let error = Builder::new("memory://empty", Catalog::default()).discover().build().unwrap_err().to_string();
        assert!(error.contains("`.discover()` found no consumer: write `#[consumer(auto)]` on some"), "{error}");
    }
}
