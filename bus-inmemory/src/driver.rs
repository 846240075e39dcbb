use std::sync::Arc;

use bus_core::transport::{Driver, Environment, Transport, TransportError};

use crate::{address::SCHEME, broker::registry, transport::MemoryTransport};

/// The driver of `memory://NAME`.
pub static DRIVER: MemoryDriver = MemoryDriver(());

/// Opens [brokers in this process](crate). There is one: [`DRIVER`].
#[derive(Debug)]
pub struct MemoryDriver(());

impl Driver for MemoryDriver {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &[SCHEME]
    }

    fn open(&self, url: &str, environment: Environment) -> Result<Arc<dyn Transport>, TransportError> {
        let name = broker_name(url).map_err(|reason| TransportError::Url { reason })?;
        Ok(Arc::new(MemoryTransport::new(registry::broker(name), environment.clock)))
    }
}

/// `shop` of `memory://shop`. The error never quotes the URL: somebody may have put credentials there.
fn broker_name(url: &str) -> Result<&str, String> {
    let name = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest.strip_suffix('/').unwrap_or(rest),
        _ => return Err("it begins with `memory://`, such as `memory://shop`".to_owned()),
    };
    if name.is_empty() {
        return Err("the broker's name is missing: write for example `memory://shop`".to_owned());
    }
    if let Some(wrong) = name.chars().find(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        return Err(format!(
            "`{wrong}` cannot be in a broker's name, which has letters, digits, `-`, `_` and `.`: write for example \
             `memory://shop`"
        ));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_name_and_nothing_else() {
        let check = |url: &str, expected: Result<&str, &str>| {
            assert_eq!(broker_name(url), expected.map_err(str::to_owned), "{url}");
        };
        check("memory://shop", Ok("shop"));
        check("memory://shop/", Ok("shop"));
        check("MEMORY://web.shop-1_b", Ok("web.shop-1_b"));
        check("memory://", Err("the broker's name is missing: write for example `memory://shop`"));
        check("memory:///", Err("the broker's name is missing: write for example `memory://shop`"));
        check("memory:shop", Err("it begins with `memory://`, such as `memory://shop`"));
        check("amqp://shop", Err("it begins with `memory://`, such as `memory://shop`"));
        for (url, wrong) in [("memory://u:p@shop", ':'), ("memory://shop/live", '/'), ("memory://shop?x=1", '?')] {
            let reason = broker_name(url).unwrap_err();
            assert!(reason.starts_with(&format!("`{wrong}` cannot")), "{reason}");
        }
    }
}
