use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// How long to wait before trying the `attempt`th time again (the first is 0): doubles from 50 ms to 1 s,
/// shortened by up to half at random, so that a fleet does not come back in step.
pub(crate) fn pause(attempt: u32) -> Duration {
    jittered(FIRST.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(LONGEST), random())
}

fn jittered(pause: Duration, random: u8) -> Duration {
    pause - pause / 2 * u32::from(random) / u32::from(u8::MAX)
}

fn random() -> u8 {
    uuid::Uuid::new_v4().as_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_stop_growing_at_a_second() {
        for (attempt, longest) in [(0, 50), (1, 100), (4, 800), (5, 1000), (31, 1000), (4000, 1000)] {
            let longest = Duration::from_millis(longest);
            let drawn = pause(attempt);
            assert!(drawn <= longest && drawn >= longest / 2, "{attempt}: {drawn:?}");
        }
        assert_eq!(jittered(LONGEST, 0), LONGEST);
        assert_eq!(jittered(LONGEST, 255), LONGEST / 2);
    }
}
