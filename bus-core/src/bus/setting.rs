use std::{ops::Deref, panic::Location};

use super::source::{Place, Source};

/// A setting, who said it, and where: the one who counts most, and of equals the later one.
#[derive(Debug, Clone)]
pub(super) struct Setting<T> {
    value: T,
    said: Option<(Rank, Source)>,
}

/// Who says a setting. A later one counts more; nobody counts least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The builder's `.endpoint_defaults(..)`.
    EndpointDefaults,
    /// `endpoint_defaults` of a configuration.
    #[cfg(feature = "config")]
    ConfiguredDefaults,
    /// A consumer's attribute.
    Attribute,
    /// A call of the builder's.
    Builder,
    /// A configuration, of the thing itself.
    #[cfg(feature = "config")]
    Configured,
}

impl<T> Setting<T> {
    /// Nobody said anything yet.
    pub(super) fn usual(value: T) -> Self {
        Self { value, said: None }
    }

    /// Takes a value, unless somebody who counts more has said one.
    pub(super) fn say(&mut self, value: T, rank: Rank, source: impl Into<Source>) {
        if self.rank().is_none_or(|known| rank >= known) {
            *self = Self { value, said: Some((rank, source.into())) };
        }
    }

    /// The program says a value, in the line that calls the caller.
    #[track_caller]
    pub(super) fn call(&mut self, value: T) {
        self.say(value, Rank::Builder, Location::caller());
    }

    /// What was said counts from here on as what every endpoint is told.
    pub(super) fn outweighed(&mut self) {
        self.reranked(Rank::EndpointDefaults);
    }

    /// What was said counts from here on as of that rank.
    pub(super) fn reranked(&mut self, to: Rank) {
        if let Some((rank, _)) = &mut self.said {
            *rank = to;
        }
    }

    pub(super) fn rank(&self) -> Option<Rank> {
        self.said.as_ref().map(|(rank, _)| *rank)
    }

    /// Where it was said, if it was.
    pub(super) fn source(&self) -> Option<&Source> {
        self.said.as_ref().map(|(_, source)| source)
    }

    /// Where it was said, else where that was added that it is a setting of.
    pub(super) fn source_in(&self, whole: Place) -> Source {
        self.source().cloned().unwrap_or(Source::Program(whole))
    }

    /// By that name, where in a configuration it was said, if it was.
    pub(super) fn configured(&self, name: &'static str) -> Option<(String, String)> {
        Some((name.to_owned(), self.source()?.configured()?.to_owned()))
    }

    pub(super) fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
