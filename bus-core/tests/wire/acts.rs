//! The service that was captured, written with the bus.

use bus_core::{
    Builder, Bus, Message, Retry,
    consumer::{Context, Failure},
};

use crate::{
    captures::{Captured, scenario},
    contracts::*,
    recorder::{Handle, recorder, started},
};

/// A scenario on its way.
pub(crate) struct Act {
    pub(crate) captured: Vec<Captured>,
    pub(crate) handle: Handle,
    pub(crate) bus: Bus,
}

/// An error with what is behind it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failed(String, #[source] Option<Box<Failed>>);

impl Failed {
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self(text.into(), None)
    }
}

/// Starts the service at the address that the capture was sent from.
pub(crate) async fn act(name: &str) -> Act {
    let captured = scenario(name);
    let json: Option<serde_json::Value> = serde_json::from_slice(&captured[0].body).ok();
    let source = captured[0].headers.text("MT-Source-Address").map(str::to_owned);
    let source = source.or_else(|| Some(json?["sourceAddress"].as_str()?.to_owned()));
    let (handle, builder) = recorder(source.as_deref());
    let bus = started(shop(builder)).await;
    Act { captured, handle, bus }
}

impl Act {
    /// The payload of a captured message, as that type.
    pub(crate) fn payload<M: Message>(&self, nth: usize) -> M {
        serde_json::from_value(self.captured[nth - 1].json()["message"].clone()).unwrap()
    }

    /// Publishes the payload of a captured message.
    pub(crate) async fn publish<M: Message>(&self, nth: usize) {
        self.bus.publish(self.payload::<M>(nth)).await.unwrap();
    }
}

fn shop(builder: Builder) -> Builder {
    builder
        .endpoint("orders", |endpoint| endpoint.consumer(submit))
        .endpoint("correlated", |endpoint| endpoint.consumer(follow))
        .endpoint("boom", |endpoint| endpoint.consumer(boom))
        .endpoint("flaky", |endpoint| endpoint.retry(Retry::immediate(2)).consumer(flaky))
        .endpoint("m-poly", |endpoint| {
            endpoint.consumer(|_: OrderSubmitted| async { Err::<(), _>(Failed::of("interface consumer")) })
        })
        .endpoint("m-leaf", |endpoint| {
            endpoint.consumer(|_: LeafEvent| async { Err::<(), _>(Failed::of("leaf consumer")) })
        })
        .endpoint("m-quorum", |endpoint| endpoint.consumer(|_: Flaky| async { Err::<(), _>(Failed::of("quorum")) }))
        .endpoint("m-expires", |endpoint| {
            endpoint.consumer(|_: Reminder| async { Err::<(), _>(Failed::of("x".repeat(5000))) })
        })
        .endpoint("m-temporary", |endpoint| {
            endpoint.consumer(|_: Unwanted| async { Err::<(), _>(Failed::of("temporary")) })
        })
}

async fn submit(order: SubmitOrder, ctx: Context) -> Result<(), Failure> {
    let SubmitOrder { order_id, customer, .. } = order;
    let submitted = OrderSubmittedV2 { order_id, by: Some("orders".to_owned()), customer, lines: 1 };
    ctx.publish(submitted).as_contract::<OrderSubmitted>().await?;
    Ok(())
}

async fn follow(_: Correlated, ctx: Context) -> Result<(), Failure> {
    ctx.publish(SubmitOrder::of("follow-up")).await?;
    Ok(())
}

async fn boom(message: Boom) -> Result<(), Failed> {
    let cause = Failed::of("inner cause (Parameter 'why')");
    Err(Failed(format!("boom: {}", message.why), Some(Box::new(cause))))
}

async fn flaky(message: Flaky, ctx: Context) -> Result<(), Failed> {
    match ctx.attempt() {
        attempt if i64::from(attempt) < i64::from(message.fail_times) => Err(Failed::of(format!("flaky {attempt}"))),
        _ => Ok(()),
    }
}
