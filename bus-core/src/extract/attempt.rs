use super::Extract;
use crate::consumer::{Context, Failure};

/// Which try this is, as [`Context::attempt`] says: 0 for the first, then counted by the retry policy within one
/// delivery.
///
/// ```
/// use bus_core::{consumer::Failure, extract::Attempt};
/// # use bus_core::Message;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct SubmitOrder {}
///
/// async fn submit(_order: SubmitOrder, Attempt(attempt): Attempt) -> Result<(), Failure> {
///     let region = if attempt == 0 { "near" } else { "far" };
///     println!("asking the {region} warehouse");
///     Ok(())
/// }
/// # let _ = bus_core::Builder::new("", Default::default()).endpoint("orders", |e| e.consumer(submit));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u32);

impl Extract for Attempt {
    async fn extract(ctx: &Context) -> Result<Self, Failure> {
        Ok(Self(ctx.attempt()))
    }
}
