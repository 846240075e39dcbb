mod discard;
mod marked;
mod result;
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
/// 5. The endpoint's [`Retry`](crate::Retry) policy. When its retries are used up, the message goes to `_error`.
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

    /// A failure whose next retry, if the policy has one left, comes after `pause`.
    pub fn retry_after(error: impl Into<Self>, pause: Duration) -> Self {
        error.into().with(Verdict::RetryAfter(pause))
    }

    /// The message is not worth handling: it is completed, and nobody is told. See [`Discard`].
    pub fn discard(reason: impl Into<Self>) -> Self {
        reason.into().with(Verdict::Discard)
    }

    /// An error whose type only its giver knows. A verdict on the error itself outweighs this one.
    pub(crate) fn boxed(error: BoxError, error_type: &'static str, verdict: Option<Verdict>) -> Self {
        let failure = Self { error, error_type, verdict: None };
        let verdict = failure.verdict().or(verdict);
        Self { verdict, ..failure }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no card")]
    struct NoCard;

    #[derive(Debug, thiserror::Error)]
    #[error("not paid")]
    struct NotPaid(#[source] BoxError);

    /// Takes any error in, and shows what is behind it but not the error itself: `anyhow::Error`.
    struct Anyhow(BoxError);

    #[derive(Debug)]
    struct Hidden(BoxError);

    impl<E: StdError + Send + Sync + 'static> From<E> for Anyhow {
        fn from(error: E) -> Self {
            Self(error.into())
        }
    }

    impl From<Anyhow> for BoxError {
        fn from(wrapper: Anyhow) -> Self {
            Box::new(Hidden(wrapper.0))
        }
    }

    impl fmt::Display for Hidden {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    impl StdError for Hidden {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.0.source()
        }
    }

    const LATER: Duration = Duration::from_secs(7);

    fn permanent() -> Result<(), Marked> {
        Err(NoCard).permanent()
    }

    fn later() -> Result<(), Marked> {
        Err(NoCard).retry_after(LATER)
    }

    fn discard() -> Result<(), Discard> {
        Err(Discard::new(NoCard))
    }

    fn verdict<E: Into<Failure>>(result: Result<(), E>) -> Option<Verdict> {
        result.map_err(Into::into).unwrap_err().verdict()
    }

    #[test]
    fn a_verdict_is_found_however_deep_it_is() {
        fn around(error: impl Into<BoxError>) -> Option<Verdict> {
            let twice = NotPaid(Box::new(NotPaid(error.into())));
            Failure::from(twice).verdict()
        }
        let [permanent, later, discard]: [BoxError; 3] =
            [permanent().unwrap_err().into(), later().unwrap_err().into(), discard().unwrap_err().into()];
        assert_eq!([around(permanent), around(later), around(discard)], VERDICTS);
        assert_eq!(around(NoCard), None);
    }

    #[test]
    fn a_verdict_is_found_on_the_error_itself_also_in_a_box() {
        assert_eq!([verdict(permanent()), verdict(later()), verdict(discard())], VERDICTS);
        let boxed = |error: BoxError| Failure::from(error).verdict();
        let boxes = [permanent().unwrap_err().into(), later().unwrap_err().into(), discard().unwrap_err().into()];
        assert_eq!(boxes.map(boxed), VERDICTS);
    }

    const VERDICTS: [Option<Verdict>; 3] =
        [Some(Verdict::Permanent), Some(Verdict::RetryAfter(LATER)), Some(Verdict::Discard)];

    #[test]
    fn a_verdict_is_found_in_an_error_that_hides_its_head() {
        fn wrap<E: StdError + Send + Sync + 'static>(result: Result<(), E>) -> Result<(), Anyhow> {
            result?;
            Ok(())
        }
        assert_eq!([verdict(wrap(permanent())), verdict(wrap(later())), verdict(wrap(discard()))], VERDICTS);
        assert_eq!(verdict(wrap(Err(NoCard)).permanent()), Some(Verdict::Permanent));
        assert_eq!(verdict(wrap(wrap(permanent()).retry_after(LATER))), Some(Verdict::RetryAfter(LATER)));
    }

    #[test]
    fn of_several_verdicts_the_outermost_counts() {
        assert_eq!(verdict(permanent().retry_after(LATER)), Some(Verdict::RetryAfter(LATER)));
        assert_eq!(verdict(later().permanent()), Some(Verdict::Permanent));
        assert_eq!(verdict(permanent().map_err(Discard::new)), Some(Verdict::Discard));
        assert_eq!(verdict(discard().map_err(|error| NotPaid(error.into())).permanent()), Some(Verdict::Permanent));
        let inside = |error: Marked| Marked::new(NotPaid(error.into()).into());
        assert_eq!(verdict(later().map_err(inside)), Some(Verdict::RetryAfter(LATER)));
        assert_eq!(Failure::discard(Failure::permanent("no")).verdict(), Some(Verdict::Discard));
        assert_eq!(Failure::retry_after(permanent().unwrap_err(), LATER).verdict(), Some(Verdict::RetryAfter(LATER)));
        assert_eq!(Failure::from("no").verdict(), None);
    }

    #[test]
    fn a_marked_error_is_told_of_as_if_it_were_not_marked() {
        let plain = Failure::from(NoCard);
        let nested = permanent().permanent().retry_after(LATER).map_err(Failure::permanent);
        for failure in [permanent().unwrap_err().into(), Failure::discard(NoCard), nested.unwrap_err()] {
            let failure: Failure = failure;
            assert!(failure.error().is::<NoCard>(), "{failure:?}");
            assert_eq!((failure.chain(), failure.error_type()), (plain.chain(), plain.error_type()));
        }
        let of = |source: BoxError| crate::fault::ExceptionInfo::of(&NotPaid(source).into());
        assert_eq!(of(later().permanent().unwrap_err().into()), of(NoCard.into()));
        assert_eq!(Failure::from(NotPaid(permanent().unwrap_err().into())).chain(), "not paid: no card");
    }

    #[test]
    fn a_failure_keeps_its_error_when_it_is_marked() {
        let failed: Result<(), Failure> = Err(NoCard.into());
        let failure = failed.permanent().retry_after(LATER).unwrap_err();
        assert_eq!((failure.error().is::<NoCard>(), failure.verdict()), (true, Some(Verdict::RetryAfter(LATER))));
    }

    #[test]
    fn an_outage_is_found_behind_a_verdict() {
        let outage =
            || {
                crate::Error::of_outcome(crate::transport::PublishOutcome::NotSent("no broker".into()), || {
                    crate::Posted { message_type: String::new(), message_id: uuid::Uuid::nil(), address: String::new() }
                })
            };
        let deep = outage().permanent().map_err(|error| NotPaid(error.into())).permanent();
        let failures = [
            outage().permanent().map_err(Failure::from),
            outage().map_err(Failure::discard),
            deep.map_err(Failure::from),
        ];
        for failure in failures.map(Result::unwrap_err) {
            assert!(failure.is_infrastructure(), "{failure:?}");
        }
    }
}
