//! Delays without a plugin: a message waits in quorum queues whose messages expire, one for each power of two seconds
//! that its delay has in it, and comes to its own queue from the last of them.
//!
//! Each level has a topic exchange and a queue of one name. A message enters at the exchange of the highest bit of its
//! delay, with a routing key of all 28 bits and the name of its queue. Where its bit is 1, an exchange brings it to its
//! level's queue, which brings it to the exchange of the level below when its time is over; where it is 0, the
//! exchange brings it there at once. So there is one queue, and one hop, per set bit. Below the last level each queue
//! is bound by its name.
//!
//! A quorum queue gives an expired message away only when those who get it have confirmed it
//! (`x-dead-letter-strategy=at-least-once`), which takes `x-overflow=reject-publish` and a server from 3.10 on. What
//! no queue is bound for would block its level: it goes to `bus-undeliverable` instead.

mod expiry;
mod feature_flag;
mod levels;
mod topology;

pub(crate) use expiry::{expires_at, take_expiry};
pub(crate) use levels::{LONGEST, NAME, Route, route, too_long};
pub(crate) use topology::{declarations, refused, unable};
