//! A way to a server that misbehaves like a network: cut, half-open, stalled, slow, broken off inside a frame.

mod frames;

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use frames::Frames;

/// How long a client may send nothing before its connection is closed without a reset.
const UNREAD: Duration = Duration::from_secs(5);

/// Listens on a port of its own and passes on what comes, to one AMQP server. Plain threads: it goes on while the
/// program under test blocks its runtime.
///
/// ```no_run
/// let relay = xtask::Relay::to("127.0.0.1:5672");
/// println!("amqp://guest:guest@127.0.0.1:{}", relay.port());
/// relay.cut();
/// ```
#[derive(Debug)]
pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

/// Whose frame it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client's.
    Client,
    /// The server's.
    Server,
}

/// What may happen to a frame of the server's: false loses it; it may be changed.
type Filter = Arc<dyn Fn(&mut [u8]) -> bool + Send + Sync>;

struct Shared {
    server: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<Arc<Line>>,
    /// The server's ends of connections whose clients were cut off.
    believing: Vec<TcpStream>,
    refusing: bool,
    /// Nothing passes, on any connection.
    stalled: bool,
    /// Bytes a second in each direction.
    rate: Option<u32>,
    filter: Option<Filter>,
    /// The next frame of this side ends in its middle.
    breaking: Option<Side>,
    /// How many ended so.
    broken: usize,
    /// When clients connected.
    accepted: Vec<Instant>,
    ended: bool,
}

struct Line {
    client: TcpStream,
    server: TcpStream,
    mode: Mutex<Mode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Passing,
    /// Nothing passes any more, and neither side is told.
    Silent,
    /// Nothing of the client's is read any more: what lies unread at the end makes that a reset.
    Resetting,
}

impl Relay {
    /// In front of a server at `host:port`.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn to(server: impl Into<String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared { server: server.into(), state: Mutex::default(), changed: Condvar::new() });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.state().ended {
                    return;
                }
                // A client that cannot be served sees its connection closed.
                let _ = accepting.serve(client);
            }
        });
        Self { port, shared }
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes every connection, on both sides.
    pub fn cut(&self) {
        for line in self.shared.state().lines.drain(..) {
            line.close();
        }
    }

    /// Closes every connection on the client's side; the server goes on believing in it until it is
    /// [told](Self::tell).
    pub fn cut_client(&self) {
        let mut state = self.shared.state();
        for line in std::mem::take(&mut state.lines) {
            line.set(Mode::Silent);
            if let Ok(server) = line.server.try_clone() {
                state.believing.push(server);
            }
            let _ = line.client.shutdown(Shutdown::Both);
        }
    }

    /// Closes what [`cut_client`](Self::cut_client) left open.
    pub fn tell(&self) {
        for server in self.shared.state().believing.drain(..) {
            let _ = server.shutdown(Shutdown::Both);
        }
    }

    /// Makes the connections that there are half-open: nothing passes any more, and nobody is told. New ones work.
    pub fn silence(&self) {
        let mut state = self.shared.state();
        for line in &state.lines {
            line.set(Mode::Silent);
        }
        // Kept open, and forgotten otherwise.
        let muted = std::mem::take(&mut state.lines);
        state.believing.extend(muted.iter().filter_map(|line| line.server.try_clone().ok()));
        state.believing.extend(muted.iter().filter_map(|line| line.client.try_clone().ok()));
    }

    /// Lets nothing pass, on new connections either, until it is told otherwise.
    pub fn stall(&self, stalled: bool) {
        self.shared.state().stalled = stalled;
        self.shared.changed.notify_all();
    }

    /// Lets so many bytes a second pass in each direction of each connection; none: as many as come.
    pub fn slow(&self, bytes: Option<u32>) {
        self.shared.state().rate = bytes;
    }

    /// Ends the next connection on which a frame of that side comes, in the middle of the frame. To the client it is
    /// a reset.
    pub fn break_frame(&self, of: Side) {
        self.shared.state().breaking = Some(of);
    }

    /// How many connections were reset in the middle of a frame.
    #[must_use]
    pub fn broken(&self) -> usize {
        self.shared.state().broken
    }

    /// When clients connected, refused ones included, since the relay began.
    #[must_use]
    pub fn accepted(&self) -> Vec<Instant> {
        self.shared.state().accepted.clone()
    }

    /// Closes new connections at once, as a port behind which nobody listens.
    pub fn refuse(&self, refusing: bool) {
        self.shared.state().refusing = refusing;
    }

    /// Shows each frame of the server's to `keep`, which may change it, and loses those that it is false for.
    pub fn filter(&self, keep: impl Fn(&mut [u8]) -> bool + Send + Sync + 'static) {
        self.shared.state().filter = Some(Arc::new(keep));
    }

    /// Passes all frames on as they are.
    pub fn unfilter(&self) {
        self.shared.state().filter = None;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_all();
        self.cut();
        self.tell();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        {
            let mut state = self.state();
            state.accepted.push(Instant::now());
            if state.refusing {
                return Ok(());
            }
        }
        let server = TcpStream::connect(&self.server)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
        let line = Arc::new(Line { client, server, mode: Mutex::new(Mode::Passing) });
        self.state().lines.push(line.clone());
        let (up, down) = ((self.clone(), line.clone()), (self.clone(), line));
        thread::spawn(move || {
            let (shared, line) = up;
            let _ = shared.bytes(from_client, &line);
            shared.end(&line);
        });
        thread::spawn(move || {
            let (shared, line) = down;
            let _ = shared.frames(from_server, &line);
            shared.end(&line);
        });
        Ok(())
    }

    fn bytes(&self, mut from: TcpStream, line: &Line) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        let mut frames = Frames::of_client();
        loop {
            if from.peek(&mut [0])? == 0 || line.is(Mode::Resetting) {
                return Ok(());
            }
            let read = from.read(&mut buffer)?;
            let bytes = &buffer[..read];
            match frames.middle(bytes).filter(|_| self.breaks(Side::Client)) {
                Some(middle) => return self.reset(&line.server, &bytes[..middle], line),
                None => self.pass(&line.server, bytes, line)?,
            }
        }
    }

    fn frames(&self, mut from: TcpStream, line: &Line) -> io::Result<()> {
        loop {
            let mut frame = vec![0; 7];
            from.read_exact(&mut frame)?;
            let length = u32::from_be_bytes([frame[3], frame[4], frame[5], frame[6]]) as usize;
            frame.resize(7 + length + 1, 0);
            from.read_exact(&mut frame[7..])?;
            let filter = self.state().filter.clone();
            if filter.is_some_and(|keep| !keep(&mut frame)) {
                continue;
            }
            if self.breaks(Side::Server) {
                return self.reset(&line.client, &frame[..frame.len() / 2], line);
            }
            self.pass(&line.client, &frame, line)?;
        }
    }

    /// Whether this frame is to be broken off.
    fn breaks(&self, side: Side) -> bool {
        self.state().breaking.take_if(|breaking| *breaking == side).is_some()
    }

    /// Passes the last bytes on, and waits until something of the client's lies unread: closed then, its connection
    /// is reset.
    fn reset(&self, to: &TcpStream, bytes: &[u8], line: &Line) -> io::Result<()> {
        line.set(Mode::Resetting);
        self.pass(to, bytes, line)?;
        line.client.set_read_timeout(Some(UNREAD))?;
        if line.client.peek(&mut [0])? > 0 {
            self.state().broken += 1;
        }
        Ok(())
    }

    /// Passes it on when it may.
    fn pass(&self, mut to: &TcpStream, bytes: &[u8], line: &Line) -> io::Result<()> {
        let mut state = self.state();
        while state.stalled && !state.ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        // Not read any more either: what the sender writes fills its buffers, as on a network that is gone.
        while line.is(Mode::Silent) && !state.ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let rate = state.rate;
        drop(state);
        let Some(rate) = rate else { return to.write_all(bytes) };
        for part in bytes.chunks(1024) {
            thread::sleep(Duration::from_secs_f64(part.len() as f64 / f64::from(rate)));
            to.write_all(part)?;
        }
        Ok(())
    }

    /// One side is gone: so is the other, unless it is not to know.
    fn end(&self, line: &Arc<Line>) {
        if line.is(Mode::Silent) {
            return;
        }
        if line.is(Mode::Resetting) {
            // A shutdown would be an ordinary end: the reset comes when both threads have let go of it.
            let _ = line.server.shutdown(Shutdown::Both);
        } else {
            line.close();
        }
        self.state().lines.retain(|known| !Arc::ptr_eq(known, line));
    }
}

impl Line {
    fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }

    fn is(&self, mode: Mode) -> bool {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner) == mode
    }

    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("server", &self.server).finish_non_exhaustive()
    }
}
