use std::{fmt::Write, time::Duration};

use super::journal::{Entry, What};
use crate::naming::short_name;

/// Everything that happened, one line each, without ids and dates: the same for each run of a test whose
/// schedule is the same.
pub(super) fn trace(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut time = Duration::ZERO;
    for entry in entries {
        if entry.after > time {
            // Milliseconds are enough to read, and all that a policy is written in.
            let passed = Duration::from_millis(u64::try_from((entry.after - time).as_millis()).unwrap_or(u64::MAX));
            time = entry.after;
            if !passed.is_zero() {
                line(&mut text, format_args!("-- {passed:?} later"));
            }
        }
        write_entry(&mut text, entry);
    }
    text
}

fn write_entry(text: &mut String, entry: &Entry) {
    let who = entry.endpoint.as_deref().unwrap_or("the test");
    let message = entry.message_type.map_or_else(|| "a message".to_owned(), |message_type| named(message_type.urn()));
    let consumer = entry.consumer.as_deref().map(short_name).unwrap_or_default();
    let error = entry.error.as_deref().unwrap_or_default();
    let tries = entry.attempt + 1;
    let address = entry.address.as_deref().unwrap_or_default();
    match entry.what {
        What::Published => line(text, format_args!("{who} publishes {message}")),
        What::Sent => {
            let to = address.split('?').next().unwrap_or_default();
            line(text, format_args!("{who} sends {message} to {}", short(to, '/')));
        }
        What::Consumed if tries == 1 => line(text, format_args!("{who} consumes {message} ({consumer})")),
        What::Consumed => line(text, format_args!("{who} consumes {message} ({consumer}), attempt {tries}")),
        What::Retried => {
            line(text, format_args!("{who} fails {message} ({consumer}), attempt {tries}, and retries: {error}"));
        }
        What::Faulted => {
            line(text, format_args!("{who} fails {message} ({consumer}), attempt {tries}, and gives up: {error}"));
        }
        What::Redelivered => line(text, format_args!("{who} puts a message off, round {}: {error}", entry.attempt)),
        What::Moved => line(text, format_args!("{who} moves a message to {address}: {error}")),
    }
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{what}");
}

/// `Submitted` of `urn:message:Shop:Submitted`, `Fault of Submitted` of a generic one.
fn named(urn: &str) -> String {
    let mut parts = urn.split("[[").map(|part| short(part.trim_end_matches(']'), ':'));
    let outer = parts.next().unwrap_or_default().to_owned();
    parts.fold(outer, |name, part| format!("{name} of {part}"))
}

/// The part behind the last separator.
fn short(text: &str, separator: char) -> &str {
    text.rsplit(separator).next().unwrap_or(text)
}
