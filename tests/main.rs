//! What a program sees of the bus, through the facade. One binary: it links once.

mod bad_input;
#[cfg(feature = "config")]
mod configuration;
mod defaults;
#[cfg(feature = "inmemory")]
mod describing;
#[cfg(all(feature = "discover", feature = "testing"))]
mod discover;
mod first_hour;
mod fixtures;
#[cfg(feature = "inmemory")]
mod from_env;
#[cfg(feature = "testing")]
mod harness;
mod lifecycle;
mod logs;
#[cfg(feature = "inmemory")]
mod mistakes;
mod quickstart;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
mod secrets;
mod signals;

use tokio::process::Command;

/// The binary of an example, which `cargo test` builds beside this one.
fn example(name: &str) -> Command {
    let mut path = std::env::current_exe().expect("a test has a path");
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is missing: build it with `cargo build --example {name}`", path.display());
    let mut command = Command::new(path);
    command.env_remove("BUS_URL").kill_on_drop(true);
    command
}
