use std::any::type_name;

use super::{Extract, Scope};
use crate::consumer::{Context, Failure};

/// A value that was given to the builder by `.state(value)`, found by its type and cloned.
///
/// ```
/// use bus_core::{consumer::Failure, extract::State};
/// # use bus_core::Message;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct SubmitOrder {}
/// #[derive(Clone)]
/// struct Limit(u32);
///
/// async fn check(_order: SubmitOrder, State(limit): State<Limit>) -> Result<(), Failure> {
///     if limit.0 == 0 { Err("nobody may order".into()) } else { Ok(()) }
/// }
/// # let _ = bus_core::Builder::new("", Default::default())
/// #     .state(Limit(3)).endpoint("orders", |e| e.consumer(check));
/// ```
///
/// `build()` fails if nothing of the type was given.
#[derive(Debug, Clone, Copy)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> Extract for State<T> {
    fn check(scope: &Scope) -> Result<(), String> {
        match scope.state::<T>() {
            Some(_) => Ok(()),
            None => Err(format!("needs `State<{0}>`: give a `{0}` to the builder with `.state(..)`", type_name::<T>())),
        }
    }

    async fn extract(ctx: &Context) -> Result<Self, Failure> {
        ctx.scope()
            .state::<T>()
            .map(|value| State(value.clone()))
            .ok_or_else(|| format!("no state of type `{}`", type_name::<T>()).into())
    }
}
