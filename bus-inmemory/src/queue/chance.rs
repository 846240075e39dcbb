/// Chance that follows from a seed: SplitMix64, small and good enough to shuffle.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// Each queue has its own, whatever the order in which they are made or used.
    pub(super) fn new(seed: u64, queue: &str) -> Self {
        // FNV-1a, since the standard hash may be another one tomorrow.
        let hash = queue
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
        Self(seed ^ hash)
    }

    /// A number below `limit`, which is not zero.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        // The bias of a remainder is far below what anybody could see with so many bits.
        (self.next() % limit as u64) as usize
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throws(seed: u64, queue: &str) -> Vec<usize> {
        let mut chance = Chance::new(seed, queue);
        (0..600).map(|_| chance.below(6)).collect()
    }

    #[test]
    fn it_follows_from_the_seed_and_the_queue() {
        assert_eq!(throws(1, "a"), throws(1, "a"));
        assert_ne!(throws(1, "a"), throws(2, "a"));
        assert_ne!(throws(1, "a"), throws(1, "b"));
    }

    #[test]
    fn every_number_comes_up_about_as_often() {
        let throws = throws(1, "a");
        for face in 0..6 {
            let times = throws.iter().filter(|throw| **throw == face).count();
            assert!((70..130).contains(&times), "{face}: {times}");
        }
    }
}
