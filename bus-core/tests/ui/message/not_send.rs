//! A message that cannot change threads.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

mod text {
    pub fn serialize<S: serde::Serializer>(_: &std::rc::Rc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_unit()
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(_: D) -> Result<std::rc::Rc<str>, D::Error> {
        Ok("".into())
    }
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {
    #[serde(with = "text")]
    customer: std::rc::Rc<str>,
}

fn main() {}
