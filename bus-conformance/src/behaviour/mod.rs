//! The behaviours, by what they are about.

mod failure;
mod receiving;
mod routing;
mod sending;
mod stopping;

pub use failure::*;
pub use receiving::*;
pub use routing::*;
pub use sending::*;
pub use stopping::*;
