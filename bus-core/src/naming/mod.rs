//! Names of receive endpoints by convention, and which names entities can have.

mod entity;

pub use entity::check_entity_name;

/// A type's name as an endpoint's name in kebab case, as MassTransit forms it: the suffix `Consumer` is
/// left out, and a run of capitals is not split.
///
/// ```
/// use bus_core::naming::kebab;
///
/// assert_eq!(kebab("SubmitOrderConsumer"), "submit-order");
/// assert_eq!(kebab("OrderHTTPRequest"), "order-httprequest");
/// assert_eq!(kebab("send_invoice"), "send-invoice");
/// ```
#[must_use]
pub fn kebab(type_name: &str) -> String {
    const SUFFIX: usize = "Consumer".len();
    let stem = match type_name.len().checked_sub(SUFFIX) {
        Some(at) if at > 0 && type_name.is_char_boundary(at) && type_name[at..].eq_ignore_ascii_case("consumer") => {
            &type_name[..at]
        }
        _ => type_name,
    };
    let mut name = String::with_capacity(stem.len() + 4);
    let mut before: Option<char> = None;
    for character in stem.chars() {
        if character == '_' {
            name.push('-');
        } else {
            if character.is_uppercase() && before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit()) {
                name.push('-');
            }
            name.extend(character.to_lowercase());
        }
        before = Some(character);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::kebab;

    #[test]
    fn the_suffix_goes_only_where_a_name_is_left() {
        assert_eq!(kebab("Consumer"), "consumer");
        assert_eq!(kebab("OrdersConsumer"), "orders");
        assert_eq!(kebab("Orders2Billing"), "orders2-billing");
    }
}
