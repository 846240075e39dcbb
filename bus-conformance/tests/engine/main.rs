//! What the engine promises when the broker misbehaves, or the handler does; over memory, whose driver is
//! wrapped so that it misbehaves at a chosen moment and keeps a record.

mod configuring;
mod copies;
mod extracting;
mod failing;
mod filters;
mod holding;
mod lanes;
mod late;
mod leases;
mod lifecycle;
mod limits;
mod logging;
mod observing;
mod outbox;
mod overdue;
mod redelivery;
mod sending;
mod stage;
mod starts;
mod store;
mod verdicts;
mod worn;
