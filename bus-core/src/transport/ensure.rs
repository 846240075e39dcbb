use std::sync::Arc;

/// The destination queue is made if it is missing; an existing one is used as it is.
///
/// Put into [`Outgoing::extensions`](super::Outgoing::extensions) of a message to a
/// [`Destination::Queue`](crate::address::Destination::Queue), such as a move to `orders_error`.
#[derive(Debug, Clone)]
pub struct EnsureQueue {
    /// The source queue's name; the new queue is of its kind.
    pub like: Arc<str>,
}
