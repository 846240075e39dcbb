//! `cargo xtask faults` and `cargo xtask soak`: the suite that disturbs a broker, a network and processes.

use super::{
    counts::Counts,
    stages::{self, cargo, stream},
    summary::Outcome,
};
use xtask::rabbitmq;

/// Runs the cases whose names contain one of the words, or all of them; in the long form for `soak`.
pub(crate) fn run(soak: bool, words: &[String]) -> Result<(), String> {
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    if soak {
        arguments.push("--soak");
    }
    suite(&arguments).0.map(drop)
}

pub(super) fn suite(arguments: &[&str]) -> (stages::Result, Counts) {
    let mut counts = Counts::default();
    // It starts brokers of its own, whatever the environment names.
    if let Err(error) = if rabbitmq::installed() { Ok(()) } else { rabbitmq::install() } {
        return (Err(error.to_string()), counts);
    }
    let mut command = cargo(&["test", "--package", "bus-rabbitmq", "--test", "faults", "--"]);
    command.args(arguments);
    let result = stream(command, |line| {
        if let Some(more) = Counts::parse(line) {
            counts += more;
        }
    });
    let result = match result {
        Ok(Outcome::Ok) if counts == Counts::default() => Err("no case ran".to_owned()),
        result => result,
    };
    (result, counts)
}
