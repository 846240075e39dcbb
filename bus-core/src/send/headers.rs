use serde_json::{Map, Value};

use super::header::simple;
use crate::envelope::{Headers, Incoming};

/// The headers of a message that travel on to what is sent while handling it: all but MassTransit's own.
pub(crate) fn inherited_headers(incoming: &Incoming) -> Map<String, Value> {
    let of_masstransit = |name: &str| name.get(..3).is_some_and(|prefix| prefix.eq_ignore_ascii_case("MT-"));
    let headers = incoming.headers().iter().filter(|(name, _)| !of_masstransit(name));
    headers.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The transport's headers for envelope headers that are known as JSON only; composite ones, `false` and
/// `null` are in the envelope alone.
pub(crate) fn transport_headers(headers: &Map<String, Value>) -> Headers {
    headers.iter().filter_map(|(name, value)| Some((name.clone(), simple(value)?))).collect()
}
