//! What the broker in memory promises, through the seam that the bus sees.

mod fixture;

mod dead_letters;
mod delays;
mod in_flight;
mod lanes;
mod leases;
mod lifetime;
mod max_length;
mod options;
mod property;
mod pushing;
mod routing;
mod seed;
mod settling;
mod stress;
mod time_to_live;
