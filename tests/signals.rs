//! `run()` in a process of its own, which is sent signals.

#![cfg(unix)]

use std::{
    future::Future,
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStderr, Command, Stdio},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bus::prelude::*;
use tokio::sync::{Notify, mpsc};

/// Says in a process that it is to be one of those here.
const ROLE: &str = "BUS_TESTS_SIGNALLED";

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests")]
struct Job {
    number: u32,
}

/// To the process that looks on. The test's own output is standard output.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A process that runs a bus with three jobs, of which the first is begun, until a signal. In a run of all tests it
/// is none, and does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_sent_signals() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let told = Arc::new(Notify::new());
    let tell = told.clone();
    std::thread::spawn(move || {
        // A line, or the end of the process that looks on.
        let _ = std::io::stdin().read_line(&mut String::new());
        tell.notify_one();
    });
    let work = move |job: Job| {
        let told = told.clone();
        async move {
            say(&format!("begun {}", job.number));
            told.notified().await;
            say(&format!("done {}", job.number));
            Ok::<(), Failure>(())
        }
    };
    let build = |b: bus::Builder| b.stop_timeout(Duration::from_secs(3600)).build().unwrap();
    // The broker in memory lives as long as somebody is connected to it.
    let keeper = build(bus::builder("memory://signals"));
    keeper.start().await.unwrap();
    let bus = build(bus::builder("memory://signals").endpoint("jobs", |e| e.concurrency(1).consumer(work)));
    bus.start().await.unwrap();
    let mut run = std::pin::pin!(bus.run());
    // From the first poll on it hears signals.
    assert!(std::future::poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx))).await.is_pending());
    for number in 1..=3 {
        keeper.send("queue:jobs", Job { number }).await.unwrap();
    }
    let watched = bus.clone();
    tokio::spawn(async move {
        while watched.health().endpoints[0].problem.as_deref() != Some("stopping") {
            tokio::task::yield_now().await;
        }
        say("stopping");
    });
    run.await.unwrap();
    say("stopped");
    let (left, mut lefts) = mpsc::unbounded_channel();
    let rest = build(bus::builder("memory://signals").endpoint("jobs", |e| {
        e.concurrency(1).consumer(move |job: Job| std::future::ready(left.send(job.number).map_err(Failure::from)))
    }));
    rest.start().await.unwrap();
    // In any order: what was given back may have been begun, for all that its broker says, and comes last.
    let mut found = [lefts.recv().await.unwrap(), lefts.recv().await.unwrap()];
    found.sort_unstable();
    say(&format!("left: {found:?}"));
    rest.stop().await;
}

/// Such a process, and what it says.
struct Process {
    child: Child,
    said: Lines<BufReader<ChildStderr>>,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "signals::a_process_that_is_sent_signals", "--nocapture"])
            .env(ROLE, "yes")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, said }
    }

    fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// What it says until that line.
    fn until(&mut self, line: &str) -> Vec<String> {
        let mut said = Vec::new();
        while said.last().is_none_or(|last| last != line) {
            said.push(self.said.next().unwrap_or_else(|| panic!("it ended without `{line}`: {said:?}")).unwrap());
        }
        said
    }

    fn ends_well(mut self) {
        let rest: Vec<_> = self.said.map(Result::unwrap).collect();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {rest:?}");
    }
}

#[test]
fn a_process_that_is_terminated_finishes_its_handler_and_leaves_the_rest_in_the_queue() {
    let mut process = Process::start();
    process.until("begun 1");
    process.terminate();
    process.until("stopping");
    process.child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    assert_eq!(process.until("left: [2, 3]"), ["done 1", "stopped", "left: [2, 3]"]);
    process.ends_well();
}

#[test]
fn a_second_signal_ends_the_wait_for_handlers() {
    let mut process = Process::start();
    let _open = process.child.stdin.take();
    process.until("begun 1");
    process.terminate();
    process.until("stopping");
    process.terminate();
    // The handler would take for ever, and the stop an hour.
    assert_eq!(process.until("stopped"), ["stopped"]);
    process.until("left: [2, 3]");
    process.ends_well();
}
