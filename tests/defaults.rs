//! `docs/defaults.md` says what the code says. The constants are private, beside what they are for, so what is compared
//! is their text.

use std::{fs, path::Path};

/// A row of the page, its default, and the place and text of the code that makes it so.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("prefetch", "32, or twice", "bus-core/src/bus/endpoint_checks.rs", "(2 * processors).max(32)"),
    (
        "prefetch",
        "1.2 times that",
        "bus-core/src/bus/endpoint_checks.rs",
        "concurrency.saturating_add(concurrency.div_ceil(5))",
    ),
    (
        "concurrency",
        "the prefetch",
        "bus-core/src/bus/endpoint_checks.rs",
        "(Some(prefetch), None) => (prefetch, prefetch)",
    ),
    ("retry", "none", "bus-core/src/bus/endpoint.rs", "retry: Setting::usual(Retry::none()),"),
    ("redelivery", "none", "bus-core/src/bus/endpoint.rs", "redeliver: Setting::usual(Vec::new()),"),
    (
        "longest delay of a redelivery",
        "366 days",
        "bus-core/src/endpoint/redelivery.rs",
        "LONGEST: Duration = Duration::from_secs(366 * 86_400);",
    ),
    ("timeout of an attempt", "none", "bus-core/src/bus/endpoint.rs", "timeout: Setting::usual(None),"),
    ("outbox", "off", "bus-core/src/bus/endpoint.rs", "outbox: Setting::usual(Outbox::Off),"),
    ("messages of an attempt with an outbox", "10000", "bus-core/src/consumer/context.rs", "OUTBOX: usize = 10_000;"),
    ("largest body that is read", "64 MiB", "bus-core/src/bus/endpoint.rs", "MAX_BODY: usize = 64 << 20;"),
    ("starts until a message is handled alone", "2", "bus-core/src/endpoint/turn.rs", "ALONE: u32 = 2;"),
    ("starts until `_error`", "5", "bus-core/src/endpoint/starts.rs", "LIMIT: u32 = 5;"),
    (
        "times that the broker did not wait for a handler until `_error`",
        "5",
        "bus-core/src/endpoint/starts.rs",
        "LIMIT: u32 = 5;",
    ),
    (
        "all places taken by handlers of a lost subscription, until health says so",
        "5 min",
        "bus-core/src/endpoint/status.rs",
        "TAKEN: Duration = Duration::from_secs(300);",
    ),
    ("pause while a message is held", "50 ms", "bus-core/src/endpoint/hold.rs", "Duration::from_millis(50)"),
    ("pause while a message is held", "to 1 s", "bus-core/src/endpoint/hold.rs", ".min(Duration::from_secs(1))"),
    ("dead letters that are listed", "100 of", "bus-core/src/bus/dead_letters.rs", "SHOWN: usize = 100;"),
    ("deadline of a start", "30 s", "bus-core/src/bus/timeouts.rs", "Setting::usual(Duration::from_secs(30))"),
    (
        "the same after a round that failed",
        "1 s without",
        "bus-core/src/bus/rounds.rs",
        "AWAY: Duration = Duration::from_secs(1);",
    ),
    (
        "the same after a round that failed",
        "else 10 s",
        "bus-core/src/bus/rounds.rs",
        "REFUSED: Duration = Duration::from_secs(10);",
    ),
    (
        "asking whether a connection answers, while nothing is confirmed",
        "after 5 s",
        "bus-rabbitmq/src/publish/worker.rs",
        "SILENCE: Duration = Duration::from_secs(5);",
    ),
    (
        "its answer, and that of a new channel",
        "10 s",
        "bus-rabbitmq/src/publish/channel.rs",
        "ANSWER: Duration = Duration::from_secs(10);",
    ),
    (
        "asking whether messages lie ready, while none comes",
        "60 s",
        "bus-rabbitmq/src/receive/watchdog.rs",
        "LOOK: Duration = Duration::from_secs(60);",
    ),
    (
        "deadline of a stop",
        "30 s",
        "bus-core/src/bus/timeouts.rs",
        "Self { start: usual(), stop: usual(), send: usual(), ",
    ),
    (
        "deadline of a send",
        "30 s",
        "bus-core/src/bus/timeouts.rs",
        "Self { start: usual(), stop: usual(), send: usual(), ",
    ),
    (
        "last settlements, after that deadline",
        "1 s",
        "bus-core/src/bus/lifecycle.rs",
        "GRACE: Duration = Duration::from_secs(1);",
    ),
    (
        "last settlements, after that deadline",
        "1 s",
        "bus-core/src/endpoint/pump.rs",
        "GRACE: Duration = Duration::from_secs(1);",
    ),
    (
        "declaring the topology again",
        "60 s",
        "bus-core/src/bus/timeouts.rs",
        "ROUND: Duration = Duration::from_secs(60);",
    ),
    (
        "messages without a confirm",
        "1000",
        "bus-core/src/transport/window.rs",
        "Self { messages: 1000, bytes: 64 << 20 }",
    ),
    (
        "bytes without a confirm",
        "64 MiB",
        "bus-core/src/transport/window.rs",
        "Self { messages: 1000, bytes: 64 << 20 }",
    ),
    ("part of both that is reserved for handlers", "1/10", "bus-core/src/transport/window.rs", "RESERVED: usize = 10;"),
    ("nesting of a body", "64 levels", "bus-core/src/envelope/depth.rs", "DEPTH: usize = 64;"),
    ("text of an error in a fault", "2048", "bus-core/src/fault/exception.rs", "LIMIT: usize = 2048;"),
    ("how many", "100000", "bus-core/src/persistence/memory/inbox.rs", "capacity: 100_000,"),
    ("how long", "30 min", "bus-core/src/persistence/memory/inbox.rs", "window: Duration::from_secs(30 * 60),"),
    ("heartbeat", "10 s", "bus-rabbitmq/src/settings/mod.rs", "HEARTBEAT: u16 = 10;"),
    (
        "time of one attempt to connect",
        "10 s",
        "bus-rabbitmq/src/link/supervisor.rs",
        "ATTEMPT: Duration = Duration::from_secs(10);",
    ),
    (
        "time of one attempt to connect",
        "several hosts 5 s",
        "bus-rabbitmq/src/link/supervisor.rs",
        "ATTEMPT_OF_SEVERAL: Duration = Duration::from_secs(5);",
    ),
    (
        "answer of a credentials callback",
        "10 s",
        "bus-rabbitmq/src/credentials.rs",
        "ANSWER: Duration = Duration::from_secs(10);",
    ),
    (
        "pause before connecting again",
        "50 ms",
        "bus-rabbitmq/src/link/backoff.rs",
        "FIRST: Duration = Duration::from_millis(50);",
    ),
    (
        "pause before connecting again",
        "to 1 s",
        "bus-rabbitmq/src/link/backoff.rs",
        "LONGEST: Duration = Duration::from_secs(1);",
    ),
    ("pause before connecting again", "up to half", "bus-rabbitmq/src/link/backoff.rs", "pause - pause / 2 * "),
    (
        "the same after refused credentials",
        "10 s",
        "bus-rabbitmq/src/link/state.rs",
        "SLOW: Duration = Duration::from_secs(10);",
    ),
    (
        "acknowledgements in one frame",
        "half the prefetch",
        "bus-rabbitmq/src/receive/ack_book.rs",
        "(prefetch / 2).max(1)",
    ),
    (
        "acknowledgements in one frame",
        "5 ms",
        "bus-rabbitmq/src/receive/ack_book.rs",
        "PATIENCE: Duration = Duration::from_millis(5);",
    ),
    ("declaring everything", "30 s", "bus-rabbitmq/src/topology/mod.rs", "APPLY: Duration = Duration::from_secs(30);"),
    ("looking at dead letters", "30 s", "bus-rabbitmq/src/browse.rs", "LOOKING: Duration = Duration::from_secs(30);"),
    (
        "deliveries that a queue which counts them is supposed to allow",
        "20",
        "bus-rabbitmq/src/topology/delivery_limit.rs",
        "USUAL: u32 = 20;",
    ),
    (
        "deliveries after which a look replaces a message by its copy",
        "10",
        "bus-rabbitmq/src/browse.rs",
        "LOOKED_AT: u32 = 10;",
    ),
    ("all headers of a message", "120 KiB", "bus-rabbitmq/src/encode.rs", "HEADERS: usize = 120 * 1024;"),
    (
        "connections that a message ends alone until it is refused",
        "3",
        "bus-rabbitmq/src/publish/landing.rs",
        "ENDED: u32 = 3;",
    ),
    ("nesting of headers", "16 levels", "bus-rabbitmq/src/headers.rs", "DEEPEST: usize = 16;"),
    (
        "patience of the harness",
        "30 s",
        "bus-core/src/testing/harness.rs",
        "PATIENCE: Duration = Duration::from_secs(30);",
    ),
];

/// The rows of the page: what, and its default. Headings have none.
fn page() -> Vec<(String, String)> {
    let cells = |line: &str| -> Option<(String, String)> {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
    };
    let rows = include_str!("../docs/defaults.md").lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    rows.filter(|line| !line.starts_with("| **")).filter_map(cells).collect()
}

#[test]
fn the_page_of_defaults_says_what_the_code_says() {
    let page = page();
    for (what, default, path, text) in ROWS {
        let row = page.iter().find(|(known, _)| known == what);
        let (_, said) = row.unwrap_or_else(|| panic!("docs/defaults.md has no row `{what}`"));
        assert!(said.contains(default), "docs/defaults.md says `{said}` of `{what}`, and `{default}` is true");
        let code =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the workspace");
        assert!(
            code.contains(text),
            "{path} has no `{text}` any more: say the new default of `{what}` in docs/defaults.md"
        );
    }
}

#[test]
fn every_number_on_the_page_of_defaults_is_compared() {
    for (what, default) in page() {
        let compared = ROWS.iter().any(|(known, ..)| *known == what);
        assert!(compared || !default.contains(|c: char| c.is_ascii_digit()), "nobody compares `{what}`: `{default}`");
    }
}
