use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use super::Broker;

/// The brokers of this process by name. Weak: a broker lives through its transports.
static BROKERS: LazyLock<Mutex<HashMap<String, Weak<Broker>>>> = LazyLock::new(Mutex::default);

/// The broker of that name: the one that is there, or a new one. Whoever opens it has to say the same seed, or
/// one of them would count on an order, or on a disorder, that is not there.
pub(crate) fn broker(name: &str, seed: Option<u64>) -> Result<Arc<Broker>, String> {
    let mut brokers = BROKERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(broker) = brokers.get(name).and_then(Weak::upgrade) {
        // Without the lock: this may be the last to have it.
        drop(brokers);
        return if broker.seed() == seed { Ok(broker) } else { Err(other_seed(name, broker.seed())) };
    }
    // A test run opens thousands; the names of those that are gone go now.
    brokers.retain(|_, broker| broker.strong_count() > 0);
    let broker = Broker::new(name.to_owned(), seed);
    brokers.insert(name.to_owned(), Arc::downgrade(&broker));
    Ok(broker)
}

fn other_seed(name: &str, seed: Option<u64>) -> String {
    match seed {
        Some(seed) => format!(
            "the broker `{name}` is there with the seed {seed}: write `memory://{name}?seed={seed}`, or another name"
        ),
        None => format!("the broker `{name}` is there without a seed: write `memory://{name}`, or another name"),
    }
}
