use std::{error::Error as StdError, fmt};

use super::{Failure, marked::Mark};

/// The error of a handler that will have nothing to do with its message: it is out of date, a repetition, meant
/// for somebody else.
///
/// The message is completed and counts as handled: no retry, no [`Fault`](crate::fault::Fault), nothing in
/// `_error`. The log says so at level info, with the reason. What the handler sent before is not called back;
/// as after a success, the message is completed when the broker has confirmed all of it.
///
/// ```
/// use bus_core::consumer::{Discard, Failure};
///
/// fn check(version: u32, known: u32) -> Result<(), Failure> {
///     if version < known {
///         return Err(Discard::new(format!("version {version} is older than {known}")).into());
///     }
///     Ok(())
/// }
///
/// assert_eq!(check(1, 2).unwrap_err().to_string(), "version 1 is older than 2");
/// ```
///
/// An error is a reason too: `find(id).await.map_err(Discard::new)?`.
pub struct Discard(Mark);

impl Discard {
    /// Discards the message for this reason: a text or an error.
    pub fn new(reason: impl Into<Failure>) -> Self {
        Self(Mark::new(Failure::discard(reason)))
    }
}

impl StdError for Discard {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for Discard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Discard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Discard").field(&self.to_string()).finish()
    }
}
