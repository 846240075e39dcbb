use super::{Error, folder::Folder, install, node, ports::Ports, process::Process, ready};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

/// Five to nine seconds of computing are usual; a cold, shared machine takes several times that.
const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// A RabbitMQ node with ports and data of its own, on 127.0.0.1 only. Several can run at once.
///
/// Dropping it kills the node and removes its data. If this process is killed instead, a small shell
/// process that waits for that does the same. The node is in its own process group: Ctrl-C does not
/// reach it.
///
/// ```no_run
/// # fn main() -> Result<(), xtask::rabbitmq::Error> {
/// let mut server = xtask::rabbitmq::Server::start()?;
/// println!("{}", server.amqp_url());
/// server.kill();
/// server.start_again()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Server {
    // In the order in which they have to end.
    node: Option<Process>,
    _epmd: Process,
    folder: Folder,
    ports: Ports,
    script: PathBuf,
}

impl Server {
    /// Starts a node with the management plugin, and waits until AMQP and the management API answer.
    ///
    /// # Errors
    ///
    /// RabbitMQ is not installed (the text says what to install), or the node did not answer within
    /// 60 s or ended (the text has the end of its log).
    pub fn start() -> Result<Self, Error> {
        Self::start_with("[].\n")
    }

    /// The same with settings that `rabbitmq.conf` does not have: the text of its `advanced.config`, such as
    /// `[{rabbit, [{consumer_timeout, 5000}, {channel_tick_interval, 500}]}].`
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub fn start_with(advanced: &str) -> Result<Self, Error> {
        let script = install::server_script()
            .ok_or_else(|| Error::new(format!("RabbitMQ is not installed; {}", install::HOW)))?;
        let ports = Ports::choose().map_err(|e| Error::io("cannot choose ports", e))?;
        let folder = Folder::create()?;
        node::write_files(folder.path(), &ports, advanced)?;
        // Erlang's port mapper. A node that finds none starts one, detached and under an id that nobody
        // knows; it leaves ours alone.
        let mut epmd = node::command(Path::new("epmd"), &folder, &ports)?;
        let epmd = Process::spawn(&mut epmd, folder.pid_file("epmd"))?;
        let mut server = Self { node: None, _epmd: epmd, folder, ports, script };
        server.start_again()?;
        Ok(server)
    }

    /// `amqp://guest:guest@127.0.0.1:PORT`; stays the same when the server starts again.
    #[must_use]
    pub fn amqp_url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}", self.ports.amqp)
    }

    /// `http://guest:guest@127.0.0.1:PORT`, under which `/api/…` answers; stays the same when the server
    /// starts again.
    #[must_use]
    pub fn management_url(&self) -> String {
        format!("http://guest:guest@127.0.0.1:{}", self.ports.management)
    }

    /// Kills the node (SIGKILL) and waits until it is gone, as a crash of the broker would look to its
    /// clients. Nothing happens if it is not running.
    pub fn kill(&mut self) {
        self.node = None;
    }

    /// Shuts the node down in good order (SIGTERM) and waits until it is gone. Nothing happens if it is
    /// not running. Clients are cut off at once, but servers before 3.13.3 take 6 s to end: the
    /// management plugin waits for its own statistics (rabbitmq/rabbitmq-server#11070).
    ///
    /// # Errors
    ///
    /// It took more than 30 s and was killed.
    pub fn stop(&mut self) -> Result<(), Error> {
        let Some(node) = self.node.take() else { return Ok(()) };
        if node.terminate(STOP_DEADLINE) {
            return Ok(());
        }
        Err(self.error(&format!("was killed because it did not stop within {STOP_DEADLINE:?}")))
    }

    /// Stops the node where it is (SIGSTOP): its sockets stay, and nobody answers.
    pub fn freeze(&self) {
        if let Some(node) = &self.node {
            node.signal("STOP");
        }
    }

    /// Lets it go on (SIGCONT).
    pub fn thaw(&self) {
        if let Some(node) = &self.node {
            node.signal("CONT");
        }
    }

    /// Runs `rabbitmqctl` on the node, which takes about two seconds, and returns what it prints.
    ///
    /// # Errors
    ///
    /// It is missing, or it failed: with what it printed.
    pub fn control(&self, arguments: &[&str]) -> Result<String, Error> {
        let mut command = node::command(&self.script.with_file_name("rabbitmqctl"), &self.folder, &self.ports)?;
        let called = || format!("rabbitmqctl {}", arguments.join(" "));
        let output = command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .output()
            .map_err(|e| Error::io(format!("cannot run {}", called()), e))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(Error::new(format!("{} failed: {}{}", called(), text(&output.stdout), text(&output.stderr)))),
        }
    }

    /// Starts the node again after [`kill`](Self::kill) or [`stop`](Self::stop), with the same ports and
    /// data, and waits until it answers.
    ///
    /// # Errors
    ///
    /// It is still running, or one of the errors of [`start`](Self::start).
    pub fn start_again(&mut self) -> Result<(), Error> {
        if self.node.as_mut().is_some_and(|node| node.ended().is_none()) {
            return Err(self.error("is already running"));
        }
        // One that crashed by itself is cleared away first.
        self.node = None;
        let mut command = node::command(&self.script, &self.folder, &self.ports)?;
        let node = Process::spawn(&mut command, self.folder.pid_file("node"))?;
        let node = self.node.insert(node);
        let started = Instant::now();
        let problem = loop {
            if let Some(status) = node.ended() {
                break format!("ended while it started ({status})");
            }
            if ready::ready(&self.ports) {
                return Ok(());
            }
            if started.elapsed() > START_DEADLINE {
                break format!("did not answer within {START_DEADLINE:?}");
            }
            thread::sleep(Duration::from_millis(50));
        };
        self.node = None;
        Err(self.error(&problem))
    }

    fn error(&self, problem: &str) -> Error {
        Error::new(format!("RabbitMQ at {:?} {problem}; its log ends:\n{}", self.ports, self.folder.log_tail()))
    }
}
