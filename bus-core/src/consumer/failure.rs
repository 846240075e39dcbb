use std::fmt;

use crate::{BoxError, Error};

/// What a handler returns when it could not do its work.
///
/// Every error converts into it by `?`; it is no [`std::error::Error`] itself, so that the conversion can
/// exist. The endpoint's retry policy decides what happens next; at last the message goes to `_error`.
///
/// ```
/// use bus_core::consumer::Failure;
///
/// fn reserve(stock: &str) -> Result<u32, Failure> {
///     let count: u32 = stock.parse()?;
///     if count == 0 {
///         return Err("nothing in stock".into());
///     }
///     Ok(count)
/// }
///
/// assert_eq!(reserve("0").unwrap_err().to_string(), "nothing in stock");
/// assert_eq!(reserve("x").unwrap_err().error_type(), "core::num::error::ParseIntError");
/// ```
pub struct Failure {
    error: BoxError,
    error_type: &'static str,
    retry: bool,
}

impl<E: Into<BoxError> + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into(), error_type: std::any::type_name::<E>(), retry: true }
    }
}

impl Failure {
    /// A failure that the same message will meet again: retrying is of no use.
    pub(crate) fn permanent(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { retry: false, ..Self::from(error) }
    }

    /// An error whose type only its giver knows.
    pub(crate) fn boxed(error: BoxError, error_type: &'static str, retry: bool) -> Self {
        Self { error, error_type, retry }
    }

    /// The error.
    pub fn error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        &*self.error
    }

    /// The Rust type of the error, as the fault headers name it; `panic` for a panic.
    pub fn error_type(&self) -> &'static str {
        self.error_type
    }

    /// What the error says, and what is behind it: `outer: inner`. A cause that an error repeats in its own
    /// text is left out.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.error.to_string();
        let mut next = self.error.source();
        while let Some(error) = next {
            let said = error.to_string();
            if !text.ends_with(&said) {
                text = format!("{text}: {said}");
            }
            next = error.source();
        }
        text
    }

    /// Whether the retry policy is asked.
    pub(crate) fn is_retryable(&self) -> bool {
        self.retry
    }

    /// Whether the broker's state is behind it, anywhere in the chain of sources.
    pub(crate) fn is_infrastructure(&self) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&*self.error);
        while let Some(error) = next {
            if error.downcast_ref::<Error>().is_some_and(Error::is_infrastructure) {
                return true;
            }
            next = error.source();
        }
        false
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("error", &self.error).field("retry", &self.retry).finish()
    }
}
