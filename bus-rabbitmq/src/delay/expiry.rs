use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bus_core::{
    clock::Clock,
    envelope::{HeaderValue, Headers},
};

/// The header with the end of a delayed message's time to live, in milliseconds since 1970: a level would apply the
/// property `expiration` itself, and lose it.
const EXPIRES: &str = "Bus-Expires-At";

/// The header of a message that is delayed now, and lives for that long afterwards. None if no clock reaches that.
pub(crate) fn expires_at(delay: Duration, time_to_live: Duration, clock: &Clock) -> Option<(&'static str, i64)> {
    let end = clock.wall().checked_add(delay)?.checked_add(time_to_live)?;
    Some((EXPIRES, milliseconds(end)))
}

/// Takes the header out of a message that arrived: whether its time is over.
pub(crate) fn take_expiry(headers: &mut Headers, clock: &Clock) -> bool {
    let Some(end) = headers.get(EXPIRES) else { return false };
    let over = matches!(end, HeaderValue::Int64(end) if *end <= milliseconds(clock.wall()));
    headers.remove_if(|name| name.eq_ignore_ascii_case(EXPIRES));
    over
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_time_to_live_begins_when_the_delay_is_over_and_the_header_is_for_this_trip_alone() {
        let clock = Clock::manual(1);
        let arrived = |after: Duration| {
            let (name, end) = expires_at(3 * SECOND, SECOND, &clock).unwrap();
            let mut headers: Headers = [(name, HeaderValue::from(end)), ("mine", "kept".into())].into_iter().collect();
            clock.advance_to(clock.after(after));
            (take_expiry(&mut headers, &clock), headers.len())
        };
        assert_eq!(arrived(4 * SECOND - Duration::from_millis(1)), (false, 1));
        assert_eq!(arrived(4 * SECOND), (true, 1));
        assert_eq!(expires_at(SECOND, Duration::MAX, &clock), None);
    }
}
