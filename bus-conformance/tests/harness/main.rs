//! The harness over memory: what it tells is exact, and nothing waits.

mod recording;
mod review;
mod settling;
mod shop;
mod time;
