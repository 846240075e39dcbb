use std::time::Duration;

use super::{
    Catalog, ConsumerBuilder, EndpointBuilder,
    endpoint::Outbox,
    problem::Problem,
    setting::{Rank, Setting},
    source::Source,
    timeouts::Timeouts,
};
use crate::{
    Retry,
    configuration::{
        Configuration, ConsumerSettings, EndpointSettings, FilterConfig, Key, Mistake, Settings, Told, Transports,
        values,
    },
    pipeline::Filters,
};

const ENDPOINT: &str = "endpoint";

/// Puts what configurations say over what the program said; adds every mistake.
pub(super) fn configure(
    mut configurations: Vec<Configuration>,
    catalog: &Catalog,
    timeouts: &mut Timeouts,
    endpoints: &mut [EndpointBuilder],
    problems: &mut Vec<Problem>,
) {
    configurations.sort_by_key(Configuration::layer);
    let transports = Transports::of(catalog);
    let layers: Vec<_> =
        configurations.iter().map(|configuration| Settings::read(configuration, &transports, problems)).collect();
    for settings in &layers {
        timeouts.start.told(settings.start_timeout.as_ref(), Rank::Configured, |time| time.0);
        timeouts.stop.told(settings.stop_timeout.as_ref(), Rank::Configured, |time| time.0);
        timeouts.send.told(settings.send_timeout.as_ref(), Rank::Configured, |time| time.0);
    }
    for endpoint in &mut *endpoints {
        let defaults = layers.iter().map(|settings| &settings.endpoint_defaults);
        defaults.clone().for_each(|defaults| endpoint.configure(defaults, Rank::ConfiguredDefaults));
        let mut options = endpoint.default_extensions.clone();
        defaults.flat_map(|defaults| &defaults.options).for_each(|table| table.apply(&mut options));
        endpoint.extensions = endpoint.extensions.own_over(&endpoint.default_extensions, options);
    }
    for (name, settings) in layers.iter().flat_map(|settings| &settings.endpoints) {
        match one_of(name, ENDPOINT, endpoints.iter().map(|endpoint| endpoint.name.as_str())) {
            Ok(at) => {
                let endpoint = &mut endpoints[at];
                endpoint.configure(settings, Rank::Configured);
                settings.options.iter().for_each(|table| table.apply(&mut endpoint.extensions));
            }
            Err(mistake) => problems.push(mistake.at(&name.place)),
        }
    }
    // What a consumer takes over from its endpoint is known when all has been said of that.
    for (name, settings) in layers.iter().flat_map(|settings| &settings.endpoints) {
        let Ok(at) = one_of(name, ENDPOINT, endpoints.iter().map(|endpoint| endpoint.name.as_str())) else {
            continue;
        };
        let endpoint = &mut endpoints[at];
        for (consumer, settings) in &settings.consumers {
            let names = endpoint.consumers.iter().map(ConsumerBuilder::simple_name);
            match one_of(consumer, "consumer", names) {
                Ok(at) => endpoint.consumers[at].configure(settings, &endpoint.retry),
                Err(mistake) => problems.push(mistake.at(&consumer.place).of_endpoint(&endpoint.name)),
            }
        }
    }
}

/// Which one a key names. Of two endpoints with one name, which is a mistake of its own, the first.
fn one_of<'a>(key: &Key, what: &str, names: impl Iterator<Item = &'a str> + Clone) -> Result<usize, Mistake> {
    let mut named = names.clone().enumerate().filter(|(_, name)| key.names(name));
    match (named.next(), named.next()) {
        (None, _) => Err(Mistake::unknown(what, &key.text, names)),
        (Some((_, one)), Some((_, other))) if what != ENDPOINT || one != other => {
            Err(Mistake::ambiguous(what, &key.text, [one, other]))
        }
        (Some((at, _)), _) => Ok(at),
    }
}

impl<T> Setting<T> {
    /// Takes what a configuration says, if it says something.
    fn told<V>(&mut self, said: Option<&Told<V>>, rank: Rank, value: impl FnOnce(&V) -> T) {
        if let Some(said) = said {
            self.say(value(&said.value), rank, Source::Configuration(said.place.to_string()));
        }
    }
}

impl EndpointBuilder {
    fn configure(&mut self, said: &EndpointSettings, rank: Rank) {
        self.prefetch.told(said.prefetch.as_ref(), rank, |count| Some(count.0));
        self.concurrency.told(said.concurrency.as_ref(), rank, |count| Some(count.0));
        self.timeout.told(said.timeout.as_ref(), rank, |limit| limit.0);
        self.redeliver.told(said.redeliver.as_ref(), rank, |delays| delays.iter().map(|delay| delay.0).collect());
        self.allow_reorder.told(said.allow_reorder.as_ref(), rank, |on| *on);
        self.max_body.told(said.max_body.as_ref(), rank, |size| size.0);
        self.raw_json.told(said.raw_json.as_ref(), rank, |on| *on);
        self.subscribes.told(said.subscriptions.as_ref(), rank, |on| *on);
        self.outbox.told(said.outbox.as_ref(), rank, |outbox| match outbox {
            values::Outbox::Off => Outbox::Off,
            values::Outbox::On => Outbox::On,
            values::Outbox::EffectivelyOnce => Outbox::Durable,
        });
        let known = (*self.retry).clone();
        self.retry.told(said.retry.as_ref(), rank, |pace| known.at_pace_of(pace.0.clone()));
        for table in &said.options {
            self.options.say((), rank, Source::Configuration(table.place.to_string()));
        }
        self.filters = built(&said.filters).fold(self.filters.clone(), |filters, filter| filters.with(&filter));
    }
}

impl ConsumerBuilder {
    /// What people call it: its type's name, or the last part of a function's path; nothing for a closure.
    fn simple_name(&self) -> &str {
        let path = self.entries.first().map(|entry| &*entry.name).unwrap_or_default();
        let path = path.split('<').next().unwrap_or(path);
        let last = path.rsplit("::").next().filter(|last| !last.starts_with('{'));
        self.name.or(last).unwrap_or_default()
    }

    fn configure(&mut self, said: &ConsumerSettings, endpoint: &Retry) {
        self.concurrency.told(said.concurrency.as_ref(), Rank::Configured, |count| Some(count.0));
        // An endpoint's timeout is outweighed by one for ever.
        let limited = |limit: &values::Limit| Some(limit.0.unwrap_or(Duration::MAX));
        self.timeout.told(said.timeout.as_ref(), Rank::Configured, limited);
        let known = (*self.retry).clone().unwrap_or_else(|| endpoint.clone());
        self.retry.told(said.retry.as_ref(), Rank::Configured, |pace| Some(known.at_pace_of(pace.0.clone())));
        self.filters = built(&said.filters).fold(self.filters.clone(), |filters, filter| filters.with(&filter));
    }
}

fn built(filters: &[Box<dyn FilterConfig>]) -> impl Iterator<Item = Filters> {
    filters.iter().map(|filter| filter.build().0)
}

#[cfg(test)]
mod tests;
