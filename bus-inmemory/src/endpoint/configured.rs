use bus_core::{
    configuration::{Options, OptionsError, Time},
    transport::Extensions,
};
use serde::Deserialize;

use super::EndpointOptions;

/// The table `memory` of an endpoint; its keys are the names of the options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    lease: Option<Time>,
    lanes: Option<bool>,
    dead_letter: Option<String>,
    time_to_live: Option<Time>,
    max_length: Option<usize>,
}

/// Puts what a configuration says over the options of an endpoint.
pub(crate) fn configure(table: &Options<'_>, options: &mut Extensions) -> Result<(), OptionsError> {
    let said: Written = table.read()?;
    let known = options.get::<EndpointOptions>().cloned().unwrap_or_default();
    options.insert(EndpointOptions {
        lease: said.lease.map(|time| time.0).or(known.lease),
        lanes: said.lanes.unwrap_or(known.lanes),
        dead_letter: said.dead_letter.map(Into::into).or(known.dead_letter),
        time_to_live: said.time_to_live.map(|time| time.0).or(known.time_to_live),
        max_length: said.max_length.or(known.max_length),
    });
    Ok(())
}
