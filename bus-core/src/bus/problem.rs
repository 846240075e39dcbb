use std::{fmt, panic::Location};

use crate::naming::short_name;

/// A mistake that `build()` found. Its text says what is wrong and what to write instead; `Display` puts where it is
/// in front of that, and the line to change behind it.
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
    /// The builder's call that has to change, or that adds what is wrong.
    pub location: Option<&'static Location<'static>>,
}

impl Problem {
    pub(super) fn new(text: impl Into<String>, location: &'static Location<'static>) -> Self {
        Self { endpoint: None, consumer: None, text: text.into(), location: Some(location) }
    }

    pub(super) fn of_endpoint(mut self, name: &str) -> Self {
        self.endpoint = Some(name.to_owned());
        self
    }

    pub(super) fn of_consumer(mut self, name: &str) -> Self {
        self.consumer = Some(name.to_owned());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, consumer, text, location } = self;
        match (endpoint, consumer.as_deref().map(short_name)) {
            (Some(endpoint), Some(consumer)) => write!(f, "endpoint `{endpoint}`, consumer `{consumer}`: ")?,
            (Some(endpoint), None) => write!(f, "endpoint `{endpoint}`: ")?,
            (None, Some(consumer)) => write!(f, "consumer `{consumer}`: ")?,
            (None, None) => {}
        }
        f.write_str(text)?;
        location.map_or(Ok(()), |location| write!(f, " --> {location}"))
    }
}
