//! A process of ours, ended by its process id and never by its name.

use super::Error;
use std::{
    fs,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Runs in a process group of its own. Ctrl-C on a terminal goes to the foreground group, that is to the
/// test but not to its servers: the test (or the folder's undertaker, see `folder.rs`) ends them, and
/// nothing else does.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// Holds the group's id while the process lives, for the undertaker.
    pid_file: PathBuf,
}

impl Process {
    pub(super) fn spawn(command: &mut Command, pid_file: PathBuf) -> Result<Self, Error> {
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|e| Error::io(format!("cannot run {}", command.get_program().display()), e))?;
        let process = Self { child, pid_file };
        fs::write(&process.pid_file, process.child.id().to_string())
            .map_err(|e| Error::io(format!("cannot write {}", process.pid_file.display()), e))?;
        Ok(process)
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// Sends a signal, by its short name, to the whole group.
    pub(super) fn signal(&self, name: &str) {
        signal(name, &format!("-{}", self.child.id()));
    }

    /// Asks it to end (SIGTERM) and waits; false if it had to be killed at the deadline.
    pub(super) fn terminate(mut self, deadline: Duration) -> bool {
        signal("TERM", &self.child.id().to_string());
        let started = Instant::now();
        while started.elapsed() < deadline {
            if self.ended().is_some() {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Process {
    /// Kills (SIGKILL) and waits until it is gone, its sockets with it.
    fn drop(&mut self) {
        // Not after it was reaped: the number may already be another's.
        if self.ended().is_none() {
            // The whole group: a server script may have put a shell between us and the server.
            signal("KILL", &format!("-{}", self.child.id()));
            let _ = self.child.wait();
        }
        let _ = fs::remove_file(&self.pid_file);
    }
}

/// `std` sends nothing but SIGKILL, and only to one process; every POSIX shell has `kill` built in.
fn signal(name: &str, target: &str) {
    let _ = Command::new("sh")
        .args(["-c", "kill -s \"$1\" -- \"$2\"", "kill", name, target])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
