use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{clock::Clock, transport::Outage};
use futures_util::{FutureExt, StreamExt, future::Either, future::select};
use lapin::{Connection, ConnectionProperties, Event, runtime::default_runtime};
use tokio::sync::watch;

use super::{
    Link, Status, Wish,
    server_version::{ServerVersion, ask},
    state::{Input, Machine, State},
};
use crate::{
    refusal::{Kind, Refusal, while_connecting},
    settings::Settings,
};

/// How long an attempt may take before it is given up.
const ATTEMPT: Duration = Duration::from_secs(10);
/// lapin reports a loss through its events; one that came before anybody listened is seen by looking.
const LOOK: Duration = Duration::from_millis(500);
/// A connection that ends within it ended early.
const EARLY: Duration = Duration::from_secs(1);
/// How long the broker may take to answer a close.
const GOODBYE: Duration = Duration::from_secs(1);

/// What is done with each new connection, and the version of the server if that is known, before anybody else
/// sees the connection.
pub(crate) type OnConnected = Box<dyn Fn(Arc<Connection>, Option<ServerVersion>) -> Doing + Send + Sync>;
type Doing = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

/// Keeps one connection: connects, watches, connects again.
pub(crate) struct Supervisor {
    settings: Arc<Settings>,
    /// What it is for, as the broker's operators see it.
    purpose: &'static str,
    clock: Clock,
    wish: watch::Receiver<Wish>,
    /// The last wish that was seen.
    call: u64,
    status: watch::Sender<Status>,
    on_connected: Option<OnConnected>,
    /// The last attempt met somebody who did not answer.
    silent: bool,
    /// What of its outages belongs in the log.
    outage: Outage,
    /// That the broker refuses us was logged.
    refused: bool,
}

impl Supervisor {
    pub(crate) fn new(
        settings: Arc<Settings>,
        purpose: &'static str,
        clock: Clock,
        on_connected: Option<OnConnected>,
    ) -> (Self, Link) {
        let (wish, wishes) = watch::channel(Wish::Nothing(0));
        let (status, statuses) = watch::channel(Status { state: State::Idle, connection: None, why: None, call: 0 });
        let link = Link { address: settings.address().into(), status: statuses, wish, clock: clock.clone() };
        let supervisor = Self {
            settings,
            purpose,
            clock,
            wish: wishes,
            call: 0,
            status,
            on_connected,
            silent: false,
            outage: Outage::default(),
            refused: false,
        };
        (supervisor, link)
    }

    /// Runs until [`Link::end`], or until nobody holds the link any more.
    pub(crate) async fn run(mut self) {
        let mut machine = Machine::new();
        let mut connected = self.clock.now();
        while machine.state != State::Closed {
            let (input, why) = match machine.state {
                State::Idle | State::Failed => (self.wished().await, None),
                State::Connecting { .. } => self.attempt().await,
                State::BackingOff { pause, .. } => {
                    let over = self.clock.clone();
                    let over = async move { over.sleep(pause).await };
                    match self.unless_wished(over).await {
                        Ok(()) => (Input::PauseOver, None),
                        Err(input) => (input, None),
                    }
                }
                State::Ready { .. } | State::Blocked { .. } => {
                    self.watch(machine.shaky().then_some(connected + EARLY)).await
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
            machine = machine.step(input);
            self.publish(machine, why);
        }
    }

    fn publish(&mut self, machine: Machine, why: Option<Refusal>) {
        tracing::debug!(
            address = self.settings.address(),
            purpose = self.purpose,
            state = ?machine.state,
            error = why.as_ref().map(tracing::field::display),
            "the state of a connection"
        );
        self.log(machine, why.as_ref());
        self.status.send_modify(|status| {
            status.state = machine.state;
            status.call = self.call;
            match machine.state {
                State::Ready { .. } if !machine.shaky() => status.why = None,
                _ if why.is_some() => status.why = why,
                _ => {}
            }
            if status.usable().is_none() {
                status.connection = None;
            }
        });
    }

    /// One line when an outage begins, and one when it ends.
    fn log(&mut self, machine: Machine, why: Option<&Refusal>) {
        let (address, purpose, now) = (self.settings.address(), self.purpose, self.clock.now());
        let error = why.map(tracing::field::display);
        match machine.state {
            State::Ready { .. } => {
                self.refused = false;
                if let Some(after) = self.outage.end(now) {
                    tracing::info!(address, purpose, ?after, "a connection works again");
                }
            }
            State::Blocked { .. } if self.outage.begin(now) => {
                tracing::warn!(address, purpose, error, "the broker takes no messages: they wait until it does");
            }
            State::BackingOff { .. } | State::Connecting { .. }
                if machine.proven() && why.is_some_and(|why| why.kind() == Kind::NoAccess) =>
            {
                // An operator has to do something; it does not matter since when it is away.
                self.outage.begin(now);
                if !std::mem::replace(&mut self.refused, true) {
                    tracing::error!(
                        address,
                        purpose,
                        error,
                        "the broker refuses user, password or virtual host that it took before: tried every 5 s"
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
                (self.outage, self.refused) = (Outage::default(), false);
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

    async fn attempt(&mut self) -> (Input, Option<Refusal>) {
        let deadline = self.clock.now() + ATTEMPT;
        let (clock, settings, purpose) = (self.clock.clone(), self.settings.clone(), self.purpose);
        let silent = std::mem::take(&mut self.silent);
        // With TLS nothing would be learned but that somebody listens.
        let asks = silent || self.on_connected.is_some() && !settings.tls;
        let connecting = async move {
            let asked = async {
                let answer = if asks { ask(&settings).await } else { Ok(None) };
                let server = match answer {
                    Err(error) if silent => return Err(Refusal::new(Kind::Disconnected, error.to_string())),
                    // What is wrong lapin meets, too, and says it better.
                    answer => answer.unwrap_or_default(),
                };
                connect(&settings, purpose).await.map(|connection| (connection, server))
            };
            clock.by(deadline, asked).await
        };
        let (connection, server) = match self.unless_wished(connecting).await {
            Ok(Ok(Ok((connection, server)))) => (Arc::new(connection), server),
            Ok(Ok(Err(refusal))) if refusal.kind() == Kind::NoAccess => return (Input::Refused, Some(refusal)),
            Ok(Ok(Err(refusal))) => return (Input::Unreachable, Some(refusal)),
            Ok(Err(_)) => {
                self.silent = true;
                let words = format!("no answer to the handshake within {} s", ATTEMPT.as_secs());
                return (Input::Unreachable, Some(Refusal::new(Kind::Disconnected, words)));
            }
            Err(input) => {
                // It may have been a silent one, too.
                self.silent = true;
                return (input, None);
            }
        };
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
                goodbye(&self.clock, &connection).await;
                return (Input::Unreachable, Some(refusal));
            }
            Err(input) => {
                goodbye(&self.clock, &connection).await;
                return (input, None);
            }
        }
        self.status.send_if_modified(|status| {
            status.connection = Some(connection);
            // Seen together with the state.
            false
        });
        (Input::Connected, None)
    }

    /// Waits until something happens to the connection, or until it has lasted.
    async fn watch(&mut self, lasted: Option<Instant>) -> (Input, Option<Refusal>) {
        let status = self.status.borrow().clone();
        let Some(connection) = status.connection else {
            return (Input::Lost, None);
        };
        let blocked = matches!(status.state, State::Blocked { .. });
        let clock = self.clock.clone();
        let watched = connection.clone();
        let happens = async move {
            let mut events = Box::pin(watched.events_listener());
            loop {
                if !watched.status().connected() {
                    // The event with the reason was sent before anybody looked.
                    let event = events.next().now_or_never().flatten();
                    let why = match event {
                        Some(Event::Error(error)) => Refusal::from(error),
                        _ => Refusal::new(Kind::Disconnected, "the connection was closed"),
                    };
                    return (Input::Lost, Some(why));
                }
                if lasted.is_some_and(|at| at <= clock.now()) {
                    return (Input::Lasted, None);
                }
                match (watched.status().blocked(), blocked) {
                    (true, false) => {
                        let why = Refusal::new(Kind::Disconnected, "it is blocked by an alarm of the broker");
                        return (Input::Blocked, Some(why));
                    }
                    (false, true) => return (Input::Unblocked, None),
                    _ => {}
                }
                match select(events.next(), Box::pin(clock.sleep(LOOK))).await {
                    // Errors of channels are told here too; they are their users' affair.
                    Either::Left((Some(Event::Error(error)), _)) if !watched.status().connected() => {
                        return (Input::Lost, Some(Refusal::from(error)));
                    }
                    Either::Left((Some(Event::ConnectionBlocked(reason)), _)) if !blocked => {
                        let why = Refusal::new(Kind::Disconnected, format!("it is blocked by the broker: {reason}"));
                        return (Input::Blocked, Some(why));
                    }
                    Either::Left((None, _)) => clock.sleep(LOOK).await,
                    _ => {}
                }
            }
        };
        match self.unless_wished(happens).await {
            Ok(happened) => happened,
            Err(input) => {
                goodbye(&self.clock, &connection).await;
                (input, None)
            }
        }
    }
}

async fn connect(settings: &Settings, purpose: &str) -> Result<Connection, Refusal> {
    let name = match &settings.connection_name {
        Some(name) => format!("{name} ({purpose})"),
        None => format!("bus ({purpose})"),
    };
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let runtime = default_runtime().map_err(while_connecting)?;
    Connection::connect_uri_with_runtime(settings.amqp_uri(), properties, runtime).await.map_err(while_connecting)
}

async fn goodbye(clock: &Clock, connection: &Connection) {
    // A broker that does not answer is left without a word; dropping the connection closes it.
    let _ = clock.by(clock.now() + GOODBYE, connection.close(200, "OK".into())).await;
}
