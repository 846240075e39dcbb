//! What `build()` asks of an endpoint.

use std::{collections::BTreeMap, time::Duration};

use super::{
    EndpointBuilder,
    problem::Problem,
    setting::Setting,
    source::{Place, Source},
};
use crate::endpoint::Redelivery;

impl EndpointBuilder {
    /// Where it was added.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Where one of its settings was said, else where it was added itself.
    pub(super) fn source_of<T>(&self, setting: &Setting<T>) -> Source {
        setting.source_in(self.place)
    }

    /// Which of its settings are a configuration's, and where each is written.
    pub(super) fn configured(&self) -> BTreeMap<String, String> {
        let said = [
            self.prefetch.configured("prefetch"),
            self.concurrency.configured("concurrency"),
            self.timeout.configured("timeout"),
            self.retry.configured("retry"),
            self.redeliver.configured("redeliver"),
            self.allow_reorder.configured("allow_reorder"),
            self.outbox.configured("outbox"),
            self.max_body.configured("max_body"),
            self.raw_json.configured("raw_json"),
            self.subscribes.configured("subscriptions"),
            self.options.configured("options"),
        ];
        said.into_iter().flatten().collect()
    }

    /// When a message comes again.
    pub(super) fn redelivery(&self) -> Redelivery {
        Redelivery { delays: self.redeliver.to_vec(), reorders: *self.allow_reorder }
    }

    /// A mistake of the endpoint as a whole.
    pub(super) fn problem(&self, text: impl Into<String>) -> Problem {
        self.problem_at(text, self.place())
    }

    /// A mistake of the endpoint, made there.
    pub(super) fn problem_at(&self, text: impl Into<String>, source: impl Into<Source>) -> Problem {
        let problem = Problem::new(text, source);
        if self.nameless { problem } else { problem.of_endpoint(&self.name) }
    }

    /// What cannot be of the endpoint's own settings.
    pub(super) fn mistakes(&self) -> Vec<Problem> {
        let mut mistakes = Vec::new();
        let mut refuse = |wrong: bool, source: Source, text: &str| {
            if wrong {
                mistakes.push(self.problem_at(text, source));
            }
        };
        refuse(*self.prefetch == Some(0), self.source_of(&self.prefetch), "the prefetch must be at least 1");
        refuse(*self.concurrency == Some(0), self.source_of(&self.concurrency), "the concurrency must be at least 1");
        refuse(*self.timeout == Some(Duration::ZERO), self.source_of(&self.timeout), NO_TIME);
        refuse(*self.max_body == 0, self.source_of(&self.max_body), "`max_body` must be at least 1 byte");
        let retry = self.retry.problems().into_iter();
        mistakes.extend(retry.map(|text| self.problem_at(text, self.source_of(&self.retry))));
        mistakes.extend(self.replaced.iter().map(|(option, place)| {
            let text = format!("`.with(..)` was called twice with a `{option}`: say all of it in one");
            self.problem_at(text, *place)
        }));
        mistakes
    }

    /// Prefetch and concurrency; [`mistakes`](Self::mistakes) says what is wrong with them.
    pub(super) fn limits(&self, processors: usize) -> (u16, u16) {
        let usual = u16::try_from((2 * processors).max(32)).unwrap_or(u16::MAX);
        match (*self.prefetch, *self.concurrency) {
            (None, None) => (usual, usual),
            (Some(prefetch), None) => (prefetch, prefetch),
            (None, Some(concurrency)) => (concurrency.saturating_add(concurrency.div_ceil(5)), concurrency),
            (Some(prefetch), Some(concurrency)) => (prefetch, concurrency),
        }
    }
}

/// What is wrong with a timeout of zero.
pub(super) const NO_TIME: &str = "the timeout must be longer than zero; for none, leave it out";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::{ConsumerSettings, Registration};

    #[test]
    fn limits_follow_from_each_other() {
        let endpoint = || EndpointBuilder::new("orders".to_owned());
        assert_eq!(endpoint().limits(2), (32, 32));
        assert_eq!(endpoint().limits(32), (64, 64));
        assert_eq!(endpoint().prefetch(7).limits(2), (7, 7));
        assert_eq!(endpoint().concurrency(1).limits(2), (2, 1));
        assert_eq!(endpoint().concurrency(10).limits(2), (12, 10));
        assert_eq!(endpoint().prefetch(500).concurrency(16).limits(2), (500, 16));
    }

    #[test]
    fn a_default_counts_less_than_an_attribute_and_that_less_than_the_endpoint() {
        let settings = ConsumerSettings { prefetch: Some(5), ..ConsumerSettings::default() };
        let registration = Registration { name: None, settings, entries: Vec::new() };
        let mut endpoint =
            EndpointBuilder::new("orders".to_owned()).prefetch(7).concurrency(2).with_settings_outweighed();
        assert_eq!(endpoint.limits(2), (7, 2));
        endpoint.add(registration, |consumer| consumer);
        assert_eq!(endpoint.limits(2), (5, 2));
        assert_eq!(endpoint.prefetch(9).limits(2), (9, 2));
    }
}
