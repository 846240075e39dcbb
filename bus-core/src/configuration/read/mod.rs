//! From what is written to what is meant: serde over [`Node`](super::tree::Node)s.

mod access;
mod mistake;
mod nearest;
mod reader;

pub(crate) use mistake::Mistake;
