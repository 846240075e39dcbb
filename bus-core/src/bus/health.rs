use serde::Serialize;

/// How a bus is: [`Bus::health`](super::Bus::health). Nothing in it is a guess: a lost subscription or connection
/// shows, with why. As JSON its members are camelCase.
///
/// The reasons are for people, and their words may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Health {
    /// Whether everything works: none of the others has a problem. `false` before the start and after the stop.
    pub healthy: bool,
    /// Why messages cannot be sent now; nothing if they can.
    pub connection: Option<String>,
    /// Why queues and bindings could not be brought about again; nothing if they could.
    pub topology: Option<String>,
    /// Every endpoint.
    pub endpoints: Vec<EndpointHealth>,
}

/// How an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EndpointHealth {
    /// The endpoint's name.
    pub name: String,
    /// Why it does not receive, or holds messages because of the broker; nothing if it does its work.
    pub problem: Option<String>,
}
