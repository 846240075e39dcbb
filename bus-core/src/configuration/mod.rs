//! With the feature `config`: settings of a bus from TOML, JSON and environment variables. Every key is in
//! `docs/configuration.md`.
//!
//! ```
//! use bus_core::{Builder, bus::Catalog, configuration::Configuration, consumer::Failure};
//! # use bus_core::Message;
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Serialize, Deserialize, Message)]
//! # #[message(namespace = "Acme", crate = bus_core)]
//! # struct Ordered {}
//!
//! let file = r#"
//!     stop_timeout = "1m"
//!
//!     [endpoints.orders]
//!     prefetch = 64
//!     retry = { exponential = { limit = 5, min = "200ms", max = "10s" } }
//! "#;
//! let environment = [("BUS__ENDPOINTS__ORDERS__PREFETCH", "128")];
//! let builder = Builder::new("memory://shop", Catalog::default())
//!     .configuration(Configuration::from_toml(file))
//!     .configuration(Configuration::from_variables(environment))
//!     .endpoint("orders", |e| e.consumer(|_: Ordered| async { Ok::<_, Failure>(()) }));
//! ```
//!
//! A setting of an endpoint is that of the last of these who says something: convention,
//! [`endpoint_defaults`](crate::Builder::endpoint_defaults), `endpoint_defaults` of a configuration, a consumer's
//! attribute, the endpoint in the builder, a file, a later file, the environment. Filters add up instead, those of a
//! configuration inside of the program's. Nothing is guessed: unknown keys and names, and values that cannot be, are
//! errors of `build()`, all of them at once, each with its file, line and column, or its variable.
//!
//! # Filters by name
//!
//! A filter that is to be named in a configuration is a type that serde can read, and says by [`FilterConfig`] how it
//! becomes a [`Filter`](crate::filter::Filter). The macro is that of the crate [`typetag`], which is re-exported here:
//! bring it into scope by that name, or depend on it.
//!
//! ```
//! use bus_core::{
//!     configuration::{BoxedFilter, FilterConfig, typetag},
//!     consumer::{Context, Failure},
//!     filter::{Filter, Next},
//! };
//! use serde::Deserialize;
//!
//! /// Only messages of this tenant: `filters = [{ name = "tenant", only = "acme" }]`.
//! #[derive(Clone, Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Tenant {
//!     only: String,
//! }
//!
//! #[typetag::deserialize(name = "tenant")]
//! impl FilterConfig for Tenant {
//!     fn build(&self) -> BoxedFilter {
//!         BoxedFilter::new(self.clone())
//!     }
//! }
//!
//! impl Filter for Tenant {
//!     async fn call(&self, ctx: Context, next: Next) -> Result<(), Failure> {
//!         if ctx.header("tenant").is_some_and(|tenant| tenant == &*self.only) { next.run().await } else { Ok(()) }
//!     }
//! }
//! ```
//!
//! Filters of a crate are known if the program links the crate: one that is a dependency, and of which nothing is
//! used, is left out by the compiler. `use that_crate as _;` is enough.

mod filter;
mod options;
mod read;
mod retry;
mod settings;
mod source;
mod tree;
pub(crate) mod values;

use std::fmt;

pub use filter::{BoxedFilter, FilterConfig};
pub use options::{Options, OptionsError};
pub use typetag;
pub use values::Time;

pub(crate) use read::Mistake;
pub(crate) use settings::{ConsumerSettings, EndpointSettings, Settings, Told, Transports};
pub(crate) use tree::Key;
use tree::{Node, Table, Value};

use crate::bus::Problem;

/// What a file or the environment says about a bus, for [`Builder::configuration`](crate::Builder::configuration).
///
/// It is data that serde can read, so it may be a part of a program's own settings, which any loader brings; problems
/// name no line then. It is not checked before `build()`, which knows what there is to be set.
///
/// ```
/// use bus_core::configuration::Configuration;
///
/// #[derive(serde::Deserialize)]
/// struct Settings {
///     bus: Configuration,
///     colour: String,
/// }
///
/// let text = r#"{ "colour": "red", "bus": { "endpoints": { "orders": { "prefetch": 64 } } } }"#;
/// let settings: Settings = serde_json::from_str(text)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Configuration {
    layer: Layer,
    root: Table,
    problems: Vec<Problem>,
}

/// What counts more comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    File,
    Environment,
}

impl Configuration {
    fn file(root: Result<Node, Problem>) -> Self {
        let (root, problems) = match root {
            Ok(Node { value: Value::Table(table), .. }) => (table, Vec::new()),
            Ok(Node { value: Value::Nothing, .. }) => (Table::new(), Vec::new()),
            Ok(Node { place, .. }) => (Table::new(), vec![Problem::configured("expected a table", &place)]),
            Err(problem) => (Table::new(), vec![problem]),
        };
        Self { layer: Layer::File, root, problems }
    }

    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }
}

/// Without what is written there: a filter may have a secret.
impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("layer", &self.layer)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
