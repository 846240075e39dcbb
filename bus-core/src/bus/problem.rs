use std::{fmt, panic::Location};

use super::source::Source;
use crate::naming::short_name;

/// A mistake that `build()` found. Its text says what is wrong and what to write instead; `Display` puts where it is
/// in front of that, and the line to change behind it: the program's, or the configuration's.
///
/// ```
/// # use bus_core::{Builder, Error, bus::Catalog};
/// let refused = Builder::new("memory:shop", Catalog::default()).endpoint("orders", |e| e).build();
/// let Err(Error::Build(error)) = refused else { panic!("it was built") };
/// let problem = &error.problems()[1];
/// assert_eq!(problem.endpoint.as_deref(), Some("orders"));
/// assert_eq!(problem.text, "it has no consumer: add one with `.consumer(..)`, or remove the endpoint");
/// assert!(problem.to_string().starts_with("endpoint `orders`: it has no consumer"));
/// assert!(problem.location.is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The name of the endpoint that it is about, if it is about one.
    pub endpoint: Option<String>,
    /// The consumer or handler that it is about, with its path, if it is about one.
    pub consumer: Option<String>,
    /// What is wrong, and what to write instead.
    pub text: String,
    /// The builder's call that has to change, or that adds what is wrong; none if that is in a configuration.
    pub location: Option<&'static Location<'static>>,
    /// With the feature `config`: where it is in a configuration, as `bus.toml:7:1` or the name of a variable.
    pub configured: Option<String>,
}

impl Problem {
    pub(super) fn new(text: impl Into<String>, source: impl Into<Source>) -> Self {
        let (location, configured) = match source.into() {
            Source::Program(location) => (Some(location), None),
            #[cfg(feature = "config")]
            Source::Configuration(place) => (None, Some(place)),
        };
        Self { endpoint: None, consumer: None, text: text.into(), location, configured }
    }

    /// Of what is written in a configuration.
    #[cfg(feature = "config")]
    pub(crate) fn configured(text: impl Into<String>, place: &impl fmt::Display) -> Self {
        Self::new(text, Source::Configuration(place.to_string()))
    }

    pub(crate) fn of_endpoint(mut self, name: &str) -> Self {
        self.endpoint = Some(name.to_owned());
        self
    }

    pub(crate) fn of_consumer(mut self, name: &str) -> Self {
        self.consumer = Some(name.to_owned());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, consumer, text, location, configured } = self;
        match (endpoint, consumer.as_deref().map(short_name)) {
            (Some(endpoint), Some(consumer)) => write!(f, "endpoint `{endpoint}`, consumer `{consumer}`: ")?,
            (Some(endpoint), None) => write!(f, "endpoint `{endpoint}`: ")?,
            (None, Some(consumer)) => write!(f, "consumer `{consumer}`: ")?,
            (None, None) => {}
        }
        f.write_str(text)?;
        location.map_or(Ok(()), |location| write!(f, " --> {location}"))?;
        configured.as_ref().map_or(Ok(()), |place| write!(f, " --> {place}"))
    }
}
