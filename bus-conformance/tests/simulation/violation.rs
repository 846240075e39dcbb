/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A message is nowhere, and was not handled.
    Lost(String),
    /// A delivery was completed before all that it takes was there.
    Early(String),
    /// A sender was told what is not so.
    Told(String),
    /// What an attempt sent left, and the attempt did not succeed.
    Leaked(String),
    /// A message had more than one effect, or is in two places, for no reason.
    Doubled(String),
    /// A message made another number of rounds than it was to make.
    Rounds(String),
    /// A message was sent again with another id.
    Renamed(String),
    /// A delivery was settled twice.
    Settled(String),
    /// A handler was cancelled that had time.
    Cut(String),
    /// A message counts as one that ends processes, and cannot be.
    Blamed(String),
    /// Something did not come to its end.
    Held(String),
    /// Nothing was wrong, and yet something happened that belongs to faults.
    Disturbed(String),
}
