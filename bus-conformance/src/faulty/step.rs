use std::sync::Arc;

use bus_core::{Message, address::Destination, envelope::Envelope, transport::Outgoing};

/// What a transport was asked for, or answered.
#[derive(Debug, Clone)]
pub enum Step {
    /// It was asked to connect.
    Connecting,
    /// It was asked to apply a topology.
    Applying,
    /// A message was handed over.
    Submitted(Arc<Outgoing>),
    /// Its sender is told that the broker has it.
    Confirmed(Arc<Outgoing>),
    /// Its sender is told something else.
    Refused(Arc<Outgoing>),
    /// A delivery was completed: the queue's name, the message's id.
    Completed(Arc<str>, Option<Arc<str>>),
    /// A delivery was to be completed too late, and goes back.
    Late(Arc<str>, Option<Arc<str>>),
    /// A longer lease was asked for.
    Renewed(Arc<str>, Option<Arc<str>>),
    /// A delivery was released.
    Released(Arc<str>, Option<Arc<str>>),
}

impl Step {
    /// The message, if it was handed over here.
    pub fn submitted(&self) -> Option<&Outgoing> {
        match self {
            Self::Submitted(message) => Some(message),
            _ => None,
        }
    }

    /// Whether it tells that such a message is confirmed.
    pub fn confirms(&self, which: impl Fn(&Outgoing) -> bool) -> bool {
        matches!(self, Self::Confirmed(message) if which(message))
    }

    /// Whether it completes a delivery of that queue.
    pub fn completes(&self, queue: &str) -> bool {
        matches!(self, Self::Completed(from, _) if **from == *queue)
    }
}

/// Whether a message is an `M`, wherever it goes: also its copy in `_error` is one.
pub fn carrying<M: Message>(message: &Outgoing) -> bool {
    let urn = M::message_type().urn();
    Envelope::read(&message.body).is_ok_and(|envelope| envelope.message_type.iter().any(|known| known == urn))
}

/// Whether a message goes to that queue.
pub fn towards(queue: &'static str) -> impl Fn(&Outgoing) -> bool + Copy + Send + Sync + 'static {
    move |message| matches!(&message.to, Destination::Queue(to) if **to == *queue)
}
