//! Queue arguments whose meaning is known, and what RabbitMQ takes for them. It refuses others only when the queue is
//! declared; what it does not know it ignores.

use bus_core::envelope::HeaderValue;

use super::EndpointOptions;

const NUMBERS: [&str; 8] = [
    "x-consumer-timeout",
    "x-delivery-limit",
    "x-expires",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-priority",
    "x-message-ttl",
    "x-quorum-initial-group-size",
];
const TEXTS: [&str; 5] = [
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-dead-letter-strategy",
    "x-queue-leader-locator",
    "x-queue-master-locator",
];
/// What is one of a few texts.
const CHOICES: [(&str, &[&str]); 3] = [
    // A stream keeps what was acknowledged, and gives it out again at the next start.
    ("x-queue-type", &["classic", "quorum"]),
    ("x-queue-mode", &["default", "lazy"]),
    ("x-overflow", &["drop-head", "reject-publish", "reject-publish-dlx"]),
];

/// A sentence for each argument that cannot have its value, or not beside the others.
pub(super) fn argument_values(options: &EndpointOptions, problems: &mut Vec<String>) {
    for name in options.names() {
        let Some(value) = options.get(name) else { continue };
        let choice = CHOICES.iter().find(|(known, _)| *known == name);
        let wanted = match value {
            HeaderValue::Text(text) => match choice {
                Some((_, possible)) if !possible.contains(&&**text) => one_of(possible),
                _ if NUMBERS.contains(&name) => "a whole number".to_owned(),
                _ if name == SINGLE_ACTIVE => "true or false".to_owned(),
                _ => continue,
            },
            _ if choice.is_some() || TEXTS.contains(&name) => "a text".to_owned(),
            _ if NUMBERS.contains(&name) && !is_whole(value) => "a whole number".to_owned(),
            _ if name == SINGLE_ACTIVE && !matches!(value, HeaderValue::Bool(_)) => "true or false".to_owned(),
            _ => continue,
        };
        problems.push(format!("the argument `{name}` of an endpoint is {wanted}, and here it is `{}`", shown(value)));
    }
    if options.is_quorum() && options.get("x-overflow") == Some(&"reject-publish-dlx".into()) {
        problems.push("a quorum queue knows no `reject-publish-dlx`: write `reject-publish` or `drop-head`".to_owned());
    }
    let exchange = options.get("x-dead-letter-exchange");
    for name in ["x-dead-letter-routing-key", "x-dead-letter-strategy"] {
        if options.get(name).is_some() && exchange.is_none() {
            problems.push(format!("the argument `{name}` needs a dead-letter exchange: add `.dead_letter_to(..)`"));
        }
    }
    for (declared, _) in &options.dead_letters {
        if exchange != Some(&declared.to_string().into()) {
            problems.push(format!(
                "its dead letters are to go to `{declared}`, and by the argument `x-dead-letter-exchange` elsewhere: leave \
                 one of them out"
            ));
        }
    }
}

const SINGLE_ACTIVE: &str = "x-single-active-consumer";

fn is_whole(value: &HeaderValue) -> bool {
    use HeaderValue::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32};
    matches!(value, Int8(_) | Int16(_) | Int32(_) | Int64(_) | UInt8(_) | UInt16(_) | UInt32(_))
}

fn one_of(possible: &[&str]) -> String {
    let quoted: Vec<_> = possible.iter().map(|one| format!("`{one}`")).collect();
    format!("one of {}", quoted.join(", "))
}

/// An argument's value as people write it.
pub(super) fn shown(value: &HeaderValue) -> String {
    match value {
        HeaderValue::Text(text) => text.to_string(),
        HeaderValue::Bool(value) => value.to_string(),
        HeaderValue::Int32(value) => value.to_string(),
        HeaderValue::Int64(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::endpoint, *};

    #[track_caller]
    fn check(options: &EndpointOptions, expected: &[&str]) {
        let mut problems = Vec::new();
        argument_values(options, &mut problems);
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn values_that_the_broker_would_refuse_are_named() {
        check(&endpoint().argument("x-own", 1.5).argument("x-max-length", 3).quorum().lazy(), &[]);
        check(&endpoint().argument("x-queue-type", "stream"), &["one of `classic`, `quorum`, and here it is `stream`"]);
        check(&endpoint().argument("x-max-length", "ten"), &["a whole number, and here it is `ten`"]);
        check(&endpoint().argument("x-expires", 1.5), &["a whole number"]);
        check(&endpoint().argument("x-overflow", 1), &["a text, and here it is `1`"]);
        check(&endpoint().argument("x-single-active-consumer", "yes"), &["true or false"]);
    }

    #[test]
    fn arguments_that_exclude_or_need_each_other_are_named() {
        check(&endpoint().argument("x-overflow", "reject-publish-dlx"), &[]);
        check(&endpoint().quorum().argument("x-overflow", "reject-publish-dlx"), &["knows no `reject-publish-dlx`"]);
        check(&endpoint().argument("x-dead-letter-routing-key", "k"), &["needs a dead-letter exchange"]);
        check(&endpoint().dead_letter_to("x").argument("x-dead-letter-routing-key", "k"), &[]);
        check(&endpoint().dead_letter_to("x").argument("x-dead-letter-exchange", "y"), &["are to go to `x`"]);
    }
}
