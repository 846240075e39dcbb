use std::{collections::BTreeMap, fmt, panic::Location, time::Duration};

use super::{
    endpoint_checks::NO_TIME,
    plan::PlannedConsumer,
    problem::Problem,
    setting::Setting,
    source::{Place, Source},
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
    pub(super) name: Option<&'static str>,
    pub(super) entries: Vec<Entry>,
    pub(super) retry: Setting<Option<Retry>>,
    pub(super) timeout: Setting<Option<Duration>>,
    pub(super) concurrency: Setting<Option<u16>>,
    pub(super) filters: Filters,
    /// Where it was added.
    place: Place,
}

impl ConsumerBuilder {
    #[track_caller]
    pub(super) fn new(registration: Registration) -> Self {
        let Registration { name, entries, .. } = registration;
        Self {
            name,
            entries,
            retry: Setting::usual(None),
            timeout: Setting::usual(None),
            concurrency: Setting::usual(None),
            filters: Filters::default(),
            place: Location::caller(),
        }
    }

    /// When a message that this consumer failed on is tried again. The default is what the endpoint says.
    #[must_use]
    #[track_caller]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry.call(Some(retry));
        self
    }

    /// How long an attempt of this consumer may take: see
    /// [`EndpointBuilder::timeout`](super::EndpointBuilder::timeout). The default is what the endpoint says;
    /// `Duration::MAX` means for ever. Longer than zero.
    #[must_use]
    #[track_caller]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout.call(Some(timeout));
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
        self.concurrency.call(Some(attempts));
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
        self.place
    }

    /// What cannot be of its own settings.
    pub(super) fn mistakes(&self) -> Vec<Problem> {
        let refuse = |text: String, source: Source| Problem::new(text, source).of_consumer(self.name());
        let retry = self.retry.iter().flat_map(Retry::problems);
        let mut mistakes: Vec<_> = retry.map(|text| refuse(text, self.retry.source_in(self.place))).collect();
        if *self.concurrency == Some(0) {
            let source = self.concurrency.source_in(self.place);
            mistakes.push(refuse("the concurrency must be at least 1".to_owned(), source));
        }
        if *self.timeout == Some(Duration::ZERO) {
            mistakes.push(refuse(NO_TIME.to_owned(), self.timeout.source_in(self.place)));
        }
        mistakes
    }

    /// Which of its settings are a configuration's, and where each is written.
    fn configured(&self) -> BTreeMap<String, String> {
        let said = [
            self.retry.configured("retry"),
            self.timeout.configured("timeout"),
            self.concurrency.configured("concurrency"),
        ];
        said.into_iter().flatten().collect()
    }

    /// By its own settings, else the endpoint's.
    pub(super) fn planned(self, endpoint: &Policy) -> PlannedConsumer {
        let (name, configured) = (self.name().to_owned(), self.configured());
        let policy = Policy {
            retry: self.retry.into_value().unwrap_or_else(|| endpoint.retry.clone()),
            classifiers: endpoint.classifiers.clone(),
            concurrency: self.concurrency.map_or_else(|| endpoint.concurrency.clone(), Concurrency::of),
            timeout: self.timeout.map_or(endpoint.timeout, |after| Timeout(Some(after))),
            filters: endpoint.filters.with(&self.filters),
            store: endpoint.store.clone(),
        };
        let pipelines = self.entries.into_iter().map(|entry| entry.pipeline(policy.clone())).collect();
        PlannedConsumer { name, policy, configured, pipelines }
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
