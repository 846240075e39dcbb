//! A process of its own that consumes, which a case may kill. It is this program again.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{ChildStdin, Command, ExitCode, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bus_core::{
    bus::EndpointBuilder,
    consumer::{Context, Failure},
};
use bus_rabbitmq::endpoint;
use tokio::sync::watch;

use crate::{
    load::{Numbered, builder},
    tally::Tally,
};

/// Says to `main` that it is to be one.
pub(crate) const CHILD: &str = "--child";

/// How long one may take to end.
const PATIENCE: Duration = Duration::from_secs(45);

const STARTED: &str = "started";

/// What the process does with a message, before it writes its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    Takes,
    /// Sends it on, to `out`.
    Sends,
    /// Fails at it, in every round of redelivery: writes ten times the number, and the round.
    Fails,
}

/// The delays of one that fails.
pub(crate) const DELAYS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3)];

/// What the process consumes, and how.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) url: String,
    pub(crate) kind: &'static str,
    pub(crate) prefetch: u16,
    pub(crate) concurrency: u16,
    /// How long a handler takes.
    pub(crate) each: Duration,
    /// The number at which the process aborts.
    pub(crate) abort_at: Option<u32>,
    /// After so many deliveries a quorum queue drops a message.
    pub(crate) limit: Option<i64>,
    pub(crate) single_active: bool,
    pub(crate) handler: Handler,
    /// How long a stop waits for handlers.
    pub(crate) stop: Duration,
}

impl Work {
    pub(crate) fn new(url: String, kind: &'static str) -> Self {
        Self {
            url,
            kind,
            prefetch: 20,
            concurrency: 4,
            each: Duration::from_millis(10),
            abort_at: None,
            limit: None,
            single_active: false,
            handler: Handler::Takes,
            stop: Duration::from_secs(30),
        }
    }

    fn arguments(&self) -> [String; 10] {
        [
            self.url.clone(),
            self.kind.to_owned(),
            self.prefetch.to_string(),
            self.concurrency.to_string(),
            self.each.as_millis().to_string(),
            self.abort_at.map_or("-".to_owned(), |number| number.to_string()),
            self.limit.map_or("-".to_owned(), |limit| limit.to_string()),
            self.single_active.to_string(),
            format!("{:?}", self.handler),
            self.stop.as_millis().to_string(),
        ]
    }

    fn parse(arguments: &[String]) -> Self {
        let [url, kind, prefetch, concurrency, each, abort_at, limit, single_active, handler, stop] = arguments else {
            panic!("{} arguments", arguments.len());
        };
        Self {
            url: url.clone(),
            kind: if kind == "quorum" { "quorum" } else { "classic" },
            prefetch: prefetch.parse().unwrap(),
            concurrency: concurrency.parse().unwrap(),
            each: Duration::from_millis(each.parse().unwrap()),
            abort_at: abort_at.parse().ok(),
            limit: limit.parse().ok(),
            single_active: single_active == "true",
            handler: match &**handler {
                "Sends" => Handler::Sends,
                "Fails" => Handler::Fails,
                _ => Handler::Takes,
            },
            stop: Duration::from_millis(stop.parse().unwrap()),
        }
    }
}

/// The process itself: consumes from `q`, and writes the number of each message that it handled.
pub(crate) fn main(arguments: &[String]) -> ExitCode {
    let work = Work::parse(arguments);
    // Whoever started it is gone: so is this.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(3);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async move {
        let Work { url, kind, prefetch, concurrency, each, abort_at, limit, single_active, handler, stop } = work;
        let handle = move |message: Numbered, ctx: Context| async move {
            tokio::time::sleep(each).await;
            if abort_at == Some(message.number) {
                std::process::abort();
            }
            match handler {
                Handler::Takes => {}
                Handler::Sends => {
                    ctx.send("queue:out", message.clone()).await?;
                }
                Handler::Fails => {
                    tell(&(10 * message.number + ctx.redelivery_count()).to_string());
                    return Err("it always fails".into());
                }
            }
            tell(&message.number.to_string());
            Ok::<_, Failure>(())
        };
        let mut options = endpoint();
        if kind == "quorum" {
            options = options.quorum();
        }
        if let Some(limit) = limit {
            options = options.argument("x-delivery-limit", limit);
        }
        if single_active {
            options = options.single_active_consumer();
        }
        let delays = if handler == Handler::Fails { DELAYS.to_vec() } else { Vec::new() };
        let configured = |e: EndpointBuilder| {
            let e = if delays.is_empty() { e } else { e.redeliver(delays) };
            e.consumer(handle).prefetch(prefetch).concurrency(concurrency).with(options)
        };
        let bus = builder(&url).stop_timeout(stop).endpoint("q", configured).build().unwrap();
        bus.start().await.unwrap();
        tell(STARTED);
        bus.run().await.unwrap();
    });
    ExitCode::SUCCESS
}

fn tell(word: &str) {
    let mut output = std::io::stdout().lock();
    // Nobody listens any more only when it is to end.
    let _ = writeln!(output, "{word}").and_then(|()| output.flush());
}

/// What all the processes of a case handled.
#[derive(Debug, Default)]
pub(crate) struct Handled {
    pub(crate) tally: Tally,
    /// In the order in which it was told, with when.
    pub(crate) order: Mutex<Vec<(Instant, u32)>>,
}

/// One of them. Killed when dropped.
pub(crate) struct Child {
    process: std::process::Child,
    /// Held: it ends with it.
    _input: Option<ChildStdin>,
    started: watch::Receiver<bool>,
    reading: Option<std::thread::JoinHandle<()>>,
}

impl Child {
    /// Starts it, and waits until its bus is started, or it died before.
    pub(crate) async fn start(work: &Work, handled: &Arc<Handled>) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(CHILD)
            .args(work.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (starts, started) = watch::channel(false);
        let handled = handled.clone();
        let reading = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                match line.parse() {
                    Ok(number) => {
                        handled.order.lock().unwrap().push((Instant::now(), number));
                        handled.tally.note(number);
                    }
                    Err(_) => drop(starts.send(line == STARTED)),
                }
            }
        });
        let input = process.stdin.take();
        let mut child = Self { process, _input: input, started, reading: Some(reading) };
        let _ = child.started.wait_for(|started| *started).await;
        child
    }

    /// SIGKILL; returns when it is gone, and all that it told was heard.
    pub(crate) fn kill(mut self) {
        let _ = self.process.kill();
        self.gone();
    }

    /// SIGTERM; how it ended, and after how long. One that hangs is killed.
    pub(crate) fn terminate(mut self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        let id = self.process.id().to_string();
        Command::new("sh").args(["-c", "kill -s TERM \"$1\"", "kill", &id]).status().unwrap();
        while !self.is_gone() {
            if asked.elapsed() > PATIENCE {
                let _ = self.process.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        (self.gone(), asked.elapsed())
    }

    /// Waits until it ended by itself.
    pub(crate) fn gone(&mut self) -> ExitStatus {
        let status = self.process.wait().unwrap();
        if let Some(reading) = self.reading.take() {
            let _ = reading.join();
        }
        status
    }

    pub(crate) fn is_gone(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.is_gone() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}
