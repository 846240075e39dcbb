use std::fmt;

use uuid::Uuid;

use crate::{
    BoxError,
    address::AddressError,
    bus::Problem,
    transport::{PublishOutcome, TransportError},
};

/// What can go wrong in a call of the bus.
///
/// Of a publish or send it says what the broker has: with [`Unroutable`](Self::Unroutable),
/// [`Rejected`](Self::Rejected) and [`NotSent`](Self::NotSent) it does not have the message, with
/// [`Unknown`](Self::Unknown) it may have it. Of an event that one of several queues refused, which is
/// [`Rejected`](Self::Rejected) too, the other queues may have a copy.
///
/// ```
/// use bus_core::Error;
///
/// /// Whether to try the same message again, with the same id.
/// fn again(error: &Error) -> bool {
///     matches!(error, Error::NotSent { .. } | Error::Unknown { .. })
/// }
/// assert!(!again(&Error::NotStarted));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `build()` found mistakes; all of them.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The transport could not do what was asked for.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The bus is not started, or is stopped.
    #[error("the bus is not started: call `start()` first")]
    NotStarted,
    /// Connected, but declaring and subscribing took longer than the start may.
    #[error("the broker did not answer declarations and subscriptions within the start's deadline")]
    StartTimeout,
    /// The message was to be sent as a contract that its type does not name.
    #[error("`{message_type}` does not fulfil `{contract}`: name it in `#[message(implements(..))]`")]
    NoContract {
        /// The URN of the message's type.
        message_type: String,
        /// The URN of the contract.
        contract: String,
    },
    /// The message cannot be written as JSON.
    #[error("{message} cannot be written as JSON")]
    Encode {
        /// The message.
        message: Box<Posted>,
        /// What serde said.
        #[source]
        source: serde_json::Error,
    },
    /// No queue takes the message; the broker does not have it.
    #[error("{message} reaches no queue")]
    Unroutable {
        /// The message.
        message: Box<Posted>,
    },
    /// The broker refused the message, and would refuse it again; it does not have it. Of an event for several queues
    /// those that did not refuse it may have it: the source says so.
    #[error("the broker refused {message}")]
    Rejected {
        /// The message.
        message: Box<Posted>,
        /// The broker's words.
        #[source]
        source: BoxError,
    },
    /// The message was not sent within its deadline; the broker does not have it.
    #[error("{message} was not sent")]
    NotSent {
        /// The message.
        message: Box<Posted>,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// The message was sent and nothing came back in time: the broker may or may not have it. Sent again
    /// with the same message id, a receiver can tell that it is the same.
    #[error("{message} was sent, and it is unknown whether it arrived")]
    Unknown {
        /// The message.
        message: Box<Posted>,
        /// Why nobody knows.
        #[source]
        source: BoxError,
    },
    /// The attempt that this [`Context`](crate::consumer::Context) belongs to has ended; what is sent now
    /// would not be part of it.
    #[error("the attempt that this context belongs to has ended: send within the handler, or with the bus")]
    ContextClosed,
}

/// Which message an [`Error`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its URN.
    pub message_type: String,
    /// Its id; a second try may use it again.
    pub message_id: Uuid,
    /// Where it was to go.
    pub address: String,
}

impl fmt::Display for Posted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} to {}", self.message_type, self.message_id, self.address)
    }
}

impl Error {
    /// The error that an outcome of the transport means for a caller.
    pub(crate) fn of_outcome(outcome: PublishOutcome, posted: impl FnOnce() -> Posted) -> Result<(), Self> {
        let message = || Box::new(posted());
        Err(match outcome {
            PublishOutcome::Confirmed => return Ok(()),
            PublishOutcome::Unroutable => Self::Unroutable { message: message() },
            PublishOutcome::Rejected(source) => Self::Rejected { message: message(), source },
            PublishOutcome::NotSent(source) => Self::NotSent { message: message(), source },
            PublishOutcome::Unknown(source) => Self::Unknown { message: message(), source },
        })
    }

    /// Whether it says something about the broker's state, and nothing about the message or the handler.
    pub(crate) fn is_infrastructure(&self) -> bool {
        matches!(self, Self::NotSent { .. } | Self::Unknown { .. })
    }
}

/// Everything that `build()` found, one line each. `Debug` is the same text: a `main` that returns the error prints that.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError {
    problems: Vec<Problem>,
}

impl BuildError {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// The mistakes in the order in which the program was written: its URL, then what is the whole bus's, then its
    /// endpoints one by one. Each prints as one line.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [problem] => write!(f, "the bus cannot be built: {problem}"),
            problems => {
                write!(f, "the bus cannot be built; {} things are wrong:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for BuildError {}
