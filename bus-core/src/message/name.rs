use super::MessageType;

/// A type's name in parts, from which each transport builds the names of its entities.
///
/// The parts are those of a .NET type name, since the URN is one: namespace, the simple name with
/// `Outer+Inner` for nested types, and the arguments of a generic type.
#[derive(Debug)]
pub struct TypeName {
    /// `Acme.Orders`.
    pub namespace: &'static str,
    /// `SubmitOrder`, or `Outer+Inner`.
    pub name: &'static str,
    /// The arguments of a generic type, such as the `T` of `Fault<T>`.
    pub arguments: Vec<&'static MessageType>,
    /// It is an array of that type: `Item[]`.
    pub array: bool,
}

impl TypeName {
    /// The URN's body: `Ns:Name` or `Ns:Name[[Arg]]`, each argument with its own namespace.
    pub(super) fn urn_body(&self) -> String {
        let mut body = format!("{}:{}", self.namespace, self.name);
        let brackets = if self.array { "[]" } else { "" };
        if !self.arguments.is_empty() {
            let arguments: Vec<_> =
                self.arguments.iter().map(|argument| format!("[{}]", argument.urn_body())).collect();
            body.push('[');
            body.push_str(&arguments.join(","));
            body.push(']');
        }
        body + brackets
    }

    /// MassTransit's entity name: `Ns:Name`, nested `Ns:Outer-Inner`, generic `Ns:Name--Arg--`. An
    /// argument's namespace is left out where it equals the namespace of the type around it.
    pub(super) fn entity_name(&self) -> String {
        format!("{}:{}", self.namespace, self.local_name())
    }

    fn local_name(&self) -> String {
        let mut name = self.name.replace('+', "-");
        if !self.arguments.is_empty() {
            let arguments: Vec<_> = self
                .arguments
                .iter()
                .map(|argument| match argument.name() {
                    inner if inner.namespace == self.namespace => inner.local_name(),
                    inner => inner.entity_name(),
                })
                .collect();
            name = format!("{name}--{}--", arguments.join("::"));
        }
        if self.array { name + "[]" } else { name }
    }
}
