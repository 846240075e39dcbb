use serde::de::Error as _;

use super::{Told, Transports, field::Fields, present, transports::TransportOptions};
use crate::configuration::{
    FilterConfig,
    read::Mistake,
    retry::Pace,
    tree::{Key, Node, Table, Value},
    values::{Count, Limit, Outbox, Size, Time},
};

/// What one source says about an endpoint, or about all of them.
#[derive(Default)]
pub(crate) struct EndpointSettings {
    pub(crate) prefetch: Option<Told<Count>>,
    pub(crate) concurrency: Option<Told<Count>>,
    pub(crate) timeout: Option<Told<Limit>>,
    pub(crate) retry: Option<Told<Pace>>,
    pub(crate) redeliver: Option<Told<Vec<Time>>>,
    pub(crate) allow_reorder: Option<Told<bool>>,
    pub(crate) outbox: Option<Told<Outbox>>,
    pub(crate) max_body: Option<Told<Size>>,
    pub(crate) raw_json: Option<Told<bool>>,
    pub(crate) subscriptions: Option<Told<bool>>,
    pub(crate) filters: Vec<Box<dyn FilterConfig>>,
    pub(crate) options: Vec<TransportOptions>,
    pub(crate) consumers: Vec<(Key, ConsumerSettings)>,
}

/// What it says about one consumer of an endpoint.
#[derive(Default)]
pub(crate) struct ConsumerSettings {
    pub(crate) concurrency: Option<Told<Count>>,
    pub(crate) timeout: Option<Told<Limit>>,
    pub(crate) retry: Option<Told<Pace>>,
    pub(crate) filters: Vec<Box<dyn FilterConfig>>,
}

/// The keys of an endpoint, besides its transports' tables.
pub(super) const KEYS: [&str; 12] = [
    "prefetch",
    "concurrency",
    "timeout",
    "retry",
    "redeliver",
    "allow_reorder",
    "outbox",
    "max_body",
    "raw_json",
    "subscriptions",
    "filters",
    "consumers",
];

/// The keys of a consumer.
pub(super) const CONSUMER_KEYS: [&str; 4] = ["concurrency", "timeout", "retry", "filters"];

impl EndpointSettings {
    /// Of one endpoint, or of all of them, which have no consumers in common.
    pub(super) fn read(table: &Table, of_one: bool, transports: &Transports, mut fields: Fields<'_>) -> Self {
        let mut settings = Self::default();
        for (key, node) in present(table) {
            match key.text.as_str() {
                "prefetch" => settings.prefetch = fields.told(key, node),
                "concurrency" => settings.concurrency = fields.told(key, node),
                "timeout" => settings.timeout = fields.told(key, node),
                "retry" => settings.retry = fields.told(key, node),
                "redeliver" => settings.redeliver = fields.told(key, node),
                "allow_reorder" => settings.allow_reorder = fields.told(key, node),
                "outbox" => settings.outbox = fields.told(key, node),
                "max_body" => settings.max_body = fields.told(key, node),
                "raw_json" => settings.raw_json = fields.told(key, node),
                "subscriptions" => settings.subscriptions = fields.told(key, node),
                "filters" => settings.filters = filters(key, node, &mut fields),
                "consumers" if of_one => {
                    let Some(table) = fields.table(key, node) else { continue };
                    for (name, node) in present(&table) {
                        let read = ConsumerSettings::read(node, fields.of_consumer(&name.text));
                        settings.consumers.push((name.clone(), read));
                    }
                }
                other => match transports.options(key, node, &mut fields) {
                    Ok(options) => settings.options.extend(options),
                    Err(()) => {
                        let keys = KEYS.into_iter().filter(|key| of_one || *key != "consumers");
                        fields.refuse(key, &Mistake::unknown("key", other, keys.chain(transports.names())));
                    }
                },
            }
        }
        settings
    }
}

impl ConsumerSettings {
    fn read(node: &Node, mut fields: Fields<'_>) -> Self {
        let mut settings = Self::default();
        let Some(table) = fields.table_of(node) else { return settings };
        for (key, node) in present(&table) {
            match key.text.as_str() {
                "concurrency" => settings.concurrency = fields.told(key, node),
                "timeout" => settings.timeout = fields.told(key, node),
                "retry" => settings.retry = fields.told(key, node),
                "filters" => settings.filters = filters(key, node, &mut fields),
                other => fields.refuse(key, &Mistake::unknown("key", other, CONSUMER_KEYS)),
            }
        }
        settings
    }
}

fn filters(key: &Key, node: &Node, fields: &mut Fields<'_>) -> Vec<Box<dyn FilterConfig>> {
    let refuse = || Mistake::custom("expected a list of tables, such as [{ name = \"audit\" }]");
    let nodes = match node.json() {
        Ok(Some(Node { value: Value::List(list), .. })) => list,
        Ok(None) if let Value::List(list) = &node.value => list.clone(),
        Ok(_) => {
            fields.problem(&node.place, Some(key), &refuse());
            return Vec::new();
        }
        Err(problem) => {
            fields.problem(&node.place, Some(key), &problem);
            return Vec::new();
        }
    };
    let mut filters = Vec::new();
    for mut node in nodes {
        let Value::Table(table) = &mut node.value else {
            fields.problem(&node.place, Some(key), &refuse());
            continue;
        };
        // What follows the name is read as it is found, and a mistake in it has its own place.
        table.sort_by_key(|(key, _)| key.text != "name");
        filters.extend(fields.value::<Box<dyn FilterConfig>>(key, &node));
    }
    filters
}
