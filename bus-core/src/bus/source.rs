use std::{fmt, panic::Location};

/// A call in the program's own code.
pub(super) type Place = &'static Location<'static>;

/// Where something is said: what has to change if it is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// By a call of the program's.
    Program(Place),
    /// In a configuration: `bus.toml:7:1`, or the name of a variable.
    #[cfg(feature = "config")]
    Configuration(String),
}

impl Source {
    /// The place in a configuration, if it is one.
    pub(super) fn configured(&self) -> Option<&str> {
        match self {
            Self::Program(_) => None,
            #[cfg(feature = "config")]
            Self::Configuration(place) => Some(place),
        }
    }
}

impl From<Place> for Source {
    fn from(place: Place) -> Self {
        Self::Program(place)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(place) => place.fmt(f),
            #[cfg(feature = "config")]
            Self::Configuration(place) => f.write_str(place),
        }
    }
}
