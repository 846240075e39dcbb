//! The behaviours, by what they are about.

mod arriving;
mod dead_letters;
mod failure;
mod faults;
mod lasting;
mod many;
mod receiving;
mod routing;
mod sending;
mod starting;
mod stopping;
mod subscribing;
mod unreadable;

pub use arriving::*;
pub use dead_letters::*;
pub use failure::*;
pub use faults::*;
pub use lasting::*;
pub use many::*;
pub use receiving::*;
pub use routing::*;
pub use sending::*;
pub use starting::*;
pub use stopping::*;
pub use subscribing::*;
pub use unreadable::*;
