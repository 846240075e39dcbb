use std::time::Duration;

/// What a broker can do. `build()` compares it with what the endpoints ask for; the conformance suite
/// decides by it which behaviours apply. `None` and `false` mean: cannot.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Capabilities {
    /// Copy and completion are one step; without it the bus copies, waits for the confirm, completes.
    pub atomic_move: bool,
    /// The longest delay of a message to a queue, which the broker holds back itself, and keeps through a restart as
    /// it keeps what lies in queues. It may count in whole seconds: a message never comes before its time.
    pub delay_max: Option<Duration>,
    /// A delayed message can be taken back.
    pub cancel_delayed: bool,
    /// One receiver of a queue gets its messages in the order in which they were confirmed.
    pub ordered: bool,
    /// Each message is settled by itself, and while one is not, others of its queue go to any receiver that has
    /// room. Without it a receiver has whole lanes, as the partitions of a log: what is not settled holds up all
    /// that is behind it.
    pub individual_settlement: bool,
    /// A binding can ask for routing keys: topics of the kinds `direct` and `topic`.
    pub routing_keys: bool,
    /// Order survives the hand-over of a lane from one consumer to another; what was not settled may repeat.
    pub ordered_handover: bool,
    /// How long the broker drops a second message of one id.
    pub dedup_window: Option<Duration>,
    /// How long a delivery belongs to its receiver unless renewed.
    pub lease: Option<Duration>,
    /// The largest body in bytes.
    pub max_size: Option<usize>,
    /// There are lanes: sessions, partitions. Messages of one [`Outgoing::lane`](super::Outgoing::lane) are handled
    /// in order.
    pub sessions: bool,
    /// The server's version, once connected.
    pub server_version: Option<String>,
}
