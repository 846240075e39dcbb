use std::{fmt, sync::Arc, time::Duration};

use crate::{
    consumer::{Entry, Registration},
    filter::Filter,
    pipeline::{Concurrency, Filters, Pipeline, Policy, Retry, Timeout},
};

/// How one consumer of an endpoint is run, where that differs from the endpoint: see
/// [`EndpointBuilder::consumer_with`](super::EndpointBuilder::consumer_with).
pub struct ConsumerBuilder {
    /// The type's name; a function has none.
    pub(super) name: Option<&'static str>,
    pub(super) entries: Vec<Entry>,
    pub(super) retry: Option<Retry>,
    pub(super) timeout: Option<Duration>,
    pub(super) concurrency: Option<u16>,
    pub(super) filters: Filters,
}

impl ConsumerBuilder {
    pub(super) fn new(registration: Registration) -> Self {
        let Registration { name, entries, .. } = registration;
        Self { name, entries, retry: None, timeout: None, concurrency: None, filters: Filters::default() }
    }

    /// When a message that this consumer failed on is tried again. The default is what the endpoint says.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// How long an attempt of this consumer may take: see
    /// [`EndpointBuilder::timeout`](super::EndpointBuilder::timeout). The default is what the endpoint says;
    /// `Duration::MAX` means for ever. Longer than zero.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How many attempts of this consumer run at once, over all its message types. The default is as many as
    /// the endpoint handles messages. At least 1.
    ///
    /// An attempt's place is free when the consumer is done and what it sent is confirmed; it is not held
    /// during a pause of the retry policy. A message that waits for a place keeps the one that it has of the
    /// endpoint's [`concurrency`](super::EndpointBuilder::concurrency), as in MassTransit: give the endpoint
    /// more places than this, or its other consumers wait as well. When the endpoint stops, it goes back to
    /// its queue. The limit is this process's; other processes have their own.
    #[must_use]
    pub fn concurrency(mut self, attempts: u16) -> Self {
        self.concurrency = Some(attempts);
        self
    }

    /// Adds a filter, inside of the endpoint's and of those that were added before: see
    /// [`EndpointBuilder::filter`](super::EndpointBuilder::filter).
    #[must_use]
    pub fn filter(mut self, filter: impl Filter) -> Self {
        self.filters.filter(filter);
        self
    }

    /// A sentence for each setting that cannot be.
    pub(super) fn mistakes(&self, endpoint: &str) -> Vec<String> {
        let name = self.name.or(self.entries.first().map(|entry| &*entry.name)).unwrap_or_default();
        let refuse = |what: &str| format!("endpoint `{endpoint}`, consumer `{name}`: {what}");
        let mut mistakes: Vec<String> =
            self.retry.as_ref().and_then(Retry::problem).map(|problem| refuse(&problem)).into_iter().collect();
        if self.concurrency == Some(0) {
            mistakes.push(refuse("the concurrency must be at least 1"));
        }
        if self.timeout == Some(Duration::ZERO) {
            mistakes.push(refuse("the timeout must be longer than zero; for none, leave it out"));
        }
        mistakes
    }

    /// The pipelines of its handlers, by its own settings, else the endpoint's.
    pub(super) fn pipelines(self, endpoint: &Policy) -> impl Iterator<Item = Arc<dyn Pipeline>> {
        let policy = Policy {
            retry: self.retry.unwrap_or_else(|| endpoint.retry.clone()),
            classifiers: endpoint.classifiers.clone(),
            concurrency: self.concurrency.map_or_else(|| endpoint.concurrency.clone(), Concurrency::of),
            timeout: self.timeout.map_or(endpoint.timeout, |after| Timeout(Some(after))),
            filters: endpoint.filters.with(&self.filters),
            store: endpoint.store.clone(),
        };
        self.entries.into_iter().map(move |entry| entry.pipeline(policy.clone()))
    }
}

impl fmt::Debug for ConsumerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerBuilder")
            .field("name", &self.name)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}
