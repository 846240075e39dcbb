use super::field::Fields;
use crate::{
    bus::Catalog,
    configuration::{
        Options, OptionsError,
        tree::{Key, Node, Place, Value},
    },
    transport::{Driver, Extensions},
};

/// The transports whose options an endpoint may have.
pub(crate) struct Transports {
    drivers: Vec<&'static dyn Driver>,
    /// Those that are not compiled in: what is said about them cannot be checked.
    missing: Vec<&'static str>,
}

/// Options of an endpoint that one driver reads. Each is a table with one key, so that each outweighs one field.
pub(crate) struct TransportOptions {
    driver: &'static dyn Driver,
    pub(crate) place: Place,
    tables: Vec<Node>,
}

impl Transports {
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let missing = catalog.missing.iter().flat_map(|(scheme, feature)| [*scheme, *feature]).collect();
        Self { drivers: catalog.drivers.clone(), missing }
    }

    /// The names of their tables.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.drivers.iter().filter_map(|driver| driver.table())
    }

    /// The options of the transport that has a table of that name, checked; `Err` if there is none.
    pub(super) fn options(
        &self,
        key: &Key,
        node: &Node,
        fields: &mut Fields<'_>,
    ) -> Result<Option<TransportOptions>, ()> {
        let Some(driver) = self.drivers.iter().find(|driver| driver.table() == Some(&key.text)) else {
            return if self.missing.contains(&&*key.text) { Ok(None) } else { Err(()) };
        };
        let Some(table) = fields.table(key, node) else { return Ok(None) };
        let alone =
            |entry: &(Key, Node)| Node { value: Value::Table(vec![entry.clone()]), place: entry.0.place.clone() };
        let mut options = TransportOptions { driver: *driver, place: key.place.clone(), tables: Vec::new() };
        for table in super::present(&table).map(alone) {
            match driver.endpoint_options(&Options(&table), &mut Extensions::new()) {
                Ok(()) => options.tables.push(table),
                Err(OptionsError { place, mistake }) => fields.problem(&place, Some(key), &mistake),
            }
        }
        Ok(Some(options))
    }
}

impl TransportOptions {
    /// Puts them over the options that are there.
    pub(crate) fn apply(&self, options: &mut Extensions) {
        for table in &self.tables {
            // That it can be read was seen before.
            let _ = self.driver.endpoint_options(&Options(table), options);
        }
    }
}
