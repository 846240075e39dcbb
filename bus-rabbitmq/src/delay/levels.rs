use std::{fmt::Write, time::Duration};

use bus_core::BoxError;

use crate::address::SHORT;

/// How many levels there are: 2^28 seconds are eight and a half years.
pub(super) const LEVELS: u32 = 28;

/// All levels one after the other.
pub(crate) const LONGEST: Duration = Duration::from_secs((1 << LEVELS) - 1);

/// The longest name of a queue: the routing key has a digit and a dot for each level in front of it.
pub(crate) const NAME: usize = SHORT - 2 * LEVELS as usize;

/// Where the last level hands over.
pub(super) const DELIVERY: &str = "bus-delay-delivery";

/// Where a message enters the levels, and with which key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
}

/// The name of a level's exchange and of its queue, which keeps messages for 2^level seconds.
pub(super) fn level(level: u32) -> String {
    format!("bus-delay-level-{level:02}")
}

/// The way of a message that comes to `queue` after `delay`: no earlier, so a part of a second counts as a whole one.
pub(crate) fn route(delay: Duration, queue: &str) -> Result<Route, BoxError> {
    let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0)).max(1);
    if seconds > LONGEST.as_secs() {
        return Err(format!("a delay of {delay:?}: {} s are the longest here", LONGEST.as_secs()).into());
    }
    if queue.len() > NAME {
        return Err(too_long(queue).into());
    }
    let mut routing_key = String::with_capacity(SHORT);
    for bit in (0..LEVELS).rev() {
        // Writing to a string does not fail.
        let _ = write!(routing_key, "{}.", seconds >> bit & 1);
    }
    routing_key.push_str(queue);
    Ok(Route { exchange: level(seconds.ilog2()), routing_key })
}

/// Why delayed messages cannot come to a queue of that name.
pub(crate) fn too_long(queue: &str) -> String {
    format!(
        "its name has {} bytes, and delayed messages are routed by {LEVELS} digits in front of the name: {NAME} are \
         possible",
        queue.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_routed_by_its_binary_digits_and_enters_at_the_highest() {
        let zeros = "0.".repeat(25);
        let check = |delay: Duration, exchange: &str, digits: &str| {
            let expected = Route { exchange: exchange.to_owned(), routing_key: format!("{zeros}{digits}.eu.orders") };
            assert_eq!(route(delay, "eu.orders").unwrap(), expected, "{delay:?}");
        };
        check(Duration::from_secs(5), "bus-delay-level-02", "1.0.1");
        check(Duration::from_secs(2), "bus-delay-level-01", "0.1.0");
        check(Duration::from_millis(2001), "bus-delay-level-01", "0.1.1");
        check(Duration::from_nanos(1), "bus-delay-level-00", "0.0.1");
        let longest = route(LONGEST, "q").unwrap();
        assert_eq!(longest.exchange, "bus-delay-level-27");
        assert_eq!(longest.routing_key, format!("{}q", "1.".repeat(28)));
    }

    #[test]
    fn what_is_too_long_for_the_levels_is_refused() {
        let refused = |delay, queue: &str| route(delay, queue).unwrap_err().to_string();
        assert!(refused(LONGEST + Duration::from_nanos(1), "q").contains("268435455 s are the longest"));
        assert!(route(LONGEST, &"n".repeat(199)).unwrap().routing_key.len() == SHORT);
        assert!(refused(LONGEST, &"n".repeat(200)).contains("200 bytes"));
    }
}
