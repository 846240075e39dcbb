//! What a handler may take besides its message.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    future::Future,
};

use crate::consumer::{Context, Failure};

/// An argument of a handler after the message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a consumer",
    label = "not an extractor",
    note = "for a value given to `.state(..)` write `State(name): State<{Self}>`"
)]
pub trait Extract: Sized + Send + 'static {
    /// Run at `build()`: whether the argument can be had.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    fn check(_scope: &Scope) -> Result<(), String> {
        Ok(())
    }

    /// Makes the argument, once per attempt.
    fn extract(ctx: &Context) -> impl Future<Output = Result<Self, Failure>> + Send;
}

impl Extract for Context {
    async fn extract(ctx: &Context) -> Result<Self, Failure> {
        Ok(ctx.clone())
    }
}

/// A value that was given to the builder by `.state(value)`, found by its type and cloned.
#[derive(Debug, Clone, Copy)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> Extract for State<T> {
    fn check(scope: &Scope) -> Result<(), String> {
        match scope.state::<T>() {
            Some(_) => Ok(()),
            None => Err(format!("needs `State<{0}>`: give a `{0}` to the builder with `.state(..)`", type_name::<T>())),
        }
    }

    async fn extract(ctx: &Context) -> Result<Self, Failure> {
        ctx.scope()
            .state::<T>()
            .map(|value| State(value.clone()))
            .ok_or_else(|| format!("no state of type `{}`", type_name::<T>()).into())
    }
}

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
