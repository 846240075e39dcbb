use std::{
    any::TypeId,
    collections::HashMap,
    sync::{LazyLock, RwLock},
};

use super::MessageType;

type Interned = RwLock<HashMap<TypeId, &'static MessageType>>;

/// One [`MessageType`] per Rust type, made at first use and kept for the life of the process.
///
/// A generic function has no `static` of its own per type argument; this map stands in for it. It grows
/// with the number of types in the program, never with the number of messages.
pub fn intern<T: 'static>(make: impl FnOnce() -> MessageType) -> &'static MessageType {
    static TYPES: LazyLock<Interned> = LazyLock::new(Interned::default);
    let id = TypeId::of::<T>();
    if let Some(known) = TYPES.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&id) {
        return known;
    }
    // Made outside the lock: an argument of a generic type may be interned by `make`.
    let made = make();
    let mut types = TYPES.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    types.entry(id).or_insert_with(|| Box::leak(Box::new(made)))
}

/// One [`MessageType`] per URN, for types that the bus itself forms of others.
pub(super) fn intern_by_urn(urn: &str, make: impl FnOnce() -> MessageType) -> &'static MessageType {
    static TYPES: LazyLock<RwLock<HashMap<String, &'static MessageType>>> = LazyLock::new(RwLock::default);
    if let Some(known) = TYPES.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(urn) {
        return known;
    }
    let made = make();
    let mut types = TYPES.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    types.entry(urn.to_owned()).or_insert_with(|| Box::leak(Box::new(made)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_made_once_and_its_arguments_may_be_interned_meanwhile() {
        struct Inner;
        struct Outer;
        let inner = || intern::<Inner>(|| MessageType::new("N", "Inner"));
        let outer = intern::<Outer>(|| MessageType::generic("N", "Outer", vec![inner()]));
        assert_eq!(outer.urn(), "urn:message:N:Outer[[N:Inner]]");
        assert!(std::ptr::eq(inner(), intern::<Inner>(|| MessageType::new("N", "Other"))));
    }
}
