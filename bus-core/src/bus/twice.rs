//! What is there twice and may be there once.

use std::collections::{HashMap, hash_map::Entry as Known};

use super::{EndpointBuilder, consumer::ConsumerBuilder, problem::Problem, source::Place};
use crate::consumer::Entry;

/// Which Rust types claim which URNs: a message of one that two of them claim would be decoded as either.
#[derive(Default)]
pub(super) struct Urns<'a> {
    known: HashMap<String, Vec<(&'a Entry, Place)>>,
}

impl<'a> Urns<'a> {
    /// Tells of each type once.
    pub(super) fn add(&mut self, entry: &'a Entry, place: Place) -> Option<String> {
        let types = self.known.entry(entry.message_type.urn().to_ascii_lowercase()).or_default();
        if types.iter().any(|(known, _)| known.rust_type.0 == entry.rust_type.0) {
            return None;
        }
        types.push((entry, place));
        let ((first, at), _) = types.split_first().filter(|(_, others)| !others.is_empty())?;
        Some(format!(
            "its message `{}` has the URN `{}`, and so has `{}` of `{}` at {at}: give one of them another name or namespace",
            entry.rust_type.1,
            entry.message_type.urn(),
            first.rust_type.1,
            first.name,
        ))
    }
}

/// Which endpoint has a name first.
#[derive(Default)]
pub(super) struct Names<'a>(HashMap<&'a str, Place>);

impl<'a> Names<'a> {
    pub(super) fn add(&mut self, endpoint: &'a EndpointBuilder) -> Option<Problem> {
        match self.0.entry(&endpoint.name) {
            Known::Vacant(vacant) => {
                vacant.insert(endpoint.place());
                None
            }
            Known::Occupied(first) => Some(endpoint.problem(format!(
                "there is an endpoint of this name at {}: put their consumers into one \
                 `.endpoint(\"{}\", |e| e.consumer(..).consumer(..))`, or name one of them otherwise",
                first.get(),
                endpoint.name
            ))),
        }
    }
}

/// The consumers that an endpoint has twice: each message would be handled twice.
pub(super) fn consumers(endpoint: &EndpointBuilder) -> Vec<Problem> {
    let mut known: HashMap<&str, Place> = HashMap::new();
    let mut problems = Vec::new();
    let named = |consumer: &'_ ConsumerBuilder| consumer.entries.first().is_some_and(|entry| tells(&entry.name));
    for consumer in endpoint.consumers.iter().filter(|consumer| named(consumer)) {
        match known.entry(&consumer.entries[0].name) {
            Known::Vacant(vacant) => {
                vacant.insert(consumer.place());
            }
            Known::Occupied(first) => {
                let text = format!(
                    "it is on this endpoint already, at {}, and would handle each message twice: remove one of them, or \
                     give it an endpoint of its own",
                    first.get()
                );
                problems.push(endpoint.problem_at(text, consumer.place()).of_consumer(consumer.name()));
            }
        }
    }
    problems
}

/// Whether two of that name are the same: closures and pointers to functions are called alike.
fn tells(name: &str) -> bool {
    !name.contains("{{closure}}") && !name.contains("fn(")
}
