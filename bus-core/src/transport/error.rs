use crate::BoxError;

/// Why a transport could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The URL cannot be used. Never quotes credentials.
    #[error("the URL cannot be used: {reason}")]
    Url {
        /// What is wrong, and what to write.
        reason: String,
    },
    /// Nobody answered until the deadline.
    #[error("no connection to {address} within the deadline")]
    Unreachable {
        /// Host, port and virtual host; no credentials.
        address: String,
        /// What the last try said.
        #[source]
        source: BoxError,
    },
    /// The broker refused who we are, or what we may enter. Trying again does not help.
    #[error("{address} refused the connection: check user, password and virtual host")]
    AccessRefused {
        /// Host, port and virtual host; no credentials.
        address: String,
        /// The broker's words.
        #[source]
        source: BoxError,
    },
    /// The broker has an entity of that name with other properties, or refused to make it.
    #[error("{address} refused to declare {entity}")]
    Topology {
        /// Host, port and virtual host; no credentials.
        address: String,
        /// Such as: queue `orders`.
        entity: String,
        /// The broker's words.
        #[source]
        source: BoxError,
    },
    /// The connection was lost, or is not there yet.
    #[error("the connection to {address} is down")]
    Disconnected {
        /// Host, port and virtual host; no credentials.
        address: String,
        /// What ended it.
        #[source]
        source: BoxError,
    },
    /// Anything else the broker refused.
    #[error("{action} failed at {address}")]
    Refused {
        /// Host, port and virtual host; no credentials.
        address: String,
        /// What was tried.
        action: String,
        /// The broker's words.
        #[source]
        source: BoxError,
    },
}
