use super::TypeName;

/// What the wire says about a message type: its URN, and the name of the entity it is published to.
///
/// Rules of MassTransit v8: the URN is `urn:message:Namespace:Name`, the exchange is `Namespace:Name`.
#[derive(Debug)]
pub struct MessageType {
    name: TypeName,
    urn: String,
    entity_name: String,
}

impl MessageType {
    /// Describes the type `name` in `namespace`; nested types are written `Outer+Inner`.
    #[must_use]
    pub fn new(namespace: &'static str, name: &'static str) -> Self {
        Self::generic(namespace, name, Vec::new())
    }

    /// Describes a generic type with its arguments: `Fault` of `SubmitOrder`.
    #[must_use]
    pub fn generic(namespace: &'static str, name: &'static str, arguments: Vec<&'static MessageType>) -> Self {
        let name = TypeName { namespace, name, arguments };
        Self { urn: format!("{PREFIX}{}", name.urn_body()), entity_name: name.entity_name(), name }
    }

    /// Replaces the URN. A text without scheme gets the prefix `urn:message:`; the entity name stays.
    #[must_use]
    pub fn with_urn(mut self, urn: &str) -> Self {
        self.urn =
            if urn.contains("://") || urn.starts_with("urn:") { urn.to_owned() } else { format!("{PREFIX}{urn}") };
        self
    }

    /// Replaces the entity name (exchange, topic); the URN stays.
    #[must_use]
    pub fn with_entity_name(mut self, entity_name: &str) -> Self {
        entity_name.clone_into(&mut self.entity_name);
        self
    }

    /// `urn:message:Acme.Orders:SubmitOrder`. Compared without regard to case.
    pub fn urn(&self) -> &str {
        &self.urn
    }

    /// `Acme.Orders:SubmitOrder`, MassTransit's name of the exchange that the type is published to.
    pub fn entity_name(&self) -> &str {
        &self.entity_name
    }

    /// The name in parts, for transports whose entities are named by other rules.
    pub fn name(&self) -> &TypeName {
        &self.name
    }

    /// `Acme.Orders.SubmitOrder`, the .NET type name that fault headers carry.
    pub fn dotted_name(&self) -> String {
        format!("{}.{}", self.name.namespace, self.name.name)
    }

    /// The URN without the standard prefix, as it stands inside the brackets of a generic type.
    pub(super) fn urn_body(&self) -> &str {
        self.urn.strip_prefix(PREFIX).unwrap_or(&self.urn)
    }
}

const PREFIX: &str = "urn:message:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urn_and_entity_name_follow_masstransit() {
        let check = |message_type: MessageType, urn: &str, entity_name: &str| {
            assert_eq!(message_type.urn(), urn);
            assert_eq!(message_type.entity_name(), entity_name);
        };
        fn leak(message_type: MessageType) -> &'static MessageType {
            Box::leak(Box::new(message_type))
        }
        let line = || leak(MessageType::new("Shop.Contracts", "Line"));
        let nested = || MessageType::new("Shop.Contracts", "Outer+Inner");
        check(
            MessageType::new("Acme.Orders", "SubmitOrder"),
            "urn:message:Acme.Orders:SubmitOrder",
            "Acme.Orders:SubmitOrder",
        );
        check(nested(), "urn:message:Shop.Contracts:Outer+Inner", "Shop.Contracts:Outer-Inner");
        check(
            MessageType::generic("MassTransit", "Fault", vec![line()]),
            "urn:message:MassTransit:Fault[[Shop.Contracts:Line]]",
            "MassTransit:Fault--Shop.Contracts:Line--",
        );
        let wrapped = leak(MessageType::generic("Shop.Contracts", "Wrapped", vec![leak(nested())]));
        check(
            MessageType::generic("Shop.Contracts", "Pair", vec![line(), wrapped]),
            "urn:message:Shop.Contracts:Pair[[Shop.Contracts:Line],[Shop.Contracts:Wrapped[[Shop.Contracts:Outer+Inner]]]]",
            "Shop.Contracts:Pair--Line::Wrapped--Outer-Inner----",
        );
        check(MessageType::new("Acme", "A").with_urn("b").with_entity_name("c"), "urn:message:b", "c");
        check(MessageType::new("Acme", "A").with_urn("scheme:\\x"), "urn:message:scheme:\\x", "Acme:A");
        check(MessageType::new("Acme", "A").with_urn("https://acme/a"), "https://acme/a", "Acme:A");
    }
}
