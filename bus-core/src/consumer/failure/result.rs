use std::time::Duration;

use super::{Failure, Marked};
use crate::BoxError;

/// Says with an error what is to happen to the message.
///
/// For a `Result` of any error, and of [`Failure`]. The verdict stays with the error when others wrap it, as
/// long as they name it as their source.
///
/// ```
/// use bus_core::consumer::{Failure, ResultExt, Verdict};
/// use std::time::Duration;
///
/// # fn card(number: &str) -> Result<u64, std::num::ParseIntError> { number.parse() }
/// # fn charge(card: u64) -> Result<(), std::io::Error> { Err(std::io::Error::other(format!("{card}: busy"))) }
/// fn pay(number: &str) -> Result<(), Failure> {
///     let card = card(number).permanent()?; // it will not be a number the next time either
///     charge(card).retry_after(Duration::from_secs(20))?;
///     Ok(())
/// }
///
/// assert_eq!(pay("none").unwrap_err().verdict(), Some(Verdict::Permanent));
/// assert_eq!(pay("123").unwrap_err().verdict(), Some(Verdict::RetryAfter(Duration::from_secs(20))));
/// ```
pub trait ResultExt<T>: sealed::Sealed {
    /// The error with the verdict.
    type Error;

    /// An error that the same message would meet again: it goes to `_error` without a retry.
    ///
    /// # Errors
    /// The error, marked.
    fn permanent(self) -> Result<T, Self::Error>;

    /// An error that is worth a retry only after `pause`, such as a service that says when it can be asked
    /// again. The pause takes the place of the policy's, exactly as long. The retry is one of the policy's:
    /// without one left the message is [redelivered](crate::bus::EndpointBuilder::redeliver) after it, or goes to
    /// `_error`.
    ///
    /// # Errors
    /// The error, marked.
    fn retry_after(self, pause: Duration) -> Result<T, Self::Error>;
}

impl<T, E: Into<BoxError> + 'static> ResultExt<T> for Result<T, E> {
    type Error = Marked;

    fn permanent(self) -> Result<T, Marked> {
        self.map_err(|error| Marked::new(Failure::permanent(error)))
    }

    fn retry_after(self, pause: Duration) -> Result<T, Marked> {
        self.map_err(|error| Marked::new(Failure::retry_after(error, pause)))
    }
}

impl<T> ResultExt<T> for Result<T, Failure> {
    type Error = Failure;

    fn permanent(self) -> Self {
        self.map_err(Failure::permanent)
    }

    fn retry_after(self, pause: Duration) -> Self {
        self.map_err(|failure| Failure::retry_after(failure, pause))
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "nobody else implements it, so that it can grow")]
    pub trait Sealed {}

    impl<T, E> Sealed for Result<T, E> {}
}
