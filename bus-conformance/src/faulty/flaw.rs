/// How a transport breaks its promises, for good: what a bug in a transport would look like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Every other message, from the first on, is confirmed and thrown away.
    Drops,
    /// Every message is sent twice.
    Duplicates,
    /// Messages lose their headers on the way.
    LosesHeaders,
    /// A message that reaches no queue counts as confirmed.
    HidesUnroutable,
    /// A message is confirmed before the broker has it.
    ConfirmsEarly,
    /// Every message goes to every queue that takes its type; `queue:` means nothing.
    Broadcasts,
    /// The prefetch is not told to the broker.
    IgnoresPrefetch,
    /// A delivery is completed when it is handed out.
    AcksEarly,
    /// Completing one delivery completes all that the receiver handed out.
    AcksAll,
    /// A delivery that is released is gone.
    LosesReleased,
    /// Redelivered messages do not say so.
    HidesRedelivery,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Drops,
        Self::Duplicates,
        Self::LosesHeaders,
        Self::HidesUnroutable,
        Self::ConfirmsEarly,
        Self::Broadcasts,
        Self::IgnoresPrefetch,
        Self::AcksEarly,
        Self::AcksAll,
        Self::LosesReleased,
        Self::HidesRedelivery,
    ];
}
