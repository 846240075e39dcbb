mod discard;
mod marked;
mod result;
#[cfg(test)]
mod tests;
mod verdict;

use std::{error::Error as StdError, fmt, iter, time::Duration};

pub use discard::Discard;
use marked::Mark;
pub use marked::Marked;
pub(crate) use marked::cause;
pub use result::ResultExt;
pub use verdict::Verdict;

use crate::{BoxError, Error, persistence::PersistenceError};

/// What a handler returns when it could not do its work.
///
/// Every error converts into it by `?`; it is no [`std::error::Error`] itself, so that the conversion can
/// exist. What happens next is decided by the first of these that says something:
///
/// 1. A publish or send that did not reach the broker, anywhere among the causes of the error, is no attempt:
///    the message is held, and handled again when the broker is back.
/// 2. A verdict on the error: [`permanent`](ResultExt::permanent) and [`retry_after`](ResultExt::retry_after)
///    on a `Result`, [`Discard`], the constructors here. It is found wherever other errors wrap it; of several
///    the outermost counts.
/// 3. What [`EndpointBuilder::classify`](crate::bus::EndpointBuilder::classify) makes of the error's type.
/// 4. A [`DecodeError`](super::DecodeError) is permanent.
/// 5. The endpoint's [`Retry`](crate::Retry) policy with its filters. When its retries are used up, the message
///    [comes again](crate::bus::EndpointBuilder::redeliver) later, or goes to `_error`.
///
/// A wrapper that hides its error's type from downcasts, as `anyhow::Error` does, hides no verdict; classifiers and
/// filters by type find only what is behind such an error.
///
/// ```
/// use bus_core::consumer::{Failure, Verdict};
///
/// fn reserve(stock: &str) -> Result<u32, Failure> {
///     let count: u32 = stock.parse()?;
///     if count == 0 {
///         return Err("nothing in stock".into());
///     }
///     if count > 100 {
///         return Err(Failure::permanent("nobody has that many"));
///     }
///     Ok(count)
/// }
///
/// assert_eq!(reserve("0").unwrap_err().to_string(), "nothing in stock");
/// assert_eq!(reserve("x").unwrap_err().error_type(), "core::num::error::ParseIntError");
/// assert_eq!(reserve("101").unwrap_err().verdict(), Some(Verdict::Permanent));
/// ```
pub struct Failure {
    error: BoxError,
    error_type: &'static str,
    verdict: Option<Verdict>,
}

impl<E: Into<BoxError> + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        match error.into().downcast::<Marked>() {
            // The error itself, as if it had never been in there.
            Ok(marked) => marked.into_failure(),
            Err(error) => Self { error, error_type: std::any::type_name::<E>(), verdict: None },
        }
    }
}

impl Failure {
    /// A failure that the same message would meet again: it goes to `_error` without a retry.
    pub fn permanent(error: impl Into<Self>) -> Self {
        error.into().with(Verdict::Permanent)
    }

    /// A failure whose next retry, if the policy has one left, else its next redelivery, comes after `pause`.
    pub fn retry_after(error: impl Into<Self>, pause: Duration) -> Self {
        error.into().with(Verdict::RetryAfter(pause))
    }

    /// The message is not worth handling: it is completed, and nobody is told. See [`Discard`].
    pub fn discard(reason: impl Into<Self>) -> Self {
        reason.into().with(Verdict::Discard)
    }

    fn with(self, verdict: Verdict) -> Self {
        Self { verdict: Some(verdict), ..self }
    }

    /// The error.
    pub fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.error
    }

    /// The Rust type of the error, as the fault headers name it; `panic` for a panic.
    pub fn error_type(&self) -> &'static str {
        self.error_type
    }

    /// What was said with the error, or with one of its causes, about what is to happen; none if nothing was.
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict.or_else(|| self.links().find_map(|link| link.downcast_ref::<Mark>()?.verdict()))
    }

    /// The error and what is behind it, outermost first.
    pub(crate) fn links(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        iter::successors(Some(&*self.error as &(dyn StdError + 'static)), |&link| link.source())
    }

    /// What the error says, and what is behind it: `outer: inner`. A cause that an error repeats in its own
    /// text is left out.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.error.to_string();
        for cause in self.links().skip(1) {
            let said = cause.to_string();
            if !text.ends_with(&said) {
                text = format!("{text}: {said}");
            }
        }
        text
    }

    /// Whether the state of the broker or the store is behind it, anywhere in the chain of sources.
    pub(crate) fn is_infrastructure(&self) -> bool {
        self.links().any(|link| {
            link.downcast_ref::<Error>().is_some_and(Error::is_infrastructure)
                || matches!(link.downcast_ref(), Some(PersistenceError::Unavailable(_)))
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("error", &self.error).field("verdict", &self.verdict).finish()
    }
}
