//! `cargo xtask test`: everything that must hold, in the order in which it fails fastest.

mod counts;
mod examples;
pub(crate) mod faults;
mod stages;
mod summary;

use stages::{Run, STAGES};
use std::time::Instant;
use summary::{Line, Outcome};

/// Runs the named stages, or all of them. The first that fails ends the run.
pub(crate) fn run(only: &[String]) -> Result<(), String> {
    if let Some(unknown) = only.iter().find(|name| STAGES.iter().all(|stage| stage.name != **name)) {
        let names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
        return Err(format!("no stage is called `{unknown}`; there are: {}", names.join(", ")));
    }
    let mut run = Run::default();
    let mut lines = Vec::new();
    let mut failure = None;
    for stage in STAGES.iter().filter(|stage| stage.is_wanted(only)) {
        if failure.is_some() {
            lines.push(Line { stage: stage.name, seconds: 0.0, outcome: Outcome::NotRun });
            continue;
        }
        println!("\n=== {} ===", stage.name);
        let started = Instant::now();
        let result = (stage.run)(&mut run);
        let seconds = started.elapsed().as_secs_f64();
        let outcome = result.unwrap_or_else(|problem| {
            println!("{}: {problem}", stage.name);
            failure = Some(format!("failed at {}: {problem}", stage.name));
            Outcome::Failed
        });
        println!("=== {}: {outcome} after {seconds:.1} s ===", stage.name);
        lines.push(Line { stage: stage.name, seconds, outcome });
    }
    let counts = run.counts;
    // Stops the broker before the last words.
    drop(run);
    print!("\n{}\n{counts}\n", summary::table(&lines));
    failure.map_or(Ok(()), Err)
}
