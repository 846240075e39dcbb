use std::{fmt, sync::Arc};

use serde_json::Value;

use super::Extract;
use crate::{
    consumer::{Context, Failure},
    envelope::{self, Incoming},
};

/// The headers of the message: an owned view, as cheap as a clone of an `Arc`, which may outlive the attempt.
///
/// They are what its sender wrote with `.header(..)`: of an envelope its `headers`, of raw JSON the transport's.
///
/// ```
/// use bus_core::{consumer::Failure, extract::Headers};
/// # use bus_core::Message;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct SubmitOrder {}
///
/// async fn submit(_order: SubmitOrder, headers: Headers) -> Result<(), Failure> {
///     let Some(tenant) = headers.text("Tenant") else {
///         return Err(Failure::permanent("an order without a tenant"));
///     };
///     println!("an order of {tenant}");
///     Ok(())
/// }
/// # let _ = bus_core::Builder::new("", Default::default()).endpoint("orders", |e| e.consumer(submit));
/// ```
#[derive(Clone)]
pub struct Headers(Arc<Incoming>);

impl Headers {
    /// The value of the header `name`, without regard to case, as [`Context::header`].
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.header(name)
    }

    /// The text of the header `name`, without regard to case; none if it is missing or no text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.headers().iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Those of the transport, which stand beside the envelope: on RabbitMQ, the message's AMQP headers.
    pub fn transport(&self) -> &envelope::Headers {
        &self.0.transport_headers
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Extract for Headers {
    async fn extract(ctx: &Context) -> Result<Self, Failure> {
        Ok(Self(ctx.incoming_arc().clone()))
    }
}
