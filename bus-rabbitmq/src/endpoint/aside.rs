use super::{EndpointOptions, endpoint};

/// The options of an `_error` or `_skipped` queue beside a queue with these.
///
/// Ours are durable whatever their source is, and of its type. MassTransit copies every argument, and loses
/// faulted messages by it: to `x-expires`, to a limit, or with the consumer.
pub(crate) fn aside(source: &EndpointOptions) -> EndpointOptions {
    if source.is_quorum() { endpoint().quorum() } else { endpoint() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_type_is_copied() {
        let source = endpoint().quorum().quorum_group_size(3).expires(Duration::from_secs(1)).max_length(4);
        assert_eq!(aside(&source), endpoint().quorum());
        assert_eq!(aside(&endpoint().temporary()), endpoint());
        assert_eq!(aside(&endpoint().expiring_temporary().single_active_consumer()), endpoint());
    }
}
