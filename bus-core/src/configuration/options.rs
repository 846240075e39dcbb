use std::fmt;

use serde::de::DeserializeOwned;

use super::{
    read::Mistake,
    tree::{Node, Place},
};

/// A transport's own table of an endpoint, such as `rabbitmq = { quorum = true }`, for its
/// [driver](crate::transport::Driver::endpoint_options).
pub struct Options<'a>(pub(super) &'a Node);

impl Options<'_> {
    /// Reads it with serde. Give the type `#[serde(deny_unknown_fields)]`, so that a key with a slip is an error,
    /// and let every field be an `Option`: the table may have any of the keys.
    ///
    /// # Errors
    /// What serde says, and where in the configuration.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, OptionsError> {
        self.0.read().map_err(|(place, mistake)| OptionsError { place, mistake })
    }
}

/// Without what is written there: it may be a secret.
impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Options({})", self.0.place)
    }
}

/// What is wrong with [`Options`].
#[derive(Debug)]
pub struct OptionsError {
    pub(super) place: Place,
    pub(super) mistake: Mistake,
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.mistake)
    }
}

impl std::error::Error for OptionsError {}
