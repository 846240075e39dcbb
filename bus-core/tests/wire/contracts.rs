//! What `contracts.cs` has beside `../contracts/shop.rs`, and its records with C#'s defaults: a missing member is zero or
//! `null`, and a text may be `null`.

use std::collections::BTreeMap;

use bus_core::Message;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

#[path = "../contracts/shop.rs"]
#[allow(dead_code, reason = "some are replaced below")]
mod shop;
pub(crate) use shop::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct SubmitOrder {
    pub(crate) order_id: Uuid,
    pub(crate) customer: Option<String>,
    pub(crate) total: String,
}

impl Default for SubmitOrder {
    fn default() -> Self {
        Self { order_id: Uuid::nil(), customer: None, total: "0".to_owned() }
    }
}

impl SubmitOrder {
    pub(crate) fn of(customer: &str) -> Self {
        Self { customer: Some(customer.to_owned()), ..Self::default() }
    }
}

#[derive(Debug, Default, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
#[message(namespace = "Shop.Contracts", implements(OrderEvent, OrderAudited))]
pub(crate) struct OrderSubmitted {
    pub(crate) order_id: Uuid,
    pub(crate) by: Option<String>,
    pub(crate) customer: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
#[message(namespace = "Shop.Contracts", implements(OrderSubmitted))]
pub(crate) struct OrderSubmittedV2 {
    pub(crate) order_id: Uuid,
    pub(crate) by: Option<String>,
    pub(crate) customer: Option<String>,
    pub(crate) lines: i32,
}

macro_rules! records {
    ($($name:ident { $($field:ident: $kind:ty),* })*) => {
        $(
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
            #[serde(rename_all = "camelCase")]
            #[message(namespace = "Shop.Contracts")]
            pub(crate) struct $name {
                $(pub(crate) $field: $kind,)*
            }
        )*
    };
}

records! {
    Boom { why: String }
    Flaky { key: String, fail_times: i32 }
    Unwanted { text: String }
    Reminder { text: String }
    StatusResult { order_id: String, status: String, at: String }
    AllTypes {
        id: Uuid, text: String, empty: String, missing: Option<String>, letter: char, yes: bool, small: u8, short: i16,
        int: i32, long: i64, u_long: u64, float: f32, double: f64, decimal: String, decimal_trailing: String,
        duration: String, long_duration: String, utc: String, utc_whole: String, unspecified: String, offset: String,
        date: String, time: String, color: i32, rights: i32, bytes: String, uri: String, nothing: Option<i32>,
        something: Option<i32>, numbers: Vec<i32>, lines: Vec<OneLine>, map: BTreeMap<String, String>,
        loose: BTreeMap<String, Value>, nested: OneLine, url_of_thing: String
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OneLine {
    pub(crate) sku: String,
    pub(crate) count: i32,
}

/// Its `id` is missing on the wire, which C# takes as zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts")]
pub(crate) struct Sample {
    pub(crate) seq: i64,
    #[serde(default)]
    pub(crate) id: Uuid,
    pub(crate) payload: String,
}

/// `DirectRouted` as the topic exchange of another service.
#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop.Contracts", name = "DirectRouted", exchange_type = "topic")]
pub(crate) struct TopicRouted {
    pub(crate) region: String,
}
