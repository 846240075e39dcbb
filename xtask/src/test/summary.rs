//! The table at the end of a run.

use std::fmt::{self, Write};

/// How a stage went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Failed,
    NotRun,
    /// Its tool is not on this machine, and the stage is not worth building one for.
    NotInstalled,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::NotRun => "not run",
            Self::NotInstalled => "not installed",
        })
    }
}

pub(super) struct Line {
    pub(super) stage: &'static str,
    pub(super) seconds: f64,
    pub(super) outcome: Outcome,
}

pub(super) fn table(lines: &[Line]) -> String {
    let mut table = format!("{:<10} {:>8}  result\n", "stage", "seconds");
    for Line { stage, seconds, outcome } in lines {
        writeln!(table, "{stage:<10} {seconds:>8.1}  {outcome}").expect("a string takes everything");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_per_stage() {
        let lines = [
            Line { stage: "fmt", seconds: 1.25, outcome: Outcome::Ok },
            Line { stage: "clippy", seconds: 100.0, outcome: Outcome::Failed },
            Line { stage: "tests", seconds: 0.0, outcome: Outcome::NotRun },
        ];
        let expected = "stage       seconds  result\n\
                        fmt             1.2  ok\n\
                        clippy        100.0  FAILED\n\
                        tests           0.0  not run\n";
        assert_eq!(table(&lines), expected);
    }
}
