use std::fmt;

use bus_core::{BoxError, transport::TransportError};
use lapin::{
    Error, ErrorKind,
    protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError},
};

/// What lapin closes a connection over.
const UNREADABLE: &str = "a message that the client cannot read";

/// Why lapin's last call failed, in the broker's words where it had some.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    kind: Kind,
    words: String,
    provoked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 404: there is no such queue or exchange.
    Missing,
    /// 406: it exists with other properties, or the broker will not have it.
    Precondition,
    /// 403 on a channel: no permission.
    Denied,
    /// 405: it exists, and another connection has it for itself alone.
    Locked,
    /// Wrong user, password or virtual host.
    NoAccess,
    /// We do not know who we are: nobody was asked.
    NoCredentials,
    /// Other errors that end a channel.
    Channel,
    /// The broker did not answer in time, and the connection stands.
    Unanswered,
    /// The connection is gone, or never was.
    Disconnected,
}

impl Refusal {
    pub(crate) fn new(kind: Kind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into(), provoked: false }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// There is no such queue.
    pub(crate) fn is_missing_queue(&self) -> bool {
        self.kind == Kind::Missing && self.words.contains("no queue")
    }

    /// The broker did not wait longer for an acknowledgement: its `consumer_timeout` is over.
    pub(crate) fn is_overdue(&self) -> bool {
        self.kind == Kind::Precondition && self.words.contains("timed out")
    }

    /// There is no such exchange: this one, if the broker says which.
    pub(crate) fn missing_exchange(&self) -> Option<&str> {
        let name = self.words.split_once("no exchange '")?.1.split_once("' in vhost")?.0;
        (self.kind == Kind::Missing).then_some(name)
    }

    /// The broker answered, and the connection goes on.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self.kind, Kind::Missing | Kind::Precondition | Kind::Denied | Kind::Locked | Kind::Channel)
    }

    /// The broker ended the connection over something that it was sent: the same, sent again, may end the next one.
    pub(crate) fn is_provoked(&self) -> bool {
        self.provoked
    }

    pub(crate) fn boxed(self) -> BoxError {
        Box::new(self)
    }

    /// As the error of an action at `address`.
    pub(crate) fn during(self, address: &str, action: impl Into<String>) -> TransportError {
        let address = address.to_owned();
        match self.kind {
            Kind::Disconnected | Kind::NoCredentials => TransportError::Disconnected { address, source: self.boxed() },
            Kind::NoAccess => TransportError::AccessRefused { address, source: self.boxed() },
            _ => TransportError::Refused { address, action: action.into(), source: self.boxed() },
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Refusal {}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let words = match error.kind() {
            ErrorKind::ProtocolError(protocol) => protocol.get_message().to_string(),
            ErrorKind::ParsingError(_) => format!("{UNREADABLE}: {error}"),
            _ => error.to_string(),
        };
        let kind = match error.kind() {
            ErrorKind::ProtocolError(protocol) => match protocol.kind() {
                AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND) => Kind::Missing,
                AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => Kind::Precondition,
                AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Kind::Denied,
                AMQPErrorKind::Soft(AMQPSoftError::RESOURCELOCKED) => Kind::Locked,
                AMQPErrorKind::Soft(_) => Kind::Channel,
                // As many connections as are allowed: others will be closed.
                AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) if !words.contains("limit") => Kind::NoAccess,
                AMQPErrorKind::Hard(_) => Kind::Disconnected,
            },
            _ => Kind::Disconnected,
        };
        let provoked = matches!(error.kind(), ErrorKind::ProtocolError(protocol)
            if matches!(protocol.kind(), AMQPErrorKind::Hard(hard) if provoked(hard)));
        Self { kind, words, provoked }
    }
}

/// The others say something about the broker: an operator closes connections, a resource or a permission is missing.
fn provoked(error: &AMQPHardError) -> bool {
    use AMQPHardError::{
        CHANNELERROR, COMMANDINVALID, FRAMEERROR, INTERNALERROR, NOTIMPLEMENTED, SYNTAXERROR, UNEXPECTEDFRAME,
    };
    matches!(
        error,
        FRAMEERROR | SYNTAXERROR | COMMANDINVALID | CHANNELERROR | UNEXPECTEDFRAME | NOTIMPLEMENTED | INTERNALERROR
    )
}

/// While connecting, a 403 ends the connection although AMQP counts it among the errors of channels.
pub(crate) fn while_connecting(error: Error) -> Refusal {
    let refusal = Refusal::from(error);
    match refusal.kind {
        Kind::Denied => Refusal { kind: Kind::NoAccess, ..refusal },
        kind if kind != Kind::NoAccess && refusal.is_answer() => Refusal { kind: Kind::Disconnected, ..refusal },
        _ => refusal,
    }
}

#[cfg(test)]
mod tests {
    use lapin::protocol::AMQPError;

    use super::*;

    fn refused(words: &str) -> Kind {
        let error = AMQPError::new(AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED), words.into());
        while_connecting(ErrorKind::ProtocolError(error).into()).kind()
    }

    #[test]
    fn an_acknowledgement_that_comes_too_late_is_told_from_other_preconditions() {
        let refused = |words: &str| {
            let error = AMQPError::new(AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED), words.into());
            Refusal::from(Error::from(ErrorKind::ProtocolError(error))).is_overdue()
        };
        assert!(refused(
            "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms. \
             This timeout value can be configured, see consumers doc guide to learn more"
        ));
        assert!(!refused("PRECONDITION_FAILED - unknown delivery tag 7"));
    }

    #[test]
    fn the_exchange_that_is_missing_is_known_by_the_brokers_words() {
        let missing = |words| Refusal::new(Kind::Missing, words).missing_exchange().map(str::to_owned);
        let said = missing("NOT_FOUND - no exchange 'Acme:Event' in vhost '/'");
        assert_eq!(said.as_deref(), Some("Acme:Event"));
        assert_eq!(missing("NOT_FOUND - no queue 'q' in vhost '/'"), None);
    }

    #[test]
    fn too_many_connections_are_no_wrong_password() {
        assert_eq!(refused("NOT_ALLOWED - vhost missing not found"), Kind::NoAccess);
        let words = "NOT_ALLOWED - access to vhost 'v' refused for user 'guest': connection limit (1) is reached";
        assert_eq!(refused(words), Kind::Disconnected);
    }
}
