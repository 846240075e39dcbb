//! A transport around another one that counts what is under way.

mod publisher;
mod receiver;
mod transport;

use std::future::Future;

use futures_util::FutureExt;
pub(super) use receiver::Markers;
pub(super) use transport::WatchedTransport;

use super::activity::Busy;
use crate::transport::{Outcome, Pending};

/// The outcome, with `busy` held until it is there.
fn held<T: Outcome + Unpin + Send + 'static>(mut outcome: Pending<T>, busy: Busy) -> Pending<T> {
    // What is known is told at once, as the transport under this one does it.
    if let Some(known) = (&mut outcome).now_or_never() {
        drop(busy);
        return Pending::ready(known);
    }
    let (completer, told) = Pending::new();
    tokio::spawn(tell(outcome, move |known| {
        completer.complete(known);
        drop(busy);
    }));
    told
}

async fn tell<T>(outcome: impl Future<Output = T>, told: impl FnOnce(T)) {
    told(outcome.await);
}
