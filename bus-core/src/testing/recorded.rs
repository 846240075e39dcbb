use std::{fmt, ops::Deref, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use super::journal::{Entry, What};
use crate::{Message, codec, envelope::Envelope};

/// A message that the [`Harness`](super::Harness) saw.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Recorded<M> {
    /// The message.
    pub message: M,
    /// The endpoint that handled it, or whose handler sent it; none if the test sent it.
    pub endpoint: Option<Arc<str>>,
    /// The consumer that handled it.
    pub consumer: Option<Arc<str>>,
    /// Where it was published or sent to: an absolute address.
    pub address: Option<String>,
    /// How many attempts it took.
    pub attempts: u32,
    /// The error that the consumer gave up with.
    pub error: Option<String>,
    /// The Rust type of that error.
    pub error_type: Option<&'static str>,
    /// When, on the harness's clock, since its start.
    pub after: Duration,
    /// Ids, addresses and headers.
    pub envelope: Arc<Envelope>,
}

impl<M> Recorded<M> {
    /// The headers of the envelope.
    pub fn headers(&self) -> Map<String, Value> {
        self.envelope.headers()
    }
}

impl<M> Deref for Recorded<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

/// The messages of one type that the [`Harness`](super::Harness) saw, in order; a slice of [`Recorded`].
///
/// ```
/// # use bus_core::{Message, testing::Harness};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct Reserve { number: u32 }
/// # fn check(h: &Harness) {
/// assert_eq!(h.published::<Reserve>().len(), 2);
/// assert_eq!(h.published::<Reserve>()[0].number, 7);
/// assert_eq!(h.published::<Reserve>().messages(), [Reserve { number: 7 }, Reserve { number: 8 }]);
/// h.faulted::<Reserve>().none();
/// # }
/// ```
#[derive(Clone)]
pub struct Recordings<M> {
    found: Vec<Recorded<M>>,
    /// What was asked for.
    what: &'static str,
    /// What else there was, for whoever expected something.
    trace: String,
}

impl<M: Message> Recordings<M> {
    pub(super) fn of(what: What, entries: &[Entry], trace: String) -> Self {
        let wanted = M::message_type();
        let matching = entries.iter().filter(|entry| entry.what == what);
        // A message is also one of each contract that it fulfils.
        let matching = matching.filter(|entry| entry.message_type.is_some_and(|of| of.fulfils(wanted)));
        let found = matching.filter_map(|entry| {
            let envelope = entry.envelope.clone()?;
            Some(Recorded {
                message: codec::decode(&envelope.message).ok()?,
                endpoint: entry.endpoint.clone(),
                consumer: entry.consumer.clone(),
                address: entry.address.clone(),
                attempts: entry.attempt + 1,
                error: entry.error.clone(),
                error_type: entry.error_type,
                after: entry.after,
                envelope,
            })
        });
        let what = match what {
            What::Published => "published",
            What::Sent => "sent",
            What::Consumed => "consumed",
            _ => "faulted",
        };
        Self { found: found.collect(), what, trace }
    }
}

impl<M> Recordings<M> {
    /// The only one.
    ///
    /// # Panics
    /// If there is none, or more than one; with everything that happened.
    #[track_caller]
    pub fn one(mut self) -> Recorded<M> {
        match self.found.len() {
            1 => self.found.remove(0),
            count => panic!(
                "expected one {} `{}`, found {count}. What happened:\n{}",
                self.what,
                std::any::type_name::<M>(),
                self.trace
            ),
        }
    }

    /// That there is none.
    ///
    /// # Panics
    /// If there is one; with everything that happened.
    #[track_caller]
    pub fn none(self) {
        assert!(
            self.found.is_empty(),
            "expected no {} `{}`, found {}. What happened:\n{}",
            self.what,
            std::any::type_name::<M>(),
            self.found.len(),
            self.trace
        );
    }

    /// The messages alone.
    pub fn messages(self) -> Vec<M> {
        self.found.into_iter().map(|recorded| recorded.message).collect()
    }
}

impl<M> Deref for Recordings<M> {
    type Target = [Recorded<M>];

    fn deref(&self) -> &[Recorded<M>] {
        &self.found
    }
}

impl<M> IntoIterator for Recordings<M> {
    type Item = Recorded<M>;
    type IntoIter = std::vec::IntoIter<Recorded<M>>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.into_iter()
    }
}

impl<M: fmt::Debug> fmt::Debug for Recordings<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.found).finish()
    }
}
