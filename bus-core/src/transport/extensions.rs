use std::{any::Any, fmt, sync::Arc};

/// Values of types that only one transport knows, such as a broker's own message properties or endpoint
/// options. One value per type; cloning shares them; other transports ignore them.
#[derive(Clone, Default)]
pub struct Extensions(Vec<Arc<dyn Any + Send + Sync>>);

impl Extensions {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Puts a value in, in place of one of its type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.retain(|known| !known.is::<T>());
        self.0.push(Arc::new(value));
    }

    /// `base`, and over it what is not among the `defaults`.
    #[cfg(feature = "config")]
    pub(crate) fn own_over(&self, defaults: &Self, mut base: Self) -> Self {
        for own in self.0.iter().filter(|own| !defaults.0.iter().any(|known| Arc::ptr_eq(known, own))) {
            base.0.retain(|known| (**known).type_id() != (**own).type_id());
            base.0.push(own.clone());
        }
        base
    }

    /// The value of type `T`.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.iter().find_map(|value| value.downcast_ref())
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({})", self.0.len())
    }
}
