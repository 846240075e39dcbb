//! The folder of one server, and what is left when the test that made it dies.

use super::Error;
use std::{
    env, fs,
    hash::{BuildHasher, Hasher, RandomState},
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Waits for the end of its input, which comes when its parent closes the pipe or dies in whatever way;
/// then kills what the pid files name and removes the folder. Twice, because a server that is being
/// killed may still write.
const UNDERTAKER: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
for file in "$1"/*.group; do
    [ -f "$file" ] && kill -s KILL -- "-$(cat "$file")" 2>/dev/null
done
rm -rf -- "$1" 2>/dev/null || { sleep 1; rm -rf -- "$1"; }
"#;

/// A private temporary folder. It is removed on drop, and also when this process is killed.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    undertaker: Child,
}

impl Folder {
    pub(super) fn create() -> Result<Self, Error> {
        let random = RandomState::new().build_hasher().finish();
        let path = env::temp_dir().join(format!("bus-rabbitmq-{}-{random:016x}", std::process::id()));
        // 0700: the folder holds the node's cookie. Fails if it exists.
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|e| Error::io(format!("cannot make {}", path.display()), e))?;
        let undertaker = Command::new("sh")
            .args(["-c", UNDERTAKER, "undertaker"])
            .arg(&path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|e| Error::io("cannot run sh", e))?;
        Ok(Self { path, undertaker })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a process that belongs to this folder leaves its group's id.
    pub(super) fn pid_file(&self, name: &str) -> PathBuf {
        self.path.join(name).with_extension("group")
    }

    /// Output of everything that runs here.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("output.log")
    }

    /// The last lines of the output, for error texts.
    pub(super) fn log_tail(&self) -> String {
        tail(&String::from_utf8_lossy(&fs::read(self.log()).unwrap_or_default()), 40)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Closes its input first, so this is also the order to clean up.
        let _ = self.undertaker.wait();
    }
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rabbitmq::process::Process;

    #[test]
    fn the_tail_is_the_last_lines() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("a", 2), "a");
        assert_eq!(tail("", 2), "");
    }

    #[test]
    fn the_undertaker_ends_what_the_folder_runs_and_removes_it() {
        let folder = Folder::create().unwrap();
        let mut sleeper = Process::spawn(Command::new("sleep").arg("600"), folder.pid_file("sleeper")).unwrap();
        assert_eq!(sleeper.ended(), None);
        let path = folder.path().to_owned();
        // As if this process had died: nobody drops the sleeper first.
        drop(folder);
        assert!(!path.exists());
        let mut tries = 0;
        while sleeper.ended().is_none() {
            tries += 1;
            assert!(tries < 500, "the sleeper outlived its folder");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
