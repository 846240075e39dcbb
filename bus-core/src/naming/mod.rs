//! Names of receive endpoints by convention, and which names entities can have.

mod entity;
mod short;

pub use entity::check_entity_name;
pub(crate) use short::short_name;

/// How an endpoint is named after its consumer's type or function, as MassTransit's endpoint name formatters do it: the
/// prefix comes first, the suffix `Consumer` is left out, and a run of capitals is not split.
///
/// ```
/// use bus_core::naming::EndpointNames;
///
/// assert_eq!(EndpointNames::kebab().name("SubmitOrderConsumer"), "submit-order");
/// assert_eq!(EndpointNames::snake().name("OrderHTTPRequest"), "order_httprequest");
/// assert_eq!(EndpointNames::plain().name("SubmitOrderConsumer"), "SubmitOrder");
/// assert_eq!(EndpointNames::kebab().prefix("Acme").name("Orders"), "acme-orders");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointNames {
    case: Case,
    prefix: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Case {
    #[default]
    Kebab,
    Snake,
    Plain,
}

impl EndpointNames {
    /// `submit-order`. The default; MassTransit's `KebabCaseEndpointNameFormatter`.
    #[must_use]
    pub fn kebab() -> Self {
        Self { case: Case::Kebab, prefix: String::new() }
    }

    /// `submit_order`: `SnakeCaseEndpointNameFormatter`.
    #[must_use]
    pub fn snake() -> Self {
        Self { case: Case::Snake, ..Self::default() }
    }

    /// `SubmitOrder`, as the type is written: `DefaultEndpointNameFormatter`.
    #[must_use]
    pub fn plain() -> Self {
        Self { case: Case::Plain, ..Self::default() }
    }

    /// Puts a text in front of each name, to keep services apart that share a broker.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The name for a consumer's type.
    #[must_use]
    pub fn name(&self, type_name: &str) -> String {
        let whole = format!("{}{type_name}", self.prefix);
        let stem = without_suffix(&whole);
        match self.case {
            Case::Plain => stem.to_owned(),
            Case::Snake => separated(stem, '_'),
            Case::Kebab => separated(stem, '-').replace('_', "-"),
        }
    }
}

/// `SubmitOrderConsumer` without `Consumer`, `submit_order_consumer` without `_consumer`; a name that is nothing else
/// stays.
fn without_suffix(name: &str) -> &str {
    const SUFFIX: &str = "consumer";
    match name.len().checked_sub(SUFFIX.len()) {
        Some(at) if at > 0 && name.is_char_boundary(at) && name[at..].eq_ignore_ascii_case(SUFFIX) => {
            name[..at].strip_suffix('_').unwrap_or(&name[..at])
        }
        _ => name,
    }
}

/// In lower case, with a separator before each capital that follows a small letter or a digit.
fn separated(name: &str, separator: char) -> String {
    let mut separated = String::with_capacity(name.len() + 4);
    let mut before: Option<char> = None;
    for character in name.chars() {
        if character.is_uppercase() && before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit()) {
            separated.push(separator);
        }
        separated.extend(character.to_lowercase());
        before = Some(character);
    }
    separated
}

#[cfg(test)]
mod tests {
    use super::EndpointNames;

    #[test]
    fn names_follow_masstransits_formatters() {
        for (type_name, kebab, snake, plain) in [
            ("SubmitOrderConsumer", "submit-order", "submit_order", "SubmitOrder"),
            ("OrderHTTPRequest", "order-httprequest", "order_httprequest", "OrderHTTPRequest"),
            ("Orders2Billing", "orders2-billing", "orders2_billing", "Orders2Billing"),
            ("send_invoice", "send-invoice", "send_invoice", "send_invoice"),
            ("send_invoice_consumer", "send-invoice", "send_invoice", "send_invoice"),
            ("OrdersCONSUMER", "orders", "orders", "Orders"),
            // Nothing would be left.
            ("Consumer", "consumer", "consumer", "Consumer"),
            ("Bestellübersicht", "bestellübersicht", "bestellübersicht", "Bestellübersicht"),
        ] {
            assert_eq!(EndpointNames::kebab().name(type_name), kebab);
            assert_eq!(EndpointNames::snake().name(type_name), snake);
            assert_eq!(EndpointNames::plain().name(type_name), plain);
        }
        assert_eq!(EndpointNames::snake().prefix("Dev").name("OrdersConsumer"), "dev_orders");
    }
}
