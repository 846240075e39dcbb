//! The stages, as data, and what each runs.

use super::{counts::Counts, examples::EXAMPLES, summary::Outcome};
use crate::broker::{AMQP_URL, API_URL, Broker};
use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

/// What one stage leaves for the next.
#[derive(Default)]
pub(super) struct Run {
    pub(super) counts: Counts,
    broker: Option<Broker>,
}

pub(super) type Result = std::result::Result<Outcome, String>;

pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) run: fn(&mut Run) -> Result,
    /// It runs against what the stage `broker` started.
    on_broker: bool,
}

pub(super) const STAGES: &[Stage] = &[
    Stage { name: "fmt", run: fmt, on_broker: false },
    Stage { name: "clippy", run: clippy, on_broker: false },
    Stage { name: "docs", run: docs, on_broker: false },
    Stage { name: "broker", run: broker, on_broker: false },
    Stage { name: "tests", run: tests, on_broker: true },
    Stage { name: "examples", run: examples, on_broker: true },
    Stage { name: "faults", run: faults, on_broker: false },
    Stage { name: "deny", run: deny, on_broker: false },
];

impl Stage {
    /// Whether a run of the stages in `only` (all, if empty) has this one.
    pub(super) fn is_wanted(&self, only: &[String]) -> bool {
        let named = |stage: &Stage| only.iter().any(|name| name == stage.name);
        let needed = self.name == "broker" && STAGES.iter().any(|stage| stage.on_broker && named(stage));
        only.is_empty() || named(self) || needed
    }
}

fn fmt(_: &mut Run) -> Result {
    stream(cargo(&["fmt", "--all", "--", "--check"]), |_| ())
}

fn clippy(_: &mut Run) -> Result {
    stream(cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]), |_| ())?;
    // `--all-targets` leaves out what `cargo test` does not run by itself.
    stream(cargo(&["clippy", "--package", "bus-rabbitmq", "--test", "faults", "--", "-D", "warnings"]), |_| ())
}

fn docs(_: &mut Run) -> Result {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--all-features"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    stream(command, |_| ())
}

fn broker(run: &mut Run) -> Result {
    run.broker = Some(Broker::obtain()?);
    Ok(Outcome::Ok)
}

fn tests(run: &mut Run) -> Result {
    let broker = run.broker.as_ref().ok_or("there is no broker")?;
    // All of them, so that the total counts every failure and not the first runner's only.
    let mut command = cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]);
    command.env(AMQP_URL, &broker.amqp_url).env(API_URL, &broker.api_url);
    // `cargo test` alone runs fewer of the simulation's; more may be asked for.
    if env::var_os("BUS_SCHEDULES").is_none() {
        command.env("BUS_SCHEDULES", "10000");
    }
    let mut counts = Counts::default();
    let result = stream(command, |line| {
        if let Some(more) = Counts::parse(line) {
            counts += more;
        }
    });
    run.counts += counts;
    if counts == Counts::default() {
        return result.and(Err("no test ran, or the runners' result lines have changed".to_owned()));
    }
    result
}

fn faults(run: &mut Run) -> Result {
    let (result, counts) = super::faults::suite(&[]);
    run.counts += counts;
    result
}

fn examples(run: &mut Run) -> Result {
    let broker = run.broker.as_ref().ok_or("there is no broker")?;
    for example in EXAMPLES {
        for time in 1..=example.times {
            println!("--- {} {:?} ({time} of {}) ---", example.name, example.features, example.times);
            let mut command = cargo(&["run", "--package", "bus", "--example", example.name]);
            for feature in example.features {
                command.args(["--features", feature]);
            }
            command.env_remove("BUS_URL");
            if example.on_broker {
                command.env("BUS_URL", &broker.amqp_url);
            }
            stream(command, |_| ()).map_err(|problem| format!("{} {:?}: {problem}", example.name, example.features))?;
        }
    }
    Ok(Outcome::Ok)
}

fn deny(_: &mut Run) -> Result {
    let mut version = cargo(&["deny", "--version"]);
    version.stdout(Stdio::null()).stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        println!("cargo-deny is not installed: licences and advisories are not checked");
        return Ok(Outcome::NotInstalled);
    }
    stream(cargo(&["deny", "check"]), |_| ())
}

/// Cargo, at the root of the workspace and without input.
pub(super) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.args(arguments).stdin(Stdio::null());
    // Set by `cargo run`; started in another way, we are taken to be at the root.
    if let Some(xtask) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) {
        command.current_dir(xtask.join(".."));
    }
    command
}

/// Passes the standard output on line by line while it comes, and shows each line to `each`.
pub(super) fn stream(mut command: Command, mut each: impl FnMut(&str)) -> Result {
    let called = command_line(&command);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| format!("cannot run `{called}`: {e}"))?;
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = Vec::new();
    let mut copy = || -> io::Result<()> {
        while output.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            print!("{text}");
            io::stdout().flush()?;
            each(&text);
            line.clear();
        }
        Ok(())
    };
    let copied = copy();
    let status = child.wait().map_err(|e| format!("cannot wait for `{called}`: {e}"))?;
    copied.map_err(|e| format!("cannot pass on the output of `{called}`: {e}"))?;
    if status.success() { Ok(Outcome::Ok) } else { Err(format!("`{called}` ended with {status}")) }
}

fn command_line(command: &Command) -> String {
    let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
    format!("cargo {}", arguments.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(only: &[&str]) -> Vec<&'static str> {
        let only: Vec<String> = only.iter().map(ToString::to_string).collect();
        STAGES.iter().filter(|stage| stage.is_wanted(&only)).map(|stage| stage.name).collect()
    }

    #[test]
    fn stages_that_need_the_broker_bring_it() {
        assert_eq!(wanted(&[]), ["fmt", "clippy", "docs", "broker", "tests", "examples", "faults", "deny"]);
        assert_eq!(wanted(&["examples", "fmt"]), ["fmt", "broker", "examples"]);
        assert_eq!(wanted(&["deny"]), ["deny"]);
    }

    #[test]
    fn every_line_of_output_is_shown_and_the_exit_counts() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let mut lines = Vec::new();
        assert_eq!(stream(shell("echo one; printf two"), |line| lines.push(line.to_owned())), Ok(Outcome::Ok));
        assert_eq!(lines, ["one\n", "two"]);
        assert!(stream(shell("exit 3"), |_| ()).unwrap_err().contains("exit status: 3"));
    }
}
