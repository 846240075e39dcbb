pub use inventory;

use crate::consumer::{IntoConsumer, Registration};

/// A consumer that makes itself.
#[derive(Debug)]
pub struct Discovered {
    registration: fn() -> Registration,
}

impl Discovered {
    /// `registration` makes the consumer.
    #[must_use]
    pub const fn new(registration: fn() -> Registration) -> Self {
        Self { registration }
    }

    pub(crate) fn registration(&self) -> Registration {
        (self.registration)()
    }
}

inventory::collect!(Discovered);

/// The value that `#[consumer(auto)]` makes. What is wrong with its handlers is shown at them; so that it is not
/// shown once more, a method call finds something of that name either way.
#[derive(Debug)]
pub struct Made<C>(pub C);

/// It is a consumer.
pub trait Known<Kind> {
    /// What is to be registered.
    fn found(self) -> Registration;
}

impl<C: IntoConsumer<Kind>, Kind> Known<Kind> for Made<C> {
    fn found(self) -> Registration {
        self.0.registration()
    }
}

/// It is none, and the program does not compile.
pub trait Refused {
    /// What is to be registered.
    fn found(self) -> Registration;
}

impl<C> Refused for &Made<C> {
    fn found(self) -> Registration {
        unreachable!("`#[consumer]` refuses it")
    }
}
