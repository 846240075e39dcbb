use std::{fmt, ops::Deref};

/// A setting of an endpoint, and who said it: the one who counts most, and of equals the later one.
#[derive(Debug, Clone)]
pub(super) struct Setting<T> {
    value: T,
    origin: Origin,
}

/// Who said a setting. A later one counts more, and says so wherever it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nobody: it is as it usually is.
    Convention,
    /// The builder's `.endpoint_defaults(..)`.
    EndpointDefaults,
    /// `endpoint_defaults` of a configuration, at this place.
    #[cfg(feature = "config")]
    ConfiguredDefaults(String),
    /// A consumer's attribute.
    Attribute,
    /// The endpoint, in the builder.
    Builder,
    /// The endpoint, in a configuration, at this place.
    #[cfg(feature = "config")]
    Configured(String),
}

impl<T> Setting<T> {
    /// Nobody said anything yet.
    pub(super) fn usual(value: T) -> Self {
        Self { value, origin: Origin::Convention }
    }

    /// Takes a value, unless somebody who counts more has said one.
    pub(super) fn say(&mut self, value: T, origin: Origin) {
        if origin.rank() >= self.origin.rank() {
            *self = Self { value, origin };
        }
    }

    /// What was said counts from here on as what every endpoint is told.
    pub(super) fn outweighed(&mut self) {
        if self.origin != Origin::Convention {
            self.origin = Origin::EndpointDefaults;
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
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

impl Origin {
    /// What a problem with the setting begins with: its place, if it has one.
    pub(super) fn lead(&self) -> String {
        match self {
            #[cfg(feature = "config")]
            Self::ConfiguredDefaults(place) | Self::Configured(place) => format!("{place}: "),
            _ => String::new(),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Convention => 0,
            Self::EndpointDefaults => 1,
            #[cfg(feature = "config")]
            Self::ConfiguredDefaults(_) => 2,
            Self::Attribute => 3,
            Self::Builder => 4,
            #[cfg(feature = "config")]
            Self::Configured(_) => 5,
        }
    }
}

/// As people find it again.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Convention => "default",
            Self::EndpointDefaults => "`.endpoint_defaults(..)`",
            Self::Attribute => "attribute",
            Self::Builder => "builder",
            #[cfg(feature = "config")]
            Self::ConfiguredDefaults(place) | Self::Configured(place) => place,
        })
    }
}
