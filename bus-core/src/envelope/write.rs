use std::time::SystemTime;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::date;

/// The media type of [`Envelope`](super::Envelope): MassTransit's default.
pub const CONTENT_TYPE: &str = "application/vnd.masstransit+json";

/// What is written around a payload; absent members are left out, which readers take as `null`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelop<'a, M: Serialize> {
    pub(crate) message_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<Uuid>,
    pub(crate) conversation_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) initiator_id: Option<Uuid>,
    pub(crate) source_address: &'a str,
    pub(crate) destination_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault_address: Option<&'a str>,
    pub(crate) message_type: &'a [String],
    pub(crate) message: &'a M,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_date")]
    pub(crate) expiration_time: Option<SystemTime>,
    #[serde(serialize_with = "date::serialize")]
    pub(crate) sent_time: SystemTime,
    pub(crate) headers: &'a serde_json::Map<String, serde_json::Value>,
    pub(crate) host: &'a RawValue,
}

impl<M: Serialize> Envelop<'_, M> {
    pub(crate) fn to_bytes(&self) -> Result<Bytes, serde_json::Error> {
        // Around a small payload stands about 1 KB.
        let mut body = Vec::with_capacity(1280);
        serde_json::to_writer(&mut body, self)?;
        Ok(body.into())
    }
}

fn optional_date<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => date::serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}
