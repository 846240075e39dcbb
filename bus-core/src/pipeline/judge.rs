use std::{error::Error, time::Duration};

use super::Policy;
use crate::{
    clock::Clock,
    consumer::{DecodeError, Failure, Verdict},
};

impl Policy {
    /// What is to happen after a failure: the first that says something decides, as [`Failure`] has it. Runs
    /// the user's classifiers and predicates.
    pub(super) fn judge(&self, failure: &Failure) -> Verdict {
        if let Some(said) = failure.verdict() {
            return said;
        }
        let verdict = self.classifiers.verdict(failure).unwrap_or_else(|| {
            // The same payload is as little of that type the next time.
            let undecodable = failure.links().any(<dyn Error>::is::<DecodeError>);
            if undecodable { Verdict::Permanent } else { Verdict::Retry }
        });
        if verdict == Verdict::Retry && !self.retry.takes(failure) { Verdict::Permanent } else { verdict }
    }

    /// The same after a panic.
    pub(super) fn judge_panic(&self) -> Verdict {
        if self.retry.takes_panics() { Verdict::Retry } else { Verdict::Permanent }
    }

    /// How long the next attempt waits, after `retries` retries; `None` if there is none.
    pub(super) fn pause(&self, verdict: Verdict, retries: u32, clock: &Clock) -> Option<Duration> {
        match verdict {
            Verdict::Retry => self.retry.pause(retries, clock.chance()),
            Verdict::RetryAfter(pause) => (retries < self.retry.limit()).then_some(pause),
            Verdict::Permanent | Verdict::Discard => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Error as Unformatted;

    use super::*;
    use crate::{
        Retry,
        consumer::{Discard, ResultExt},
        pipeline::Classifiers,
    };

    /// Not found, or one of those.
    #[derive(Debug, thiserror::Error)]
    #[error("order {number}")]
    struct Order {
        number: u32,
        source: Option<Unformatted>,
    }

    const SECOND: Duration = Duration::from_secs(1);
    const LATER: Verdict = Verdict::RetryAfter(SECOND);

    fn order(number: u32) -> Failure {
        Order { number, source: None }.into()
    }

    /// An error of two types.
    fn both() -> Failure {
        Order { number: 1, source: Some(Unformatted) }.into()
    }

    fn policy(retry: Retry) -> Policy {
        Policy { retry, ..Policy::default() }
    }

    fn undecodable() -> Failure {
        let source = serde_json::from_str::<u8>("no number").unwrap_err();
        DecodeError::of::<crate::fault::Fault<Nothing>>(source).into()
    }

    #[derive(serde::Serialize, serde::Deserialize, crate::Message)]
    #[message(namespace = "Bus.Tests")]
    struct Nothing {}

    #[test]
    fn a_filter_finds_errors_of_its_type_at_any_depth() {
        let judged =
            |retry: Retry| [order(1), both(), "a text".into()].map(|failure| policy(retry.clone()).judge(&failure));
        let (yes, no) = (Verdict::Retry, Verdict::Permanent);
        assert_eq!(judged(Retry::none()), [yes, yes, yes]);
        assert_eq!(judged(Retry::none().unless::<Unformatted>()), [yes, no, yes]);
        assert_eq!(judged(Retry::none().unless::<Order>()), [no, no, yes]);
        assert_eq!(judged(Retry::none().unless_if::<Order>(|order| order.source.is_none())), [no, yes, yes]);
        assert_eq!(judged(Retry::none().only::<Unformatted>()), [no, yes, no]);
        assert_eq!(judged(Retry::none().only_if(|order: &Order| order.source.is_none())), [yes, no, no]);
        let several = Retry::none().only_if(|order: &Order| order.source.is_none()).only::<Unformatted>();
        assert_eq!(judged(several), [yes, yes, no]);
        let several = Retry::none().unless_if(|order: &Order| order.source.is_none()).unless::<Unformatted>();
        assert_eq!(judged(several), [no, no, yes]);
    }

    #[test]
    fn a_panic_is_none_of_the_only_errors_that_are_retried() {
        assert_eq!(policy(Retry::none()).judge_panic(), Verdict::Retry);
        assert_eq!(policy(Retry::none().unless::<Order>()).judge_panic(), Verdict::Retry);
        assert_eq!(policy(Retry::none().only::<Order>()).judge_panic(), Verdict::Permanent);
    }

    #[test]
    fn the_first_classifier_whose_type_is_found_decides() {
        let mut classifiers = Classifiers::default();
        classifiers.add(|_: &std::io::Error| Verdict::Permanent);
        classifiers.add(|_: &Unformatted| Verdict::Discard);
        classifiers.add(|order: &Order| if order.number == 1 { LATER } else { Verdict::Retry });
        classifiers.add(|_: &Order| Verdict::Discard);
        let policy = Policy { classifiers, retry: Retry::none().unless::<Order>(), ..Policy::default() };
        assert_eq!(policy.judge(&both()), Verdict::Discard);
        assert_eq!(policy.judge(&order(1)), LATER);
        assert_eq!(policy.judge(&order(2)), Verdict::Permanent, "the policy is asked, and its filter says no");
        assert_eq!(policy.judge(&"a text".into()), Verdict::Retry);
    }

    #[test]
    fn a_verdict_on_the_error_outweighs_classifiers_and_filters() {
        let mut classifiers = Classifiers::default();
        classifiers.add(|_: &Order| -> Verdict { panic!("is not asked") });
        let retry = Retry::none().only_if(|_: &Order| panic!("is not asked"));
        let policy = Policy { classifiers, retry, ..Policy::default() };
        let said = |result: Result<(), Failure>| policy.judge(&result.unwrap_err());
        assert_eq!(said(Err(order(1)).permanent()), Verdict::Permanent);
        assert_eq!(said(Err(order(1)).retry_after(SECOND)), LATER);
        assert_eq!(said(Err(Discard::new(order(1)).into())), Verdict::Discard);
    }

    #[test]
    fn what_does_not_decode_is_permanent_unless_it_is_classified() {
        let mut policy = policy(Retry::immediate(3).only::<DecodeError>());
        assert_eq!(policy.judge(&undecodable()), Verdict::Permanent);
        policy.classifiers.add(|_: &DecodeError| Verdict::Discard);
        assert_eq!(policy.judge(&undecodable()), Verdict::Discard);
    }

    #[test]
    fn a_pause_that_was_asked_for_replaces_the_policys_and_keeps_its_limit() {
        let policy = policy(Retry::interval(2, SECOND));
        let pauses = |verdict| [0, 1, 2].map(|retries| policy.pause(verdict, retries, &Clock::manual(1)));
        assert_eq!(pauses(Verdict::Retry), [Some(SECOND), Some(SECOND), None]);
        let longest = Some(Duration::MAX);
        assert_eq!(pauses(Verdict::RetryAfter(Duration::MAX)), [longest, longest, None]);
        assert_eq!(pauses(Verdict::Permanent), [None; 3]);
        assert_eq!(Policy::default().pause(LATER, 0, &Clock::manual(1)), None);
    }
}
