use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{clock::Clock, transport::Outage};
use futures_util::{FutureExt, Stream, StreamExt, future::Either, future::select};
use lapin::{Connection, Event};
use tokio::sync::watch;

use super::{
    Link, Status, Wish,
    dial::{Line, dial, goodbye},
    server_version::{ServerVersion, ask},
    state::{Input, Machine, State},
};
use crate::{
    credentials::Identity,
    refusal::{Kind, Refusal},
    settings::Settings,
};

/// How long an attempt may take before it is given up.
const ATTEMPT: Duration = Duration::from_secs(10);
/// The same while there are other hosts to turn to.
const ATTEMPT_OF_SEVERAL: Duration = Duration::from_secs(5);
/// lapin reports a loss through its events; one that came before anybody listened is seen by looking.
const LOOK: Duration = Duration::from_millis(500);
/// A connection that ends within it ended early.
const EARLY: Duration = Duration::from_secs(1);

/// What is done with each new connection, and the version of the server if that is known, before anybody else
/// sees the connection.
pub(crate) type OnConnected = Box<dyn Fn(Arc<Connection>, Option<ServerVersion>) -> Doing + Send + Sync>;
type Doing = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

/// A connection, with what only its keeper has.
struct Live {
    connection: Arc<Connection>,
    line: Line,
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
}

/// Keeps one connection: connects, watches, connects again.
pub(crate) struct Supervisor {
    settings: Arc<Settings>,
    /// What it is for, as the broker's operators see it.
    purpose: &'static str,
    clock: Clock,
    wish: watch::Receiver<Wish>,
    /// Of whoever finds that it does not answer.
    abandoned: watch::Receiver<Option<(u64, Refusal)>>,
    /// The last wish that was seen.
    call: u64,
    status: watch::Sender<Status>,
    on_connected: Option<OnConnected>,
    identity: Arc<Identity>,
    /// The connection, while there is one.
    live: Option<Live>,
    /// What the hosts said last, since a connection held.
    said: Vec<Option<Refusal>>,
    /// What of its outages belongs in the log.
    outage: Outage,
    /// What the log says last of a host that cannot be asked: refused, or no credentials.
    barred: Option<Kind>,
}

impl Supervisor {
    pub(crate) fn new(
        settings: Arc<Settings>,
        identity: Arc<Identity>,
        purpose: &'static str,
        clock: Clock,
        on_connected: Option<OnConnected>,
    ) -> (Self, Link) {
        let (wish, wishes) = watch::channel(Wish::Nothing(0));
        let (status, statuses) = watch::channel(Status::new(clock.now()));
        let (abandoning, abandoned) = watch::channel(None);
        let address = settings.address().into();
        let link = Link { address, status: statuses, wish, abandoned: abandoning, clock: clock.clone() };
        let said = vec![None; settings.hosts.len()];
        let (wish, call, live, outage, barred) = (wishes, 0, None, Outage::default(), None);
        let supervisor = Self {
            settings,
            purpose,
            clock,
            wish,
            abandoned,
            call,
            status,
            on_connected,
            identity,
            live,
            said,
            outage,
            barred,
        };
        (supervisor, link)
    }

    /// Runs until [`Link::end`], or until nobody holds the link any more.
    pub(crate) async fn run(mut self) {
        let hosts = self.settings.hosts.len();
        // Clients that are all started at once spread over the hosts.
        let first = (self.clock.chance() * hosts as f64) as usize % hosts;
        let mut connected = self.clock.now();
        let mut machine = Machine::new(hosts, first, connected);
        while machine.state != State::Closed {
            let (input, why) = match machine.state {
                State::Idle | State::Failed => (self.wished().await, None),
                State::Connecting { host } => self.attempt(host).await,
                State::BackingOff { until, .. } => {
                    let clock = self.clock.clone();
                    match self.unless_wished(async move { clock.sleep_until(until).await }).await {
                        Ok(()) => (Input::PauseOver, None),
                        Err(input) => (input, None),
                    }
                }
                State::Ready { generation } | State::Blocked { generation } => {
                    self.watch(generation, machine.shaky().then_some(connected + EARLY)).await
                }
                State::Closed => break,
            };
            let now = self.clock.now();
            let input = match input {
                Input::Lost if now < connected + EARLY => Input::LostEarly,
                input => input,
            };
            if input == Input::Connected {
                connected = now;
            }
            let host = machine.host();
            machine.step(input, now);
            self.publish(&machine, host, why);
        }
    }

    /// Tells what became of it, and what that host said.
    fn publish(&mut self, machine: &Machine, host: usize, why: Option<Refusal>) {
        tracing::debug!(address = self.settings.address(), host = %self.settings.hosts[host], purpose = self.purpose,
            state = ?machine.state, error = why.as_ref().map(tracing::field::display), "the state of a connection");
        let works = matches!(machine.state, State::Ready { .. }) && !machine.shaky();
        let begins = matches!(self.status.borrow().state, State::Idle | State::Failed)
            && matches!(machine.state, State::Connecting { .. });
        if works || begins {
            self.said.fill(None);
        }
        let kind = why.as_ref().map(Refusal::kind);
        let usable = |state| matches!(state, State::Ready { .. } | State::Blocked { .. });
        let ended = why.clone().filter(|_| usable(self.status.borrow().state) && !usable(machine.state));
        if let Some(why) = why {
            self.said[host] = Some(why);
        }
        let why = self.said();
        self.log(machine, kind, why.as_ref());
        let name = self.settings.hosts[machine.host()].to_string();
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.ended = ended.map(|why| (machine.generation, why)).or(status.ended.take());
            status.follow(machine, &name, why, self.call, now);
        });
    }

    /// What is known of why there is no connection, by host if there are several.
    fn said(&self) -> Option<Refusal> {
        let mut said =
            self.settings.hosts.iter().zip(&self.said).filter_map(|(host, said)| Some((host, said.as_ref()?)));
        if self.settings.hosts.len() == 1 {
            return said.next().map(|(_, said)| said.clone());
        }
        let words: Vec<_> = said.clone().map(|(host, said)| format!("{host}: {said}")).collect();
        let kind = said.clone().map(|(_, said)| said.kind()).find(|kind| *kind == Kind::NoAccess);
        Some(Refusal::new(kind.unwrap_or(said.next()?.1.kind()), words.join("; ")))
    }

    /// One line when an outage begins, and one when it ends. `kind` is of what the host said now, and `why` is what is
    /// known of all of them.
    fn log(&mut self, machine: &Machine, kind: Option<Kind>, why: Option<&Refusal>) {
        let (address, purpose, now) = (self.settings.address(), self.purpose, self.clock.now());
        let error = why.map(tracing::field::display);
        match machine.state {
            State::Ready { .. } => {
                self.barred = None;
                if let Some(after) = self.outage.end(now) {
                    tracing::info!(address, purpose, ?after, "a connection works again");
                }
            }
            State::Blocked { .. } if self.outage.begin(now) => {
                tracing::warn!(address, purpose, error, "the broker takes no messages: they wait until it does");
            }
            State::BackingOff { .. } | State::Connecting { .. }
                if machine.proven() && matches!(kind, Some(Kind::NoAccess | Kind::NoCredentials)) =>
            {
                // An operator may have to do something; it does not matter since when it is away.
                self.outage.begin(now);
                if std::mem::replace(&mut self.barred, kind) == kind {
                    return;
                }
                if kind == Some(Kind::NoAccess) {
                    tracing::error!(
                        address,
                        purpose,
                        error,
                        "the broker refuses user, password or virtual host that it took before: tried every 10 s"
                    );
                } else {
                    tracing::warn!(
                        address,
                        purpose,
                        error,
                        "there are no credentials to connect with: they are asked for every 10 s"
                    );
                }
            }
            State::BackingOff { .. } if !machine.proven() && self.outage.begin(now) => {
                tracing::warn!(address, purpose, error, "no connection yet: tried until the start's deadline");
            }
            State::BackingOff { .. } | State::Connecting { .. } if machine.proven() && self.outage.begin(now) => {
                tracing::warn!(address, purpose, error, "a connection is lost: it is tried until it is back");
            }
            State::Idle | State::Failed | State::Closed => {
                (self.outage, self.barred) = (Outage::default(), None);
            }
            _ => {}
        }
    }

    /// The next wish that means something.
    async fn wished(&mut self) -> Input {
        match self.wish.changed().await {
            Ok(()) => {
                let wish = *self.wish.borrow_and_update();
                self.call = wish.call();
                match wish {
                    Wish::Nothing(_) => Input::Unwanted,
                    Wish::Connection(_) => Input::Wanted,
                    Wish::End => Input::Close,
                }
            }
            Err(_) => Input::Close,
        }
    }

    /// Does `work` unless a wish stops it; a repeated wish for a connection does not.
    async fn unless_wished<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Input> {
        let mut work = Box::pin(work);
        loop {
            match select(&mut work, Box::pin(self.wished())).await {
                Either::Left((done, _)) => return Ok(done),
                Either::Right((Input::Wanted, _)) => {}
                Either::Right((input, _)) => return Err(input),
            }
        }
    }

    async fn attempt(&mut self, host: usize) -> (Input, Option<Refusal>) {
        let (clock, settings, purpose) = (self.clock.clone(), self.settings.clone(), self.purpose);
        let identity = self.identity.clone();
        // With TLS nothing would be learned but that somebody listens.
        let asks = self.on_connected.is_some() && !settings.tls;
        let connecting = async move {
            let credentials = identity.credentials(&clock).await?;
            let host = &settings.hosts[host];
            let patience = if settings.hosts.len() > 1 { ATTEMPT_OF_SEVERAL } else { ATTEMPT };
            let deadline = clock.now() + patience;
            let dialling = async {
                // What is wrong lapin meets, too, and says it better.
                let server = if asks { ask(host).await.unwrap_or_default() } else { None };
                let (connection, line) = dial(&settings, host, &credentials, purpose, (&clock, deadline)).await?;
                Ok((connection, line, server))
            };
            clock.by(deadline, dialling).await.unwrap_or_else(|_| {
                let words = format!("no answer to the handshake within {} s", patience.as_secs());
                Err(Refusal::new(Kind::Disconnected, words))
            })
        };
        let (connection, line, server) = match self.unless_wished(connecting).await {
            Ok(Ok((connection, line, server))) => (Arc::new(connection), line, server),
            Ok(Err(refusal)) => {
                let input = match refusal.kind() {
                    Kind::NoAccess => Input::Refused,
                    Kind::NoCredentials => Input::NoCredentials,
                    _ => Input::Unreachable,
                };
                return (input, Some(refusal));
            }
            Err(input) => return (input, None),
        };
        // What lapin tells before anybody listens is lost.
        let events = Box::pin(connection.events_listener());
        let live = Live { connection: connection.clone(), line, events };
        let prepare = self.on_connected.as_ref().map(|prepare| prepare(connection.clone(), server));
        let prepared = async move {
            match prepare {
                Some(prepare) => prepare.await,
                None => Ok(()),
            }
        };
        match self.unless_wished(prepared).await {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => {
                live.end(&self.clock).await;
                return (Input::Unreachable, Some(refusal));
            }
            Err(input) => {
                live.end(&self.clock).await;
                return (input, None);
            }
        }
        self.live = Some(live);
        self.status.send_if_modified(|status| {
            status.connection = Some(connection);
            // Seen together with the state.
            false
        });
        (Input::Connected, None)
    }

    /// Waits until something happens to the connection, or until it has lasted.
    async fn watch(&mut self, generation: u64, lasted: Option<Instant>) -> (Input, Option<Refusal>) {
        let Some(mut live) = self.live.take() else { return (Input::Lost, None) };
        let blocked = matches!(self.status.borrow().state, State::Blocked { .. });
        let (clock, mut abandoned) = (self.clock.clone(), self.abandoned.clone());
        let happens = async {
            tokio::select! {
                biased;
                happened = live.happens(&clock, blocked, lasted) => (happened, false),
                why = is_abandoned(&mut abandoned, generation) => ((Input::Lost, Some(why)), true),
            }
        };
        match self.unless_wished(happens).await {
            // Dropped, its socket is shut.
            Ok((lost, true)) => lost,
            Ok(((Input::Lost, why), false)) => {
                // A blocked one would wait for ever: lapin answers no close until it is unblocked.
                if !live.connection.status().blocked() {
                    live.line.let_go();
                }
                (Input::Lost, why)
            }
            Ok((happened, false)) => {
                self.live = Some(live);
                happened
            }
            Err(input) => {
                live.end(&self.clock).await;
                (input, None)
            }
        }
    }
}

/// Waits until that connection is abandoned; why.
async fn is_abandoned(abandoned: &mut watch::Receiver<Option<(u64, Refusal)>>, generation: u64) -> Refusal {
    let told = abandoned.wait_for(|abandoned| abandoned.as_ref().is_some_and(|(number, _)| *number == generation));
    match told.await.map(|told| told.clone()) {
        Ok(Some((_, why))) => why,
        // Nobody is left to tell.
        _ => std::future::pending().await,
    }
}

impl Live {
    async fn happens(&mut self, clock: &Clock, blocked: bool, lasted: Option<Instant>) -> (Input, Option<Refusal>) {
        let mut event = None;
        loop {
            // lapin tells of errors of channels, too, which are their users' affair: the last one counts, and only
            // if the connection is gone.
            let (mut error, mut alarm) = (None, None);
            while let Some(next) = event.take().or_else(|| self.events.next().now_or_never().flatten()) {
                match next {
                    Event::Error(why) => error = Some(Refusal::from(why)),
                    Event::ConnectionBlocked(why) => alarm = Some(why),
                    _ => {}
                }
            }
            if !self.connection.status().connected() {
                let closed = || Refusal::new(Kind::Disconnected, "the connection was closed, lapin did not say why");
                return (Input::Lost, Some(error.unwrap_or_else(closed)));
            }
            if lasted.is_some_and(|at| at <= clock.now()) {
                return (Input::Lasted, None);
            }
            match (self.connection.status().blocked(), blocked) {
                (true, false) => {
                    let why = alarm.unwrap_or_else(|| "an alarm".to_owned());
                    return (Input::Blocked, Some(Refusal::new(Kind::Disconnected, why)));
                }
                (false, true) => return (Input::Unblocked, None),
                _ => {}
            }
            let mut look = Box::pin(clock.sleep(LOOK));
            match select(self.events.next(), &mut look).await {
                Either::Left((Some(next), _)) => event = Some(next),
                // lapin says nothing any more; what it says by its status is seen by looking.
                Either::Left((None, _)) => look.await,
                Either::Right(_) => {}
            }
        }
    }

    async fn end(self, clock: &Clock) {
        goodbye(clock, &self.connection, self.line).await;
    }
}
