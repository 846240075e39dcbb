use std::{fmt, time::Duration};

use super::{
    endpoint::NO_TIME,
    origins::{Origins, Place},
    plan::PlannedConsumer,
    problem::Problem,
};
use crate::{
    consumer::{Entry, Registration},
    filter::Filter,
    pipeline::{Concurrency, Filters, Policy, Retry, Timeout},
};

/// How one consumer of an endpoint is run, where that differs from the endpoint: see
/// [`EndpointBuilder::consumer_with`](super::EndpointBuilder::consumer_with).
pub struct ConsumerBuilder {
    /// The type's name; a function has none.
    name: Option<&'static str>,
    pub(super) entries: Vec<Entry>,
    retry: Option<Retry>,
    pub(super) timeout: Option<Duration>,
    pub(super) concurrency: Option<u16>,
    pub(super) filters: Filters,
    pub(super) origins: Origins,
}

impl ConsumerBuilder {
    #[track_caller]
    pub(super) fn new(registration: Registration) -> Self {
        let Registration { name, entries, .. } = registration;
        let (filters, origins) = (Filters::default(), Origins::new());
        Self { name, entries, retry: None, timeout: None, concurrency: None, filters, origins }
    }

    /// When a message that this consumer failed on is tried again. The default is what the endpoint says.
    #[must_use]
    #[track_caller]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.origins.note("retry");
        self.retry = Some(retry);
        self
    }

    /// How long an attempt of this consumer may take: see
    /// [`EndpointBuilder::timeout`](super::EndpointBuilder::timeout). The default is what the endpoint says;
    /// `Duration::MAX` means for ever. Longer than zero.
    #[must_use]
    #[track_caller]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.origins.note("timeout");
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
    #[track_caller]
    pub fn concurrency(mut self, attempts: u16) -> Self {
        self.origins.note("concurrency");
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

    /// The type's name, or the function's path.
    pub(super) fn name(&self) -> &str {
        self.name.or(self.entries.first().map(|entry| &*entry.name)).unwrap_or_default()
    }

    /// Where it was added.
    pub(super) fn place(&self) -> Place {
        self.origins.whole()
    }

    /// What cannot be of its own settings.
    pub(super) fn mistakes(&self) -> Vec<Problem> {
        let refuse = |text: String, setting| Problem::new(text, self.origins.of(setting)).of_consumer(self.name());
        let retry = self.retry.iter().flat_map(Retry::problems).map(|text| refuse(text, "retry"));
        let mut mistakes: Vec<_> = retry.collect();
        if self.concurrency == Some(0) {
            mistakes.push(refuse("the concurrency must be at least 1".to_owned(), "concurrency"));
        }
        if self.timeout == Some(Duration::ZERO) {
            mistakes.push(refuse(NO_TIME.to_owned(), "timeout"));
        }
        mistakes
    }

    /// By its own settings, else the endpoint's.
    pub(super) fn planned(self, endpoint: &Policy) -> PlannedConsumer {
        let name = self.name().to_owned();
        let policy = Policy {
            retry: self.retry.unwrap_or_else(|| endpoint.retry.clone()),
            classifiers: endpoint.classifiers.clone(),
            concurrency: self.concurrency.map_or_else(|| endpoint.concurrency.clone(), Concurrency::of),
            timeout: self.timeout.map_or(endpoint.timeout, |after| Timeout(Some(after))),
            filters: endpoint.filters.with(&self.filters),
            store: endpoint.store.clone(),
        };
        let pipelines = self.entries.into_iter().map(|entry| entry.pipeline(policy.clone())).collect();
        PlannedConsumer { name, policy, pipelines }
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
