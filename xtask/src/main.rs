//! `cargo xtask`: the chores of the workspace.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]
#![allow(clippy::disallowed_methods, reason = "it times its stages; the bus's clock has no part in that")]

mod broker;
mod test;

use std::{env, process::ExitCode};

const USAGE: &str = "usage:
  cargo xtask test [STAGE…]   runs everything that must hold, or only the named stages
  cargo xtask faults [WORD…]  disturbs brokers, networks and processes: all cases, or those whose names have a word
  cargo xtask soak [WORD…]    the same with many more messages and longer outages
  cargo xtask broker          starts a private RabbitMQ and prints its URLs";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.split_first().map(|(command, rest)| (command.as_str(), rest)) {
        Some(("test", stages)) => test::run(stages),
        Some(("faults", words)) => test::faults::run(false, words),
        Some(("soak", words)) => test::faults::run(true, words),
        Some(("broker", [])) => broker::run(),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
