use std::ops::RangeInclusive;

use bus_core::clock::Clock;

/// Chance that follows from a seed: that of a clock which never goes.
#[derive(Debug)]
pub(crate) struct Dice(Clock);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Clock::manual(seed))
    }

    /// Dice for one subject, the same whenever they are asked for.
    pub(crate) fn about(seed: u64, subject: &str) -> Self {
        // FNV-1a, since the standard hash may be another one tomorrow.
        let hash = subject
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
        Self::new(seed ^ hash)
    }

    /// A number below `limit`, which is not zero.
    pub(crate) fn below(&self, limit: usize) -> usize {
        ((self.0.chance() * limit as f64) as usize).min(limit - 1)
    }

    pub(crate) fn within(&self, range: RangeInclusive<usize>) -> usize {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    /// Whether it happens, so many times in a thousand.
    pub(crate) fn hits(&self, in_thousand: usize) -> bool {
        self.below(1000) < in_thousand
    }

    pub(crate) fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
