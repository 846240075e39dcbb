//! Options that cannot be, or that lose what they promise.

use bus_core::naming::check_entity_name;

use super::EndpointOptions;

/// A sentence for each thing that stands against a queue of that name with these options.
pub(crate) fn conflicts(queue: &str, options: &EndpointOptions) -> Vec<String> {
    let mut problems = Vec::new();
    let mut zero = |is_zero, problem: &str| {
        if is_zero {
            problems.push(format!("{problem}: leave it out, or write more"));
        }
    };
    zero(options.lease.is_some_and(|length| length.is_zero()), "`lease` is zero, so a delivery would belong to nobody");
    zero(options.time_to_live.is_some_and(|time| time.is_zero()), "`time_to_live` is zero, so nothing would arrive");
    zero(options.max_length == Some(0), "`max_length` is zero, so nothing could be sent there");
    if let Some(name) = &options.dead_letter {
        if let Err(reason) = check_entity_name(name) {
            problems.push(format!("the dead-letter queue cannot be named `{name}`: {reason}"));
        }
        if **name == *queue {
            problems.push("the dead-letter queue is the queue itself: messages would go round".to_owned());
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::endpoint, *};

    #[track_caller]
    fn check(options: &EndpointOptions, expected: &[&str]) {
        let problems = conflicts("q", options);
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        check(&endpoint(), &[]);
        check(&endpoint().lanes().lease(Duration::from_nanos(1)), &[]);
        check(&endpoint().dead_letter("x").time_to_live(Duration::from_nanos(1)).max_length(1), &[]);
        check(
            &endpoint().lease(Duration::ZERO).time_to_live(Duration::ZERO).max_length(0),
            &["`lease` is zero", "`time_to_live` is zero", "`max_length` is zero"],
        );
        check(&endpoint().dead_letter("q"), &["messages would go round"]);
        check(&endpoint().dead_letter("a b"), &["cannot be named `a b`: it has ` `"]);
        check(&endpoint().dead_letter(""), &["cannot be named ``: it is empty"]);
    }
}
