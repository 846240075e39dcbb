use std::sync::Arc;

/// In [`Outgoing::extensions`](super::Outgoing::extensions) of a mandatory message to a
/// [`Destination::Queue`](crate::address::Destination::Queue): the queue is made if it is missing. One that
/// exists is used as it is, whoever made it.
///
/// This is how a move reaches `orders_error` before anything ever lay there. Transports whose queues cannot
/// be made by a sender ignore it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnsureQueue {
    /// The queue whose kind a new one takes after: `orders` for `orders_error`.
    pub like: Arc<str>,
}
