use std::time::Duration;

/// What is to happen to a message whose handler failed.
///
/// Handlers say it with [`ResultExt`](super::ResultExt) and [`Discard`](super::Discard), endpoints with
/// [`EndpointBuilder::classify`](crate::bus::EndpointBuilder::classify).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The endpoint's retry policy decides, with its filters.
    Retry,
    /// No retry: the message goes to `_error`.
    Permanent,
    /// The next retry comes after this long in place of the policy's pause, exactly. It is one of the policy's
    /// retries: without one left it is how long the message waits for its next round of
    /// [redelivery](crate::bus::EndpointBuilder::redeliver), and without one of those the message goes to `_error`. The
    /// policy's filters are not asked.
    RetryAfter(Duration),
    /// The message is completed and counts as handled: no retry, no fault, no `_error`.
    Discard,
}
