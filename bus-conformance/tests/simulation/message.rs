use std::{fmt, str::FromStr, sync::Arc};

use bus_core::{Message, MessageType};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Sent to one endpoint, and handled there.
#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Simulation", crate = bus_core)]
pub(crate) struct Work {
    pub(crate) tag: String,
}

/// Published, and handled by whoever subscribed.
#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Simulation", crate = bus_core)]
pub(crate) struct Event {
    pub(crate) tag: String,
}

/// Sent to an endpoint where nobody takes it.
#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Simulation", crate = bus_core)]
pub(crate) struct Stray {
    pub(crate) tag: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Work,
    Event,
    Stray,
    /// A fault of the bus's own.
    Other,
}

/// What tells a message apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Where it came from: `3` was sent by the program, `3/b1.0` is the first that consumer 1 of `b` sent for it.
    pub(crate) path: Arc<str>,
    /// Which run of a handler sent it; 0 is the program.
    pub(crate) run: usize,
    /// Which of several sendings of one message it is.
    pub(crate) copy: usize,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.path, self.run, self.copy)
    }
}

impl FromStr for Tag {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(' ');
        let mut number = || parts.next().ok_or(());
        let path = number()?.into();
        let run = number()?.parse().map_err(drop)?;
        Ok(Self { path, run, copy: number()?.parse().map_err(drop)? })
    }
}

/// A message as the broker sees it.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) kind: Kind,
    pub(crate) tag: Tag,
    pub(crate) id: Uuid,
    /// Which round of redelivery it makes; 0 is none.
    pub(crate) round: usize,
}

impl Letter {
    /// Reads a body of this simulation's.
    pub(crate) fn read(body: &Bytes, id: Option<&str>) -> Self {
        // Looked for, not parsed: this is done for every step of thousands of schedules.
        let text = std::str::from_utf8(body).expect("an envelope is JSON");
        let after = |what: &str| text.split_once(what).map(|(_, rest)| rest);
        let urn = after(r#""messageType":[""#).expect("an envelope names its types");
        let is = |message_type: &MessageType| urn.starts_with(message_type.urn());
        let kind = match () {
            () if is(Work::message_type()) => Kind::Work,
            () if is(Event::message_type()) => Kind::Event,
            () if is(Stray::message_type()) => Kind::Stray,
            () => Kind::Other,
        };
        let tag = after(r#""tag":""#).and_then(|rest| rest.split_once('"')?.0.parse().ok());
        let tag = tag.filter(|_| kind != Kind::Other);
        let tag = tag.unwrap_or_else(|| Tag { path: "a fault".into(), run: 0, copy: 0 });
        let digits = after(r#""MT-Redelivery-Count":"#).map(|rest| rest.split(|c: char| !c.is_ascii_digit()));
        let round = digits.and_then(|mut digits| digits.next()?.parse().ok()).unwrap_or_default();
        Self { kind, tag, round, id: id.and_then(|id| id.parse().ok()).expect("every message here has an id") }
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.tag.path)?;
        if self.tag.run > 0 {
            write!(f, " of run {}", self.tag.run)?;
        }
        if self.round > 0 {
            write!(f, " in round {}", self.round)?;
        }
        if self.tag.copy > 0 {
            write!(f, " again")?;
        }
        Ok(())
    }
}
