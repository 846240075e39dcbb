use super::{TopicKind, TypeName, intern::intern_by_urn};

/// What the wire says about a message type: its URN, the name of the entity it is published to, and the
/// contracts that it fulfils.
///
/// Rules of MassTransit v8: the URN is `urn:message:Namespace:Name`, the exchange is `Namespace:Name`.
#[derive(Debug)]
pub struct MessageType {
    name: TypeName,
    entity_name: String,
    /// The own one first, then those of the contracts.
    urns: Vec<String>,
    contracts: Vec<&'static MessageType>,
    in_topology: bool,
    topic_kind: TopicKind,
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
        Self::named(TypeName { namespace, name, arguments, array: false })
    }

    /// Describes an array of a type, which can be the argument of a generic one: `Item[]`.
    #[must_use]
    pub fn array(of: &'static MessageType) -> Self {
        let TypeName { namespace, name, arguments, .. } = of.name();
        let array = Self::named(TypeName { namespace, name, arguments: arguments.clone(), array: true });
        // An element whose URN was replaced keeps it: the brackets go behind it.
        array.with_uri(&format!("{}[]", of.urn()))
    }

    fn named(name: TypeName) -> Self {
        Self {
            urns: vec![format!("{PREFIX}{}", name.urn_body())],
            entity_name: name.entity_name(),
            name,
            contracts: Vec::new(),
            in_topology: true,
            topic_kind: TopicKind::Fanout,
        }
    }

    /// Replaces the URN's body: `short-name` makes it `urn:message:short-name`. The entity name stays.
    #[must_use]
    pub fn with_urn(self, urn: &str) -> Self {
        let body = urn.strip_prefix(PREFIX).unwrap_or(urn);
        let uri = format!("{PREFIX}{body}");
        self.with_uri(&uri)
    }

    /// Replaces the URN as a whole, by any absolute URI: `scheme:orders`. The entity name stays.
    #[must_use]
    pub fn with_uri(mut self, uri: &str) -> Self {
        uri.clone_into(&mut self.urns[0]);
        self
    }

    /// Replaces the entity name (exchange, topic); the URN stays.
    #[must_use]
    pub fn with_entity_name(mut self, entity_name: &str) -> Self {
        entity_name.clone_into(&mut self.entity_name);
        self
    }

    /// Adds contracts that the type fulfils, each followed by the contracts that it fulfils itself; one that
    /// is listed already is left out.
    #[must_use]
    pub fn implementing(mut self, contracts: impl IntoIterator<Item = &'static MessageType>) -> Self {
        for contract in contracts {
            for one in [contract].into_iter().chain(contract.contracts.iter().copied()) {
                self.add_contract(one);
            }
        }
        self
    }

    fn add_contract(&mut self, contract: &'static MessageType) {
        if !self.urns.iter().any(|known| known.eq_ignore_ascii_case(contract.urn())) {
            self.urns.push(contract.urn().to_owned());
            self.contracts.push(contract);
        }
    }

    /// Gives the type no entity of its own: it is a name that others are known by, and nothing is published
    /// to it or bound to it. MassTransit's `ExcludeFromTopology`.
    #[must_use]
    pub fn outside_topology(mut self) -> Self {
        self.in_topology = false;
        self
    }

    /// Publishes the type to a topic whose bindings look at the routing key. Everybody who declares the
    /// topic has to say the same.
    #[must_use]
    pub fn with_topic_kind(mut self, kind: TopicKind) -> Self {
        self.topic_kind = kind;
        self
    }

    /// How the type's topic chooses among its bindings.
    pub fn topic_kind(&self) -> TopicKind {
        self.topic_kind
    }

    /// `urn:message:Acme.Orders:SubmitOrder`. Compared without regard to case.
    pub fn urn(&self) -> &str {
        &self.urns[0]
    }

    /// The envelope's `messageType`: the own URN, then those of the contracts.
    pub fn urns(&self) -> &[String] {
        &self.urns
    }

    /// Every contract that the type fulfils, those of its contracts included.
    pub fn contracts(&self) -> &[&'static MessageType] {
        &self.contracts
    }

    /// Whether a message of this type is one of that type, too.
    pub(crate) fn fulfils(&self, other: &MessageType) -> bool {
        self.urns.iter().any(|urn| urn.eq_ignore_ascii_case(other.urn()))
    }

    /// Whether the type has an entity of its own.
    pub fn is_in_topology(&self) -> bool {
        self.in_topology
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

    /// The fault of a message of this type; it fulfils the faults of the contracts, and `Fault`.
    pub(crate) fn fault(&'static self) -> &'static MessageType {
        intern_by_urn(&format!("{PREFIX}MassTransit:Fault[[{}]]", self.urn_body()), || {
            // The contracts are all listed here already: their faults come alone, and `Fault` last (seen).
            let mut fault = Self::generic("MassTransit", "Fault", vec![self]);
            for one in self.contracts.iter().map(|contract| contract.fault()).chain([Self::any_fault()]) {
                fault.add_contract(one);
            }
            fault
        })
    }

    /// What every fault is: `MassTransit:Fault`.
    pub(crate) fn any_fault() -> &'static MessageType {
        intern_by_urn("urn:message:MassTransit:Fault", || Self::new("MassTransit", "Fault"))
    }

    /// The fault of a body that could not be read: nobody knows its type.
    pub(crate) fn receive_fault() -> &'static MessageType {
        intern_by_urn("urn:message:MassTransit:ReceiveFault", || {
            Self::new("MassTransit", "ReceiveFault").implementing([Self::any_fault()])
        })
    }

    /// The URN without the standard prefix, as it stands inside the brackets of a generic type.
    pub(super) fn urn_body(&self) -> &str {
        self.urn().strip_prefix(PREFIX).unwrap_or(self.urn())
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
        check(MessageType::new("Acme", "A").with_uri("scheme:renamed"), "scheme:renamed", "Acme:A");
        check(MessageType::new("Acme", "A").with_urn("urn:message:whole"), "urn:message:whole", "Acme:A");
    }

    #[test]
    fn arrays_and_contracts_are_named_as_masstransit_names_them() {
        fn leak(message_type: MessageType) -> &'static MessageType {
            Box::leak(Box::new(message_type))
        }
        let item = leak(MessageType::new("Acme", "Item"));
        assert_eq!(MessageType::array(item).urn(), "urn:message:Acme:Item[]");
        let renamed = leak(MessageType::new("Acme", "Item").with_urn("thing"));
        assert_eq!(MessageType::array(renamed).urn(), "urn:message:thing[]");

        let base = leak(MessageType::new("Shop", "Base"));
        let middle = leak(MessageType::new("Shop", "Middle").implementing([base]));
        let leaf = leak(MessageType::new("Shop", "Leaf").implementing([middle, base]));
        assert_eq!(leaf.urns(), ["urn:message:Shop:Leaf", "urn:message:Shop:Middle", "urn:message:Shop:Base"]);
        assert_eq!(
            leaf.fault().urns(),
            [
                "urn:message:MassTransit:Fault[[Shop:Leaf]]",
                "urn:message:MassTransit:Fault[[Shop:Middle]]",
                "urn:message:MassTransit:Fault[[Shop:Base]]",
                "urn:message:MassTransit:Fault",
            ]
        );
        assert_eq!(leaf.fault().entity_name(), "MassTransit:Fault--Shop:Leaf--");
    }
}
