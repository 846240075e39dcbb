//! From what is written to what is meant: serde over [`Node`](super::tree::Node)s.

mod access;
mod nearest;
mod problem;
mod reader;

pub(crate) use problem::Problem;
