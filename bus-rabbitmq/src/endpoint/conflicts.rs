//! Options that the broker would only refuse at start, or that lose what they promise.

use bus_core::{envelope::HeaderValue, naming::check_entity_name};

use super::{EndpointOptions, Lifetime, argument_values::argument_values};
use crate::address::SHORT;

/// The longest time that RabbitMQ takes: 32 bits of milliseconds.
const LONGEST: i64 = u32::MAX as i64;

/// A sentence for each thing that stands against a queue of that name with these options.
pub(crate) fn conflicts(queue: &str, options: &EndpointOptions) -> Vec<String> {
    let mut problems = Vec::new();
    quorum(options, &mut problems);
    argument_values(options, &mut problems);
    numbers(options, &mut problems);
    dead_letters(queue, options, &mut problems);
    for name in options.names().filter(|name| name.is_empty() || name.len() > SHORT) {
        problems.push(format!("an argument's name has 1 to {SHORT} bytes; `{name}` has {}", name.len()));
    }
    problems
}

fn quorum(options: &EndpointOptions, problems: &mut Vec<String>) {
    let has = |name| options.get(name).is_some();
    if !options.is_quorum() {
        if has("x-quorum-initial-group-size") {
            problems.push("`quorum_group_size` is for quorum queues: add `.quorum()`, or leave it out".to_owned());
        }
        return;
    }
    if has("x-max-priority") {
        problems.push("a quorum queue has no `max_priority`: leave one of them out".to_owned());
    }
    if has("x-queue-mode") {
        problems.push("a quorum queue is never `lazy`, it keeps its messages on disk: leave `lazy` out".to_owned());
    }
    if options.lifetime != Lifetime::Durable {
        problems
            .push("a quorum queue is durable and shared, so it cannot be temporary: leave one of them out".to_owned());
    }
}

fn numbers(options: &EndpointOptions, problems: &mut Vec<String>) {
    for (name, option, least, most) in [
        ("x-quorum-initial-group-size", "quorum_group_size", 1, i64::MAX),
        ("x-max-priority", "max_priority", 1, 255),
        ("x-max-length", "max_length", 0, i64::MAX),
        ("x-max-length-bytes", "x-max-length-bytes", 0, i64::MAX),
        ("x-expires", "expires", 1, LONGEST),
        ("x-message-ttl", "message_ttl", 0, LONGEST),
        ("x-consumer-timeout", "consumer_timeout", 1, LONGEST),
    ] {
        let value = match options.get(name) {
            Some(HeaderValue::Int32(value)) => i64::from(*value),
            Some(HeaderValue::Int64(value)) => *value,
            _ => continue,
        };
        if value < least {
            problems.push(format!("`{option}` is {value}, and at least {least} is needed"));
        }
        if value > most {
            problems.push(format!("`{option}` is {value}, and RabbitMQ takes at most {most}"));
        }
    }
}

fn dead_letters(queue: &str, options: &EndpointOptions, problems: &mut Vec<String>) {
    for (exchange, behind) in &options.dead_letters {
        for (what, name) in [("exchange", Some(exchange)), ("queue", behind.as_ref())] {
            let Some(name) = name else { continue };
            if let Err(reason) = check_entity_name(name) {
                problems.push(format!("the dead-letter {what} cannot be named `{name}`: {reason}"));
            }
            if **name == *queue {
                problems.push(format!("the dead-letter {what} has the name of the endpoint: messages would go round"));
            }
        }
    }
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
    fn what_quorum_queues_cannot_be_is_named() {
        check(&endpoint().quorum().quorum_group_size(3).single_active_consumer(), &[]);
        check(&endpoint().quorum().max_priority(9), &["has no `max_priority`"]);
        check(&endpoint().quorum().lazy(), &["never `lazy`"]);
        check(&endpoint().quorum().temporary(), &["cannot be temporary"]);
        check(&endpoint().expiring_temporary().quorum(), &["cannot be temporary"]);
        check(&endpoint().quorum_group_size(3), &["add `.quorum()`"]);
        check(&endpoint().lazy().max_priority(9).temporary(), &[]);
    }

    #[test]
    fn numbers_that_the_broker_would_refuse_are_named() {
        check(&endpoint().expires(Duration::ZERO), &["`expires` is 0, and at least 1"]);
        check(&endpoint().message_ttl(Duration::ZERO), &[]);
        check(&endpoint().message_ttl(Duration::MAX), &["at most 4294967295"]);
        check(
            &endpoint().max_priority(0).quorum_group_size(0).quorum(),
            &["has no", "group_size` is 0", "priority` is 0"],
        );
    }

    #[test]
    fn names_that_cannot_be_are_named() {
        check(&endpoint().dead_letter_queue("x", "y"), &[]);
        check(&endpoint().dead_letter_queue("q", "a b"), &["messages would go round", "cannot be named `a b`"]);
        check(&endpoint().argument("n".repeat(256), 1), &["has 256"]);
    }
}
