use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
};

/// What handlers can draw on, known at `build()`.
#[derive(Default)]
pub struct Scope {
    states: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl Scope {
    /// The state of type `T`.
    pub fn state<T: 'static>(&self) -> Option<&T> {
        self.states.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Adds a state; the name of its type if there was one already.
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> Option<&'static str> {
        self.states.insert(TypeId::of::<T>(), Box::new(value)).map(|_| type_name::<T>())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({} states)", self.states.len())
    }
}
