//! What brokers, networks and processes do to a bus, and whether it goes on by itself: `cargo xtask faults`.
//!
//! Each case disturbs a bus that is at work, on a broker of this suite's own, and ends as rows of a table: what was
//! lost, what came twice, how long it took. Every bound that is broken fails the case. Names of cases as arguments
//! choose; `--soak` is the long form.

#![allow(clippy::disallowed_methods, reason = "the bounds are seconds of the machine's time")]
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod cases;
mod health;
mod load;
mod raw;
mod stage;
mod table;

use std::{
    any::Any,
    env,
    process::ExitCode,
    time::{Duration, Instant},
};

use cases::CASES;
use stage::Stage;
use table::Row;

/// A case that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (options, names): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with('-'));
    let soak = options.iter().any(|option| *option == "--soak");
    let wanted = |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part.as_str()));
    let cases: Vec<_> = CASES.iter().filter(|case| wanted(case.name)).collect();
    let mut stage = Stage::new(soak);
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for case in &cases {
        println!("fault {} ...", case.name);
        let started = Instant::now();
        let result = run(&mut stage, case);
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(more) => {
                println!("fault {} ... ok ({seconds:.1} s)", case.name);
                rows.extend(more);
            }
            Err((more, problem)) => {
                println!("fault {} ... FAILED ({seconds:.1} s): {problem}", case.name);
                rows.extend(more);
                failures.push(case.name);
                // What it left behind may be in any state.
                stage.renew();
            }
        }
    }
    println!("\n{}", table::markdown(&rows));
    let (passed, failed) = (cases.len() - failures.len(), failures.len());
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {passed} passed; {failed} failed; 0 ignored");
    for name in &failures {
        println!("failed: {name}");
    }
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one on a runtime of its own, so that nothing of it outlives it.
fn run(stage: &mut Stage, case: &cases::Case) -> Result<Vec<Row>, (Vec<Row>, String)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async {
            let limit = if stage.soak() { 20 * LONGEST } else { LONGEST };
            tokio::time::timeout(limit, (case.run)(stage)).await
        })
    }));
    runtime.shutdown_timeout(Duration::from_secs(5));
    match ended {
        Ok(Ok(rows)) => {
            let broken: Vec<_> = rows.iter().flat_map(Row::broken).collect();
            if broken.is_empty() { Ok(rows) } else { Err((rows, broken.join("; "))) }
        }
        Ok(Err(_)) => Err((Vec::new(), "it hangs".to_owned())),
        Err(panic) => Err((Vec::new(), words(&*panic))),
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}
