use std::sync::Arc;

/// Asks a publisher to make the destination queue first if it is missing; one that exists is used as it
/// is. Found in [`Outgoing::extensions`](super::Outgoing).
#[derive(Debug, Clone)]
pub struct EnsureQueue {
    /// The queue whose durability and type a new one takes: the one that the message came from.
    pub like: Arc<str>,
}
