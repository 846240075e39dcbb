use bus_core::envelope::HeaderValue;
use lapin::types::{AMQPValue, FieldTable};

use crate::{EndpointOptions, link::ServerVersion};

pub(super) const DELIVERY_LIMIT: &str = "x-delivery-limit";

/// The limit of RabbitMQ 4 where nobody says one.
const USUAL: u32 = 20;

/// After how many deliveries a queue with these options may delete a message, if it counts them. AMQP does not tell which
/// limit holds: a policy's does even where the argument is -1, and of two the smaller one.
pub(crate) fn supposed_limit(options: &EndpointOptions) -> u32 {
    options.get(DELIVERY_LIMIT).and_then(HeaderValue::as_u32).map_or(USUAL, |said| said.min(USUAL))
}

/// RabbitMQ 4 deletes a message of a quorum queue at its 20th delivery unless the limit is lifted; before, a
/// lifted limit would delete every message. Absent where it is not ours to choose: the user said one, or the
/// queue is of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeliveryLimit {
    lifted: bool,
    /// Both ways were tried.
    turned: bool,
}

impl DeliveryLimit {
    /// Lifted only if the server is known to be one that understands it.
    pub(super) fn of(options: &EndpointOptions, server: Option<&ServerVersion>) -> Option<Self> {
        (options.is_quorum() && options.get(DELIVERY_LIMIT).is_none())
            .then(|| Self { lifted: server.is_some_and(|server| server.is_at_least(4)), turned: false })
    }

    pub(super) fn add_to(self, arguments: &mut FieldTable) {
        if self.lifted {
            arguments.insert(DELIVERY_LIMIT.into(), AMQPValue::LongInt(-1));
        }
    }

    /// The queue is there, made the other way: by an older server, by a peer, by us over TLS. False if that
    /// was tried already.
    pub(super) fn turn(&mut self) -> bool {
        self.lifted = !self.lifted;
        !std::mem::replace(&mut self.turned, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint;

    #[test]
    fn only_a_server_that_understands_it_is_asked_to_lift_the_limit() {
        let lifted = |options: &EndpointOptions, server: Option<&str>| {
            let mut arguments = FieldTable::default();
            if let Some(limit) = DeliveryLimit::of(options, server.map(ServerVersion::from).as_ref()) {
                limit.add_to(&mut arguments);
            }
            arguments.inner().get(DELIVERY_LIMIT).cloned()
        };
        assert_eq!(lifted(&endpoint().quorum(), Some("4.0.1")), Some(AMQPValue::LongInt(-1)));
        assert_eq!(lifted(&endpoint().quorum(), Some("3.13.7")), None);
        assert_eq!(lifted(&endpoint().quorum(), None), None);
        assert_eq!(lifted(&endpoint(), Some("4.0.1")), None);
        assert_eq!(lifted(&endpoint().quorum().argument(DELIVERY_LIMIT, 50), Some("4.0.1")), None);
    }

    #[test]
    fn a_queue_is_supposed_to_have_the_limit_that_was_said_unless_rabbitmqs_own_is_smaller() {
        let said = |limit: i32| supposed_limit(&endpoint().quorum().argument(DELIVERY_LIMIT, limit));
        assert_eq!([said(5), said(50), said(-1), supposed_limit(&endpoint())], [5, 20, 20, 20]);
    }
}
