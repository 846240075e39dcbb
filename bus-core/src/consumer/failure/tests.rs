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
    let outage = || {
        crate::Error::of_outcome(crate::transport::PublishOutcome::NotSent("no broker".into()), || crate::Posted {
            message_type: String::new(),
            message_id: uuid::Uuid::nil(),
            address: String::new(),
        })
    };
    let deep = outage().permanent().map_err(|error| NotPaid(error.into())).permanent();
    let failures =
        [outage().permanent().map_err(Failure::from), outage().map_err(Failure::discard), deep.map_err(Failure::from)];
    for failure in failures.map(Result::unwrap_err) {
        assert!(failure.is_infrastructure(), "{failure:?}");
    }
}
