//! What a configuration says, each value checked for itself. Whether its names exist is for the bus to know.

mod endpoint;
mod field;
mod transports;

pub(crate) use endpoint::{ConsumerSettings, EndpointSettings};
pub(crate) use field::Told;
use field::{Fields, Of};
pub(crate) use transports::Transports;

use serde::de::Error as _;

use super::{
    Configuration,
    read::Mistake,
    tree::{Key, Node, Table, Value},
    values::Time,
};
use crate::bus::Problem;

/// What one source says about a bus.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) start_timeout: Option<Told<Time>>,
    pub(crate) stop_timeout: Option<Told<Time>>,
    pub(crate) send_timeout: Option<Told<Time>>,
    pub(crate) endpoint_defaults: EndpointSettings,
    pub(crate) endpoints: Vec<(Key, EndpointSettings)>,
}

/// The keys of a bus.
const KEYS: [&str; 5] = ["start_timeout", "stop_timeout", "send_timeout", "endpoint_defaults", "endpoints"];

const URL: &str = "`url` is not set here: what the program gives to the builder is never outweighed, so that a forgotten \
                   file sends no messages to another broker";

impl Settings {
    pub(crate) fn read(configuration: &Configuration, transports: &Transports, problems: &mut Vec<Problem>) -> Self {
        problems.extend(configuration.problems.iter().cloned());
        let mut settings = Self::default();
        let mut fields = Fields::new(Of::Bus, problems);
        for (key, node) in present(&configuration.root) {
            match key.text.as_str() {
                "start_timeout" => settings.start_timeout = fields.told(key, node),
                "stop_timeout" => settings.stop_timeout = fields.told(key, node),
                "send_timeout" => settings.send_timeout = fields.told(key, node),
                "endpoint_defaults" => {
                    if let Some(table) = fields.table(key, node) {
                        let of = fields.within(Of::Defaults);
                        settings.endpoint_defaults = EndpointSettings::read(&table, false, transports, of);
                    }
                }
                "endpoints" => {
                    let Some(table) = fields.table(key, node) else { continue };
                    for (name, node) in present(&table) {
                        let of = Of::Endpoint(name.text.clone());
                        let mut fields = fields.within(of.clone());
                        if let Some(table) = fields.table_of(node) {
                            let read = EndpointSettings::read(&table, true, transports, fields.within(of));
                            settings.endpoints.push((name.clone(), read));
                        }
                    }
                }
                "url" => fields.refuse(key, &Mistake::custom(URL)),
                other => fields.refuse(key, &Mistake::unknown("key", other, KEYS)),
            }
        }
        settings
    }
}

/// All keys that there are, for the test of the page that lists them.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.into_iter().chain(endpoint::KEYS).chain(endpoint::CONSUMER_KEYS)
}

/// What is there; JSON's `null` is not.
fn present(table: &Table) -> impl Iterator<Item = &(Key, Node)> {
    table.iter().filter(|(_, node)| node.value != Value::Nothing)
}
