//! Drivers of third parties.

use std::sync::Arc;

use bus::{
    inmemory,
    transport::{Driver, Environment, Transport, TransportError},
};

use super::said;

/// Takes the scheme of another one.
#[derive(Debug)]
struct Usurper;

static USURPER: Usurper = Usurper;

impl Driver for Usurper {
    fn name(&self) -> &'static str {
        "usurper"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["memory"]
    }

    fn open(&self, _: &str, _: Environment) -> Result<Arc<dyn Transport>, TransportError> {
        panic!("it is not clear whether this one is meant")
    }
}

#[test]
fn two_drivers_of_one_scheme_are_refused_and_one_that_is_there_twice_is_not() {
    bus::builder("memory://drivers").driver(&inmemory::DRIVER).build().unwrap();
    let text = said(bus::builder("memory://drivers").driver(&USURPER));
    let expected = "scheme `memory://` is taken by two drivers, `memory` and `usurper`: leave one of them out";
    assert!(text.contains(expected), "{text}");
}
