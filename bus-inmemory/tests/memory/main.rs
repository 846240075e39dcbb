//! What the broker in memory promises, through the seam that the bus sees.

mod fixture;

mod delays;
mod in_flight;
mod lanes;
mod leases;
mod lifetime;
mod options;
mod pushing;
mod routing;
mod seed;
mod settling;
mod stress;
mod time_to_live;
