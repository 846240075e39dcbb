//! What works, and may work otherwise than expected.

use std::time::Duration;

use super::{EndpointBuilder, rules::Rules};

/// A sentence each, with the line in question.
pub(super) fn doubts(endpoint: &EndpointBuilder, (prefetch, concurrency): (u16, u16), rules: &Rules) -> Vec<String> {
    let mut doubts = Vec::new();
    if prefetch < concurrency {
        let text = format!(
            "its prefetch of {prefetch} is below its concurrency of {concurrency}: no more than {prefetch} are handled at \
             once; write a prefetch of at least {concurrency}"
        );
        doubts.push(endpoint.problem_at(text, endpoint.prefetch.source_in(endpoint.place())).to_string());
    }
    for (consumer, own) in endpoint.consumers.iter().filter_map(|consumer| Some((consumer, (*consumer.concurrency)?))) {
        if own > concurrency {
            let text = format!(
                "its own concurrency of {own} is above that of the endpoint, {concurrency}: no more than {concurrency} run \
                 at once; raise that of the endpoint"
            );
            let doubt = endpoint
                .problem_at(text, consumer.concurrency.source_in(consumer.place()))
                .of_consumer(consumer.name());
            doubts.push(doubt.to_string());
        }
    }
    let lease = rules.transport().and_then(|transport| transport.capabilities().lease);
    let outlasting = lease.and_then(|lease| outlasting(endpoint, (prefetch, concurrency), lease));
    doubts.extend(
        outlasting.map(|text| endpoint.problem_at(text, endpoint.prefetch.source_in(endpoint.place())).to_string()),
    );
    doubts
}

/// A sentence if the last of the messages that an endpoint holds may be begun only after its lease, as it is where a
/// broker gives each delivery away for a while: `prefetch` times the timeout, divided by `concurrency`.
///
/// Where no consumer has a timeout nobody knows how long an attempt takes, and nothing is said.
fn outlasting(endpoint: &EndpointBuilder, (prefetch, concurrency): (u16, u16), lease: Duration) -> Option<String> {
    let timeouts = endpoint.consumers.iter().map(|consumer| consumer.timeout.or(*endpoint.timeout));
    // `Duration::MAX` means for ever.
    let timeout = timeouts.flatten().filter(|timeout| *timeout < Duration::MAX).max()?;
    let held = timeout.saturating_mul(prefetch.into()) / u32::from(concurrency.max(1));
    if held <= lease {
        return None;
    }
    let fits = u128::from(concurrency).saturating_mul(lease.as_nanos()) / timeout.as_nanos().max(1);
    let advice = match fits {
        0 => "shorten the timeout, or have the broker give longer leases".to_owned(),
        fits if fits < u128::from(concurrency) => {
            format!("shorten the timeout, have the broker give longer leases, or write a prefetch of {fits}")
        }
        fits => format!("write a prefetch of {fits}, a higher concurrency or a shorter timeout"),
    };
    Some(format!(
        "its prefetch of {prefetch} takes up to {held:?} ({concurrency} at once, each for up to \
         {timeout:?}), and the broker gives a delivery away for {lease:?}: what waits longer has to be renewed, or comes \
         again; {advice}"
    ))
}
