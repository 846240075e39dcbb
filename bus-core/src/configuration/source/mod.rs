//! Where a configuration comes from.

mod embedded;
mod json;
mod toml;
mod variables;

use std::{ffi::OsString, path::Path, sync::Arc};

use super::{Configuration, Layer, tree::Node};
use crate::bus::Problem;

pub(super) use json::in_variable;

impl Configuration {
    /// Reads TOML: see [the module](super) for what may be in it. Mistakes are told by `build()`.
    #[must_use]
    pub fn from_toml(text: &str) -> Self {
        Self::file(toml::read(&"TOML".into(), text))
    }

    /// Reads JSON. Mistakes are told by `build()`.
    #[must_use]
    pub fn from_json(text: &str) -> Self {
        Self::file(json::read(&"JSON".into(), text))
    }

    /// Reads a file, now; by its extension it is `.toml` or `.json`. One that is missing or cannot be read, like
    /// all that is wrong with what is in it, is told by `build()`, with line and column.
    ///
    /// ```
    /// use bus_core::{Builder, bus::Catalog, configuration::Configuration};
    ///
    /// let builder = Builder::new("memory://shop", Catalog::default())
    ///     .configuration(Configuration::from_file("no-such-file.toml"));
    /// assert!(builder.build().unwrap_err().to_string().ends_with(" --> no-such-file.toml"));
    /// ```
    #[must_use]
    pub fn from_file(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let source: Arc<str> = path.display().to_string().into();
        let read: fn(&Arc<str>, &str) -> Result<Node, Problem> = match path.extension().and_then(|end| end.to_str()) {
            Some("toml") => toml::read,
            Some("json") => json::read,
            _ => {
                let text = "its extension says how it is written: `.toml` or `.json`";
                return Self::file(Err(Problem::configured(text, &source)));
            }
        };
        // Editors on Windows put the mark there, and JSON has no room for it.
        let text = std::fs::read_to_string(path)
            .map_err(|error| Problem::configured(format!("this cannot be read: {error}"), &source));
        Self::file(text.and_then(|text| read(&source, text.strip_prefix('\u{feff}').unwrap_or(&text))))
    }

    /// Reads the environment's variables that begin with `BUS__`, now. They outweigh every file, in whatever order
    /// both are given to the builder.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_variables(std::env::vars_os())
    }

    /// The same of other variables, for tests: variables that do not begin with `BUS__` are left alone.
    ///
    /// ```
    /// use bus_core::configuration::Configuration;
    ///
    /// let environment = Configuration::from_variables([("BUS__ENDPOINTS__ORDERS__PREFETCH", "64")]);
    /// ```
    #[must_use]
    pub fn from_variables<Name, Text>(variables: impl IntoIterator<Item = (Name, Text)>) -> Self
    where
        Name: Into<OsString>,
        Text: Into<OsString>,
    {
        let mut problems = Vec::new();
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        let root = variables::read(variables, &mut problems);
        Self { layer: Layer::Environment, root, problems }
    }
}
