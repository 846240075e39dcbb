use std::marker::PhantomData;

use super::{Consumer, HandlerList, MessageArg};

/// A handler that `#[consumer]` lists.
///
/// What is wrong with its signature is shown there. So that its consumer is not refused once more wherever it is
/// registered, a method call finds something of that name either way.
#[derive(Debug)]
pub struct Listing<'a, C, A>(&'a mut HandlerList<C>, PhantomData<A>);

impl<'a, C, A> Listing<'a, C, A> {
    /// The handler of `A` on the way into a list.
    pub fn of(list: &'a mut HandlerList<C>) -> Self {
        Self(list, PhantomData)
    }
}

/// It is a handler.
pub trait Listed {
    /// Adds it.
    fn list_handler(self, name: &'static str);
}

impl<A: MessageArg, C: Consumer<A>> Listed for Listing<'_, C, A> {
    fn list_handler(self, name: &'static str) {
        self.0.add::<A>(name);
    }
}

/// It is none, and the program does not compile.
pub trait Unlisted {
    /// Is never run.
    fn list_handler(self, name: &'static str);
}

impl<C, A> Unlisted for &Listing<'_, C, A> {
    fn list_handler(self, name: &'static str) {
        unreachable!("`#[consumer]` refuses the handler `{name}`")
    }
}
