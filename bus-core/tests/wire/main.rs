//! The wire, held against what MassTransit 8.5.12 wrote and what it accepts (`fixtures/masstransit`): every captured
//! body is read without loss, every variation of `reading.md` has the outcome it has there, what the bus writes for the
//! same act is the capture member by member, and no bad body hurts.
//!
//! What differs on purpose stands in one table, [`differences`], and in `docs/masstransit-differences.md`.

mod acts;
mod captures;
mod contracts;
mod decoding;
mod differences;
mod hostile;
mod mutations;
mod reading;
mod recorder;
mod round_trip;
mod rows;
mod same;
mod writing;
