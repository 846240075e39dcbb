//! Fields that would not be camelCase on the wire.
#![allow(unused)]

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {
    customer: String,
    total_cents: i64,
    #[serde(skip)]
    cached_total: i64,
    paid_at: Option<String>,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders")]
struct CancelOrder {
    order_number: String,
    #[serde(rename = "Reason-Code")]
    reason_code: u8,
}

fn main() {}
