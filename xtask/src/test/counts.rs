//! Counting tests from what the test runners print.

use std::{fmt, ops::AddAssign};

/// Tests that ran, over all runners.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Counts {
    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`; nothing for every other line.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.trim().strip_prefix("test result: ")?.split([' ', ';']).filter(|w| !w.is_empty());
        let mut before = |name| {
            let mut number = None;
            words.by_ref().find(|word| {
                let found = *word == name;
                if !found {
                    number = word.parse().ok();
                }
                found
            })?;
            number
        };
        Some(Self { passed: before("passed")?, failed: before("failed")? })
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_counted() {
        let check =
            |line: &str, passed, failed| assert_eq!(Counts::parse(line), Some(Counts { passed, failed }), "{line}");
        check(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.05s\n",
            12,
            0,
        );
        check("test result: FAILED. 1 passed; 20 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s", 1, 20);
        check("test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 7 passed; 2 failed; 0 ignored", 7, 2);
    }

    #[test]
    fn other_lines_are_not() {
        for line in [
            "",
            "test a ... ok",
            "running 3 tests",
            "test result: unknown",
            "it said test result: ok. 1 passed; 0 failed",
        ] {
            assert_eq!(Counts::parse(line), None, "{line}");
        }
    }

    #[test]
    fn runners_add_up_to_the_total_line() {
        let mut total = Counts { passed: 2, failed: 1 };
        total += Counts { passed: 40, failed: 0 };
        assert_eq!(total.to_string(), "42 passed, 1 failed");
    }
}
