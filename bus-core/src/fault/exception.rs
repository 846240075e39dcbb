use serde::{Deserialize, Serialize};

use crate::consumer::{Failure, cause};

/// An error as MassTransit describes exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExceptionInfo {
    /// The type of the error. From Rust: the type's path, where it is known.
    pub exception_type: Option<String>,
    /// What is behind it.
    pub inner_exception: Option<Box<ExceptionInfo>>,
    /// Where it was raised; Rust errors carry none.
    pub stack_trace: Option<String>,
    /// What it says; at most 2048 characters.
    pub message: Option<String>,
    /// The program it was raised in, if that is known.
    pub source: Option<String>,
}

/// MassTransit cuts texts here, without a sign.
const LIMIT: usize = 2048;

impl ExceptionInfo {
    /// The error and what is behind it, outermost first.
    pub(crate) fn of(failure: &Failure) -> Self {
        let program = crate::envelope::Host::current().process_name.as_deref();
        Self::chain(failure.error(), Some(failure.error_type()), program)
    }

    /// An error that has only a text.
    pub(crate) fn said(error_type: &str, message: String) -> Self {
        Self {
            exception_type: Some(error_type.to_owned()),
            inner_exception: None,
            stack_trace: Some(String::new()),
            message: Some(cut(message)),
            source: crate::envelope::Host::current().process_name.as_deref().map(str::to_owned),
        }
    }

    fn chain(error: &(dyn std::error::Error + 'static), error_type: Option<&str>, program: Option<&str>) -> Self {
        Self {
            // Behind a trait object the type's name is lost.
            exception_type: Some(error_type.unwrap_or("dyn core::error::Error").to_owned()),
            // Who raised what is behind it is not known.
            inner_exception: cause(error).map(|inner| Box::new(Self::chain(inner, None, None))),
            stack_trace: Some(String::new()),
            message: Some(cut(error.to_string())),
            source: program.map(str::to_owned),
        }
    }
}

/// A text of at most 2048 characters.
pub(crate) fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LIMIT) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_described_from_the_outside_in_and_long_texts_are_cut() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Outer(String, #[source] std::num::ParseIntError);

        let inner = "x".parse::<u8>().unwrap_err();
        let described = ExceptionInfo::of(&Failure::from(Outer("é".repeat(3000), inner)));
        assert_eq!(described.message.unwrap().chars().count(), 2048);
        assert!(described.exception_type.unwrap().ends_with("Outer"));
        let inner = described.inner_exception.unwrap();
        assert_eq!(inner.message.as_deref(), Some("invalid digit found in string"));
        assert_eq!((described.source.is_some(), inner.source), (true, None));
    }
}
