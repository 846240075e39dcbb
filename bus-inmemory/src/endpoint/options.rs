use std::{fmt, sync::Arc, time::Duration};

/// Options of an endpoint on the broker in memory: `.with(bus_inmemory::endpoint().lanes())`.
#[must_use]
pub fn endpoint() -> EndpointOptions {
    EndpointOptions::default()
}

/// How an endpoint's queue is declared. The default is a queue without any of this.
///
/// An existing queue with other options refuses to be declared: that is an error at start, which names both.
/// What cannot be is an error of `build()`. Other transports ignore these options.
///
/// ```
/// use std::time::Duration;
/// use bus_core::{Builder, bus::Catalog, consumer::Failure};
/// # use bus_core::Message;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme", crate = bus_core)]
/// # struct Audit {}
///
/// let bus = Builder::new("memory://shop", Catalog::default())
///     .driver(&bus_inmemory::DRIVER)
///     .endpoint("audit", |e| {
///         e.consumer(|_: Audit| async { Ok::<_, Failure>(()) })
///             .with(bus_inmemory::endpoint().lanes().lease(Duration::from_secs(30)))
///     })
///     .build()?;
/// # Ok::<(), bus_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointOptions {
    pub(crate) lease: Option<Duration>,
    pub(crate) lanes: bool,
    pub(crate) dead_letter: Option<Arc<str>>,
    pub(crate) time_to_live: Option<Duration>,
    pub(crate) max_length: Option<usize>,
}

impl EndpointOptions {
    /// A delivery belongs to its receiver for so long, from when it is pushed to it: the time in the buffer
    /// counts. Renewing it begins the time anew; when it is over the message goes back to its place (redelivered, if
    /// it was handed out), and settling it is [`LeaseLost`](bus_core::transport::SettleOutcome::LeaseLost). Default: as
    /// long as the receiver lives.
    ///
    /// Since each queue has its own lease, it is told by each delivery
    /// ([`Delivery::lease`](bus_core::transport::Delivery::lease)), and not by the transport's capabilities.
    #[must_use]
    pub fn lease(mut self, length: Duration) -> Self {
        self.lease = Some(length);
        self
    }

    /// Messages of one [lane](bus_core::transport::Outgoing::lane) go to one consumer at a time, in order: a
    /// consumer that has a message of a lane, in its buffer or handed out, gets all others of it until it has none.
    /// Others get other lanes meanwhile; messages without a lane go to anybody. Default: lanes are ignored.
    ///
    /// A message that comes back brings along those of its lane that were not handed out. Those that were stay
    /// with their consumer, and so does the lane.
    ///
    /// Lanes are neither assigned nor revoked: whose they are follows from message to message, without events.
    #[must_use]
    pub fn lanes(mut self) -> Self {
        self.lanes = true;
        self
    }

    /// A message whose time to live is over goes to this queue, as soon as it is over. The queue is made when it is
    /// needed first, without options, unless it is there. The message arrives with the headers
    /// `Bus-Dead-Letter-Reason: expired` and `Bus-Dead-Letter-Queue`, the queue that it was in, and without its time
    /// to live. What was handed out in time is no dead letter, unless it comes back too late. Default: it is
    /// dropped.
    #[must_use]
    pub fn dead_letter(mut self, queue: impl Into<Arc<str>>) -> Self {
        self.dead_letter = Some(queue.into());
        self
    }

    /// Every message lives for so long in the queue, or shorter if it says so itself; see
    /// [`dead_letter`](Self::dead_letter) for what becomes of it then. Default: as long as it says, or for ever.
    #[must_use]
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time);
        self
    }

    /// At most so many messages wait in the queue; those that a consumer has do not count. When it is full, a new
    /// message is [`Rejected`](bus_core::transport::PublishOutcome::Rejected); one that is published to several
    /// queues goes to none of them then. Default: no limit but memory.
    ///
    /// What the broker has is never refused: delayed messages, dead letters and what comes back enter a full queue
    /// too.
    #[must_use]
    pub fn max_length(mut self, messages: usize) -> Self {
        self.max_length = Some(messages);
        self
    }
}

impl EndpointOptions {
    /// Those that were set, by name.
    pub(crate) fn described(&self) -> Vec<(String, String)> {
        let Self { lease, lanes, dead_letter, time_to_live, max_length } = self;
        let options = [
            ("lease", lease.map(|length| format!("{length:?}"))),
            ("lanes", lanes.then(|| "true".to_owned())),
            ("dead_letter", dead_letter.as_deref().map(str::to_owned)),
            ("time_to_live", time_to_live.map(|time| format!("{time:?}"))),
            ("max_length", max_length.map(|messages| messages.to_string())),
        ];
        options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// As people wrote them.
impl fmt::Display for EndpointOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lease, lanes, dead_letter, time_to_live, max_length } = self;
        if *self == Self::default() {
            return f.write_str("no options");
        }
        if let Some(length) = lease {
            write!(f, ".lease({length:?})")?;
        }
        if *lanes {
            f.write_str(".lanes()")?;
        }
        if let Some(queue) = dead_letter {
            write!(f, ".dead_letter({queue:?})")?;
        }
        if let Some(time) = time_to_live {
            write!(f, ".time_to_live({time:?})")?;
        }
        if let Some(messages) = max_length {
            write!(f, ".max_length({messages})")?;
        }
        Ok(())
    }
}
