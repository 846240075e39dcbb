use std::{error::Error as StdError, fmt};

use super::{Failure, Verdict};

/// An error with a verdict on it, as [`ResultExt`](super::ResultExt) returns it. It says what the error says,
/// and converts into whatever errors convert into: [`Failure`], `Box<dyn Error>`, `anyhow::Error`.
pub struct Marked(Mark);

/// Carries the verdict as the *second* link of the chain: who boxes an error may hide its head from downcasts
/// (`anyhow` does), and shows what is behind it.
pub(super) struct Mark(Failure);

impl Marked {
    pub(crate) fn new(failure: Failure) -> Self {
        Self(Mark(failure))
    }

    pub(super) fn into_failure(self) -> Failure {
        self.0.0
    }
}

impl Mark {
    pub(super) fn new(failure: Failure) -> Self {
        Self(failure)
    }

    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.0.verdict()
    }
}

/// What is behind an error. A verdict is no cause: the error that it is on takes its place.
pub(crate) fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let mut next = error.source()?;
    while next.is::<Marked>() || next.is::<Mark>() {
        next = next.source()?;
    }
    Some(next)
}

impl StdError for Marked {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl StdError for Mark {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.0.error())
    }
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marked").field("error", self.0.error()).field("verdict", &self.verdict()).finish()
    }
}
