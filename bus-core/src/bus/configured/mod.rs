use std::time::Duration;

use super::{
    Catalog, ConsumerBuilder, EndpointBuilder,
    endpoint::Outbox,
    plan::Limits,
    setting::{Origin, Setting},
};
use crate::{
    Retry,
    configuration::{
        Configuration, ConsumerSettings, EndpointSettings, FilterConfig, Key, Problem, Settings, Told, Transports,
        values,
    },
    pipeline::Filters,
};

const ENDPOINT: &str = "endpoint";

/// Puts what configurations say over what the program said; adds a sentence for every mistake.
pub(super) fn configure(
    mut configurations: Vec<Configuration>,
    catalog: &Catalog,
    limits: &mut Limits,
    endpoints: &mut [EndpointBuilder],
    problems: &mut Vec<String>,
) {
    configurations.sort_by_key(Configuration::layer);
    let transports = Transports::of(catalog);
    let layers: Vec<_> =
        configurations.iter().map(|configuration| Settings::read(configuration, &transports, problems)).collect();
    for settings in &layers {
        limits.start = settings.start_timeout.unwrap_or(limits.start);
        limits.stop = settings.stop_timeout.unwrap_or(limits.stop);
        limits.send = settings.send_timeout.unwrap_or(limits.send);
    }
    for endpoint in &mut *endpoints {
        let defaults = layers.iter().map(|settings| &settings.endpoint_defaults);
        defaults.clone().for_each(|defaults| endpoint.configure(defaults, Origin::ConfiguredDefaults));
        let mut options = endpoint.default_extensions.clone();
        defaults.flat_map(|defaults| &defaults.options).for_each(|table| table.apply(&mut options));
        endpoint.extensions = endpoint.extensions.own_over(&endpoint.default_extensions, options);
    }
    for (name, settings) in layers.iter().flat_map(|settings| &settings.endpoints) {
        match one_of(name, ENDPOINT, endpoints.iter().map(|endpoint| endpoint.name.as_str())) {
            Ok(at) => {
                let endpoint = &mut endpoints[at];
                endpoint.configure(settings, Origin::Configured);
                settings.options.iter().for_each(|table| table.apply(&mut endpoint.extensions));
            }
            Err(problem) => problems.push(problem.at(&name.place)),
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
                Err(problem) => {
                    problems.push(format!("{}: endpoint `{}`: {problem}", consumer.place, endpoint.name));
                }
            }
        }
    }
}

/// Which one a key names. Of two endpoints with one name, which is a mistake of its own, the first.
fn one_of<'a>(key: &Key, what: &str, names: impl Iterator<Item = &'a str> + Clone) -> Result<usize, Problem> {
    let mut named = names.clone().enumerate().filter(|(_, name)| key.names(name));
    match (named.next(), named.next()) {
        (None, _) => Err(Problem::unknown(what, &key.text, names)),
        (Some((_, one)), Some((_, other))) if what != ENDPOINT || one != other => {
            Err(Problem::ambiguous(what, &key.text, [one, other]))
        }
        (Some((at, _)), _) => Ok(at),
    }
}

impl EndpointBuilder {
    fn configure(&mut self, said: &EndpointSettings, origin: fn(String) -> Origin) {
        fn say<T, V: Copy>(
            setting: &mut Setting<T>,
            said: Option<&Told<V>>,
            origin: fn(String) -> Origin,
            value: impl FnOnce(V) -> T,
        ) {
            if let Some(said) = said {
                setting.say(value(said.value), origin(said.place.to_string()));
            }
        }
        say(&mut self.prefetch, said.prefetch.as_ref(), origin, |count| Some(count.0));
        say(&mut self.concurrency, said.concurrency.as_ref(), origin, |count| Some(count.0));
        say(&mut self.timeout, said.timeout.as_ref(), origin, |limit| limit.0);
        say(&mut self.max_body, said.max_body.as_ref(), origin, |size| size.0);
        say(&mut self.raw_json, said.raw_json.as_ref(), origin, |on| on);
        say(&mut self.subscribes, said.subscriptions.as_ref(), origin, |on| on);
        say(&mut self.outbox, said.outbox.as_ref(), origin, |outbox| match outbox {
            values::Outbox::Off => Outbox::Off,
            values::Outbox::On => Outbox::On,
            values::Outbox::EffectivelyOnce => Outbox::Durable,
        });
        if let Some(said) = &said.retry {
            let retry = self.retry.clone().into_value().at_pace_of(said.value.0.clone());
            self.retry.say(retry, origin(said.place.to_string()));
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
        self.concurrency = said.concurrency.map(|count| count.0).or(self.concurrency);
        // An endpoint's timeout is outweighed by one for ever.
        self.timeout = said.timeout.map(|limit| limit.0.unwrap_or(Duration::MAX)).or(self.timeout);
        if let Some(pace) = &said.retry {
            let known = self.retry.clone().unwrap_or_else(|| endpoint.clone());
            self.retry = Some(known.at_pace_of(pace.0.clone()));
        }
        self.filters = built(&said.filters).fold(self.filters.clone(), |filters, filter| filters.with(&filter));
    }
}

fn built(filters: &[Box<dyn FilterConfig>]) -> impl Iterator<Item = Filters> {
    filters.iter().map(|filter| filter.build().0)
}

#[cfg(test)]
mod tests;
