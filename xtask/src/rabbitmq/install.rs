//! Putting RabbitMQ on the machine.

use super::Error;
use std::{
    env, fs,
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What to do where it cannot be done for the user.
pub(super) const HOW: &str = "install the package rabbitmq-server (Debian: as root, apt-get install rabbitmq-server), \
    or set BUS_TEST_AMQP_URL and BUS_TEST_RABBITMQ_API (AMQP and management API) to a running server";

/// Packages put the plain script here. The program of the same name on the `PATH` is a wrapper in
/// Debian's: it changes user and folder.
const PACKAGED: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Whether [`Server::start`](super::Server::start) finds what it needs.
#[must_use]
pub fn installed() -> bool {
    server_script().is_some() && on_path("epmd").is_some()
}

pub(super) fn server_script() -> Option<PathBuf> {
    let packaged = Path::new(PACKAGED);
    if packaged.is_file() { Some(packaged.to_owned()) } else { on_path("rabbitmq-server") }
}

fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Installs RabbitMQ with apt, which takes about 15 s and 60 MB. No service is left running; on a
/// machine with systemd it is left enabled, as the package wants it.
///
/// # Errors
///
/// Not root, no apt, or apt failed: the text says what to install, or which variables to set instead.
pub fn install() -> Result<(), Error> {
    // The owner of our own entry in /proc is the effective user.
    let root = fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0);
    if !root || on_path("apt-get").is_none() {
        return Err(Error::new(format!("installing RabbitMQ takes root and apt; {HOW}")));
    }
    let _policy = NoServices::deny()?;
    apt(&["update"])?;
    apt(&["install", "-y", "--no-install-recommends", "rabbitmq-server"])?;
    if installed() { Ok(()) } else { Err(Error::new(format!("apt brought no usable server; {HOW}"))) }
}

fn apt(arguments: &[&str]) -> Result<(), Error> {
    let status = Command::new("apt-get")
        .args(["-q", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status()
        .map_err(|e| Error::io("cannot run apt-get", e))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::new(format!("apt-get {} failed ({status}); {HOW}", arguments.join(" "))))
}

/// While it lives, packages start no service: a broker on the well-known ports would be in nobody's way
/// until somebody tests against it by mistake. Containers usually have such a policy; elsewhere one is
/// put there for the time of the installation. (`RUNLEVEL=1` would be simpler, but systemd ignores it.)
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn deny() -> Result<Self, Error> {
        match fs::File::options().write(true).create_new(true).mode(0o755).open(POLICY) {
            Ok(mut file) => {
                let policy = Self { ours: true };
                file.write_all(b"#!/bin/sh\nexit 101\n").map_err(|e| Error::io(format!("cannot write {POLICY}"), e))?;
                Ok(policy)
            }
            // The machine's own decision.
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            Err(e) => Err(Error::io(format!("cannot write {POLICY}"), e)),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}
