use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use super::Broker;

/// The brokers of this process by name. Weak: a broker lives through its transports.
static BROKERS: LazyLock<Mutex<HashMap<String, Weak<Broker>>>> = LazyLock::new(Mutex::default);

/// The broker of that name: the one that is there, or a new one.
pub(crate) fn broker(name: &str) -> Arc<Broker> {
    let mut brokers = BROKERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(broker) = brokers.get(name).and_then(Weak::upgrade) {
        return broker;
    }
    // A test run opens thousands; the names of those that are gone go now.
    brokers.retain(|_, broker| broker.strong_count() > 0);
    let broker = Arc::new(Broker::new(name.to_owned()));
    brokers.insert(name.to_owned(), Arc::downgrade(&broker));
    broker
}
