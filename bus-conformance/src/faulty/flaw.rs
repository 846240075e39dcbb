/// One list for the enum and for [`Flaw::ALL`], so that no flaw can be left out of the tests.
macro_rules! flaws {
    ($($(#[$doc:meta])* $flaw:ident,)*) => {
        /// How a transport breaks its promises, for good: what a bug in a transport would look like from outside.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Flaw {
            $($(#[$doc])* $flaw,)*
        }

        impl Flaw {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$flaw),*];
        }
    };
}

flaws! {
    /// Every other message, from the first on, is confirmed and thrown away.
    Drops,
    /// Every message is sent twice.
    Duplicates,
    /// A body of more than 64 KiB is confirmed and thrown away.
    SwallowsLarge,
    /// What is not ASCII, in bodies and headers, arrives as question marks.
    Mangles,
    /// Messages lose their headers on the way.
    LosesHeaders,
    /// Messages lose the transport's message id and correlation id on the way.
    LosesIds,
    /// Messages lose their media type on the way.
    LosesContentType,
    /// Messages stay for ever, whatever their time to live.
    IgnoresTimeToLive,
    /// Messages come at once, whatever their delay.
    IgnoresDelays,
    /// Messages lose their lane on the way.
    IgnoresLanes,
    /// What only the transport knows of a message is lost on the way: also that its queue is to be made.
    LosesExtensions,
    /// A message that reaches no queue counts as confirmed.
    HidesUnroutable,
    /// A message is confirmed before the broker has it.
    ConfirmsEarly,
    /// Every message goes to every queue that takes its type; `queue:` means nothing.
    Broadcasts,
    /// What publishing to a topic needs beyond the topic is not brought about.
    IgnoresAnnouncements,
    /// A binding with a routing key takes everything.
    IgnoresRoutingKeys,
    /// The prefetch is not told to the broker.
    IgnoresPrefetch,
    /// What arrives together is handed out in reverse.
    Reorders,
    /// What lies in a queue before a receiver comes is thrown away.
    SkipsBacklog,
    /// All queues together have one delivery out at a time.
    SticksTogether,
    /// A delivery is completed when it is handed out.
    AcksEarly,
    /// Completing one delivery completes another one too, if there is one.
    AcksTwo,
    /// Completing one delivery completes all that the receiver handed out.
    AcksAll,
    /// Completing a delivery is not told to the broker, which keeps the message.
    KeepsCompleted,
    /// Settling a delivery counts as settled, also when it is somebody else's by then.
    HidesLostLeases,
    /// A delivery that is released is gone.
    LosesReleased,
    /// Redelivered messages do not say so.
    HidesRedelivery,
    /// Its health is always good.
    HidesTrouble,
    /// Closing it takes until the deadline, whether there is something to wait for or not.
    ClosesLate,
    /// Once closed it cannot be connected again.
    ClosesForGood,
}
