//! The harness over memory: what it tells is exact, and nothing waits.

mod recording;
mod settling;
mod shop;
mod time;
mod waiting;
