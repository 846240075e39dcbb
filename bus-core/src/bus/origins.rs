use std::panic::Location;

/// A call in the program's own code.
pub(super) type Place = &'static Location<'static>;

/// Which call added an endpoint or a consumer, and which ones made its settings: the lines to change.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    whole: Place,
    settings: Vec<(&'static str, Place)>,
}

impl Origins {
    /// Of what the caller's caller adds.
    #[track_caller]
    pub(super) fn new() -> Self {
        Self { whole: Location::caller(), settings: Vec::new() }
    }

    /// A setting was made; the last call counts.
    #[track_caller]
    pub(super) fn note(&mut self, setting: &'static str) {
        self.settings.retain(|(known, _)| *known != setting);
        self.settings.push((setting, Location::caller()));
    }

    /// Where it was added.
    pub(super) fn whole(&self) -> Place {
        self.whole
    }

    /// Where a setting was made, else where the whole was added.
    pub(super) fn of(&self, setting: &str) -> Place {
        self.settings.iter().find(|(known, _)| *known == setting).map_or(self.whole, |(_, place)| place)
    }
}
