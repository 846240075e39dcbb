#![deny(warnings)]

use std::future::Future;

use bus_core::{
    Message, consumer,
    consumer::{Consumer, Context, Failure, Handlers, IntoConsumer, Received},
    extract::{Scope, State},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {
    number: String,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct CancelOrder {
    number: String,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct PayOrder {}

#[derive(Debug)]
struct DbError;

impl std::fmt::Display for DbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the database is gone")
    }
}

impl std::error::Error for DbError {}

trait OrderRepo: Send + Sync + 'static {
    fn insert(&self, order: &SubmitOrder) -> impl Future<Output = Result<(), DbError>> + Send;
}

struct Orders<R> {
    repo: R,
}

#[consumer(endpoint = "orders", concurrency = 16)]
impl<R: OrderRepo> Orders<R> {
    #[handle]
    async fn submit(&self, command: SubmitOrder, ctx: &Context) -> Result<(), Failure> {
        self.repo.insert(&command).await?;
        let _ = ctx;
        self.count();
        Ok(())
    }

    #[handle]
    async fn cancel(
        &self,
        command: Received<CancelOrder>,
        State(limit): State<u32>,
        ctx: Context,
    ) -> Result<(), DbError> {
        let _ = (ctx, limit, &command.number);
        Err(DbError)
    }

    #[cfg(any())]
    #[handle]
    async fn gone(&self, command: PayOrder, what: NoSuchType) -> Result<(), Failure> {
        Ok(())
    }

    #[cfg(all())]
    #[handle]
    async fn consume(self: &Self, _: PayOrder) -> Result<(), Failure> {
        Ok(())
    }

    fn count(&self) {}
}

struct Nothing;

impl OrderRepo for Nothing {
    async fn insert(&self, _: &SubmitOrder) -> Result<(), DbError> {
        Ok(())
    }
}

#[consumer]
async fn audit(order: SubmitOrder, ctx: Context, State(limit): State<u32>) -> Result<(), Failure> {
    let _ = (order, ctx, limit);
    Ok(())
}

type Handled = Result<(), DbError>;

#[consumer]
async fn watch(_: Received<CancelOrder>) -> Handled {
    Err(DbError)
}

fn handles<C: Consumer<A>, A: bus_core::consumer::MessageArg>() {}

fn registered<Kind>(_: impl IntoConsumer<Kind>) {}

fn main() {
    type Tested = Orders<Nothing>;
    assert_eq!(Tested::NAME, "Orders");
    assert_eq!(Tested::SETTINGS.endpoint, Some("orders"));
    assert_eq!(Tested::SETTINGS.concurrency, Some(16));
    assert_eq!(Tested::SETTINGS.prefetch, None);
    handles::<Tested, SubmitOrder>();
    handles::<Tested, Received<CancelOrder>>();
    handles::<Tested, PayOrder>();

    let mut problems = Vec::new();
    <Tested as Consumer<SubmitOrder>>::check(&Scope::default(), &mut problems);
    assert!(problems.is_empty());
    <Tested as Consumer<Received<CancelOrder>>>::check(&Scope::default(), &mut problems);
    assert_eq!(problems.len(), 1, "{problems:?}");

    // The functions are still functions.
    registered(Orders { repo: Nothing });
    registered(audit);
    registered(watch);
}
