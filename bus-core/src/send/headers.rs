use serde_json::{Map, Value};

use crate::envelope::{HeaderValue, Headers, Incoming};

/// The headers of a message that travel on to what is sent while handling it: all but MassTransit's own.
pub(crate) fn inherited_headers(incoming: &Incoming) -> Map<String, Value> {
    let of_masstransit = |name: &str| name.get(..3).is_some_and(|prefix| prefix.eq_ignore_ascii_case("MT-"));
    let headers = incoming.headers().iter().filter(|(name, _)| !of_masstransit(name));
    headers.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The simple values among the envelope's headers, as MassTransit types them for the transport: whole
/// numbers with 64 bits, `true` as text, `false` and everything composite in the envelope only.
pub(crate) fn transport_headers(headers: &Map<String, Value>) -> Headers {
    let simple = headers.iter().filter_map(|(name, value)| {
        let value: HeaderValue = match value {
            Value::String(text) => text.clone().into(),
            Value::Bool(true) => "True".into(),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => whole.into(),
                None => number.as_f64()?.into(),
            },
            _ => return None,
        };
        Some((name.clone(), value))
    });
    simple.collect()
}
