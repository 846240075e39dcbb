use std::time::Duration;

use super::EndpointBuilder;

/// A sentence if the last of the messages that an endpoint holds may be begun only after its lease, as it is where a
/// broker gives each delivery away for a while: `prefetch` times the timeout, divided by `concurrency`.
///
/// Where no consumer has a timeout nobody knows how long an attempt takes, and nothing is said.
pub(super) fn outlasting(
    endpoint: &EndpointBuilder,
    (prefetch, concurrency): (u16, u16),
    lease: Duration,
) -> Option<String> {
    let timeouts = endpoint.consumers.iter().map(|consumer| consumer.timeout.or(*endpoint.timeout));
    // `Duration::MAX` means for ever.
    let timeout = timeouts.flatten().filter(|timeout| *timeout < Duration::MAX).max()?;
    let held = timeout.saturating_mul(prefetch.into()) / u32::from(concurrency.max(1));
    if held <= lease {
        return None;
    }
    let name = &endpoint.name;
    let fits = u128::from(concurrency).saturating_mul(lease.as_nanos()) / timeout.as_nanos().max(1);
    let advice = match fits {
        0 => "shorten the timeout, or have the broker give longer leases".to_owned(),
        fits if fits < u128::from(concurrency) => {
            format!("shorten the timeout, have the broker give longer leases, or write a prefetch of {fits}")
        }
        fits => format!("write a prefetch of {fits}, a higher concurrency or a shorter timeout"),
    };
    Some(format!(
        "endpoint `{name}`: its prefetch of {prefetch} takes up to {held:?} ({concurrency} at once, each for up to \
         {timeout:?}), and the broker gives a delivery away for {lease:?}: what waits longer has to be renewed, or comes \
         again; {advice}"
    ))
}
