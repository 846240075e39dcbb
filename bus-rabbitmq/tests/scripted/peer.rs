//! A broker that does what its script says.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bus_core::{
    address::Destination,
    clock::Clock,
    transport::{Class, Confirm, Driver, Environment, Outgoing, PublishOutcome, Transport},
};
use bus_rabbitmq::DRIVER;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{broadcast, watch},
};

use crate::frames::{CHANNEL_OPEN, Method, PUBLISH, START_OK, TUNE_OK, ack, frame, ordinary, start};

/// A method that a client sent.
pub(crate) struct Seen {
    /// `publish`, `consume` or `look`.
    pub(crate) purpose: &'static str,
    /// How many connections of that purpose logged in before this one.
    pub(crate) login: usize,
    pub(crate) channel: u16,
    pub(crate) method: Method,
    /// How many messages were published on the channel, this one included.
    pub(crate) published: u64,
    /// Of a message.
    pub(crate) body: String,
}

/// What the broker does then.
pub(crate) enum Act {
    /// What any broker does.
    Answer,
    Nothing,
    Say(Vec<u8>),
    /// And ends the TCP connection.
    SayAndLeave(Vec<u8>),
}

enum After {
    Goes,
    ChannelClosed,
    ConnectionClosed,
    Left,
}

/// Between heartbeats.
const BEAT: Duration = Duration::from_secs(2);

type Script = Arc<dyn Fn(&Seen) -> Act + Send + Sync>;

/// What happened at a peer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// Connections that logged in, by purpose.
    pub(crate) logins: HashMap<&'static str, usize>,
    /// Users and passwords, as they came.
    pub(crate) credentials: Vec<String>,
    /// Bodies of messages, with the login of their connection.
    pub(crate) messages: Vec<(usize, String)>,
    /// Connections that are open, those that have not logged in included.
    pub(crate) open: usize,
    /// Methods that came.
    pub(crate) methods: Vec<Method>,
    /// In seconds, what was agreed on.
    pub(crate) heartbeats: Vec<u16>,
}

impl Record {
    pub(crate) fn logins(&self, purpose: &str) -> usize {
        self.logins.get(purpose).copied().unwrap_or_default()
    }
}

#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) port: u16,
    script: Arc<Mutex<Script>>,
    record: Arc<watch::Sender<Record>>,
    /// What is said to all connections of a purpose.
    says: broadcast::Sender<(&'static str, Option<Vec<u8>>)>,
    heartbeat: u16,
}

impl Peer {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::with_heartbeat(0, script).await
    }

    /// In seconds; it sends none itself. Without one asked for, it does.
    pub(crate) async fn with_heartbeat(heartbeat: u16, script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script: Script = Arc::new(script);
        let script = Arc::new(Mutex::new(script));
        let peer = Self { port, script, record: Arc::default(), says: broadcast::channel(64).0, heartbeat };
        let serving = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let peer = serving.clone();
                tokio::spawn(async move {
                    peer.record.send_modify(|record| record.open += 1);
                    // An error is the client's end of it.
                    let _ = peer.serve(stream).await;
                    peer.record.send_modify(|record| record.open -= 1);
                });
            }
        });
        peer
    }

    /// A broker that does what any broker does.
    pub(crate) async fn ordinary() -> Self {
        Self::start(|_| Act::Answer).await
    }

    /// From now on.
    pub(crate) fn plays(&self, script: impl Fn(&Seen) -> Act + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    /// To all connections of that purpose.
    pub(crate) fn say(&self, purpose: &'static str, frames: Vec<u8>) {
        let _ = self.says.send((purpose, Some(frames)));
    }

    /// Ends all connections of that purpose, without a word.
    pub(crate) fn leave(&self, purpose: &'static str) {
        let _ = self.says.send((purpose, None));
    }

    pub(crate) fn record(&self) -> Record {
        self.record.borrow().clone()
    }

    /// Waits until that happened.
    pub(crate) async fn saw(&self, what: impl FnMut(&Record) -> bool) -> Record {
        let mut record = self.record.subscribe();
        let saw = tokio::time::timeout(Duration::from_secs(60), record.wait_for(what)).await;
        saw.expect("it happens soon").unwrap().clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("amqp://user:secret@127.0.0.1:{}/v", self.port)
    }

    /// Both connections of a transport, on the machine's time.
    pub(crate) async fn connected(&self) -> Arc<dyn Transport> {
        let transport = DRIVER.open(&self.url(), Environment::default()).unwrap();
        transport.connect(soon()).await.unwrap();
        transport
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut says = self.says.subscribe();
        let mut greeting = [0; 8];
        stream.read_exact(&mut greeting).await?;
        stream.write_all(&start()).await?;
        let (mut purpose, mut login) = ("", 0);
        let mut published: HashMap<u16, u64> = HashMap::new();
        // What comes on a channel, or at all, after the broker closed it is passed over.
        let (mut closed, mut ended) = (HashSet::new(), false);
        let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
        let (mut reader, mut writer) = stream.split();
        loop {
            // Read whole: a frame that was begun is not given up for something to say.
            let next = read(&mut reader);
            tokio::pin!(next);
            let (kind, channel, payload) = loop {
                tokio::select! {
                    next = &mut next => break next?,
                    said = says.recv() => match said {
                        Ok((to, Some(frames))) if to == purpose => writer.write_all(&frames).await?,
                        Ok((to, None)) if to == purpose => return Ok(()),
                        _ => {}
                    },
                    _ = beats.tick(), if self.heartbeat == 0 => writer.write_all(&frame(8, 0, &[])).await?,
                }
            };
            if ended {
                continue;
            }
            if kind != 1 {
                if closed.contains(&channel) {
                    continue;
                }
                let body = String::from_utf8_lossy(&payload).into_owned();
                if kind == 3 {
                    let count = published.entry(channel).or_default();
                    *count += 1;
                    self.record.send_modify(|record| record.messages.push((login, body.clone())));
                    let seen = Seen { purpose, login, channel, method: PUBLISH, published: *count, body };
                    let confirm = ack(channel, *count, false);
                    match self.act(&seen, Some(confirm), &mut writer).await? {
                        After::Left => return Ok(()),
                        After::ConnectionClosed => ended = true,
                        After::ChannelClosed => drop(closed.insert(channel)),
                        After::Goes => {}
                    }
                }
                continue;
            }
            let method = (u16::from_be_bytes([payload[0], payload[1]]), u16::from_be_bytes([payload[2], payload[3]]));
            if method == START_OK {
                let text = String::from_utf8_lossy(&payload);
                let known = ["publish", "consume", "look"];
                purpose = known.into_iter().find(|known| text.contains(&format!("({known})"))).unwrap_or_default();
                self.record.send_modify(|record| {
                    login = record.logins(purpose);
                    *record.logins.entry(purpose).or_default() += 1;
                    record.credentials.push(plain(&text));
                });
            }
            self.record.send_modify(|record| {
                record.methods.push(method);
                if method == TUNE_OK {
                    record.heartbeats.push(u16::from_be_bytes([payload[10], payload[11]]));
                }
            });
            if method == CHANNEL_OPEN {
                closed.remove(&channel);
                published.remove(&channel);
            }
            if method == PUBLISH || closed.contains(&channel) {
                continue;
            }
            let seen = Seen { purpose, login, channel, method, published: 0, body: String::new() };
            let answer = ordinary(channel, method, &payload, self.heartbeat);
            match self.act(&seen, answer, &mut writer).await? {
                After::Left => return Ok(()),
                After::ConnectionClosed => ended = true,
                After::ChannelClosed => drop(closed.insert(channel)),
                After::Goes => {}
            }
        }
    }

    async fn act(
        &self,
        seen: &Seen,
        ordinary: Option<Vec<u8>>,
        writer: &mut (impl AsyncWriteExt + Unpin),
    ) -> std::io::Result<After> {
        let script = self.script.lock().unwrap().clone();
        let (frames, stays) = match script(seen) {
            Act::Answer => (ordinary.unwrap_or_default(), true),
            Act::Nothing => (Vec::new(), true),
            Act::Say(frames) => (frames, true),
            Act::SayAndLeave(frames) => (frames, false),
        };
        writer.write_all(&frames).await?;
        Ok(match stays {
            false => After::Left,
            true if frames.get(7..11) == Some(&[0, 20, 0, 40]) => After::ChannelClosed,
            true if frames.get(7..11) == Some(&[0, 10, 0, 50]) => After::ConnectionClosed,
            true => After::Goes,
        })
    }
}

/// The user and the password of a start-ok, from SASL's PLAIN.
fn plain(text: &str) -> String {
    let mut parts = text.split("PLAIN").nth(1).unwrap_or_default().split('\0').skip_while(|part| part.len() < 2);
    let (user, password) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // The length of the locale is behind it.
    format!("{user}:{}", password.split('\u{5}').next().unwrap_or_default())
}

async fn read(reader: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<(u8, u16, Vec<u8>)> {
    let mut header = [0; 7];
    reader.read_exact(&mut header).await?;
    let size = u32::from_be_bytes([header[3], header[4], header[5], header[6]]);
    let mut payload = vec![0; size as usize + 1];
    reader.read_exact(&mut payload).await?;
    payload.pop();
    Ok((header[0], u16::from_be_bytes([header[1], header[2]]), payload))
}

/// Long enough for a slow machine; nothing waits for it unless it fails.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// With a clock that [`pass`] moves.
pub(crate) fn environment(clock: &Clock) -> Environment {
    let mut environment = Environment::default();
    environment.clock = clock.clone();
    environment
}

/// Lets time pass until that is so, and returns how much did. Late sockets see more of it than they would: what is
/// asserted is that enough did.
pub(crate) async fn pass(clock: &Clock, until: impl FnMut() -> bool) -> Duration {
    pass_at(25, clock, until).await
}

/// The same so many times as fast as the machine's time.
pub(crate) async fn pass_at(speed: u32, clock: &Clock, mut until: impl FnMut() -> bool) -> Duration {
    const STEP: Duration = Duration::from_millis(10);
    let (begin, end) = (clock.now(), soon());
    while !until() {
        assert!(Instant::now() < end, "it happens soon");
        tokio::time::sleep(STEP).await;
        // In small steps, so that few deadlines pass of what is under way.
        if let Some(next) = clock.next_timer() {
            clock.advance_to(next.min(clock.now() + speed * STEP));
        }
    }
    clock.now() - begin
}

/// Hands messages over, one after the other.
pub(crate) async fn submit(transport: &Arc<dyn Transport>, bodies: &[&'static str], deadline: Instant) -> Vec<Confirm> {
    let publisher = transport.publisher();
    let mut confirms = Vec::new();
    for body in bodies {
        let message = Outgoing::new(Destination::Queue("q".into()), body.as_bytes().into(), deadline);
        let permit = publisher.ready(body.len(), Class::Application).await;
        confirms.push(publisher.submit(permit, message));
    }
    confirms
}

pub(crate) async fn outcomes(confirms: Vec<Confirm>) -> Vec<PublishOutcome> {
    let mut outcomes = Vec::new();
    for confirm in confirms {
        outcomes.push(tokio::time::timeout(Duration::from_secs(60), confirm).await.expect("an outcome"));
    }
    outcomes
}

/// The outcome, and its reason if it has one.
pub(crate) fn shown(outcome: &PublishOutcome) -> String {
    match outcome {
        PublishOutcome::NotSent(why) => format!("not sent: {why}"),
        PublishOutcome::Unknown(why) => format!("unknown: {why}"),
        PublishOutcome::Rejected(why) => format!("rejected: {why}"),
        other => format!("{other:?}").to_lowercase(),
    }
}
