//! Member values against what MassTransit wrote and accepted. The fixtures are captures from MassTransit 8.5.12.

mod all_types;
mod reading;
mod round_trip;
