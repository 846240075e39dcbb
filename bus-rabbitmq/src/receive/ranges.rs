use std::collections::BTreeMap;

/// A set of numbers that come mostly in runs: one slow delivery must not make the list of all that overtook it
/// grow without bound.
#[derive(Debug, Default)]
pub(crate) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds a number that is not in it.
    pub(crate) fn insert(&mut self, number: u64) {
        let end = self.0.remove(&(number + 1)).unwrap_or(number);
        match self.0.range_mut(..number).next_back() {
            Some((_, before)) if *before + 1 == number => *before = end,
            _ => {
                self.0.insert(number, end);
            }
        }
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, end)| number <= *end)
    }

    /// Takes out the run that begins with `number`, and says where it ends.
    pub(crate) fn take_run(&mut self, number: u64) -> Option<u64> {
        self.0.remove(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_run() {
        let mut ranges = Ranges::default();
        for number in [5, 7, 6, 2, 3] {
            assert!(!ranges.contains(number));
            ranges.insert(number);
        }
        assert_eq!(ranges.0.len(), 2);
        let held = |ranges: &Ranges| (0..10).filter(|n| ranges.contains(*n)).collect::<Vec<_>>();
        assert_eq!(held(&ranges), [2, 3, 5, 6, 7]);
        assert_eq!(ranges.take_run(3), None);
        assert_eq!(ranges.take_run(2), Some(3));
        assert_eq!(held(&ranges), [5, 6, 7]);
    }
}
