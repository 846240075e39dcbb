//! Options that cannot be, or that lose what they promise.

use super::EndpointOptions;

/// A sentence for each thing that stands against a queue with these options.
pub(crate) fn conflicts(options: &EndpointOptions) -> Vec<String> {
    let mut problems = Vec::new();
    if options.lease.is_some_and(|length| length.is_zero()) {
        problems.push("`lease` is zero, so a delivery would belong to nobody: leave it out, or write more".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::endpoint, *};

    #[track_caller]
    fn check(options: &EndpointOptions, expected: &[&str]) {
        let problems = conflicts(options);
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        check(&endpoint(), &[]);
        check(&endpoint().lanes().lease(Duration::from_nanos(1)), &[]);
        check(&endpoint().lease(Duration::ZERO), &["`lease` is zero"]);
    }
}
