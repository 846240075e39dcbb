//! Consumers with parameters of every kind, and what may stand in their handlers' signatures.
#![deny(warnings)]

use std::{error::Error, fmt, future::Future, marker::PhantomData};

use bus_core::{
    Builder, Message,
    bus::Catalog,
    consumer,
    consumer::{Consumer, Context, Failure, Handlers, MessageArg, Received},
    extract::{Attempt, CorrelationId, Headers, MessageId, State},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct CancelOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct Wrapped<T> {
    inner: T,
}

trait Repo: Send + Sync + 'static {
    type Error: Error + Send + Sync + 'static;
    type Row: Message;

    fn insert(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

trait Clock: Send + Sync + 'static {
    fn now(&self) -> u64;
}

/// Several parameters, with bounds and where-clauses; an error that a parameter names.
struct Orders<R, C>
where
    R: Repo,
{
    repo: R,
    clock: C,
}

#[consumer(endpoint = "orders")]
impl<R, C: Clock> Orders<R, C>
where
    R: Repo,
    R::Row: fmt::Debug,
{
    #[handle]
    async fn submit(&self, _: SubmitOrder, _ctx: &Context) -> Result<(), R::Error> {
        let _ = self.clock.now();
        self.repo.insert().await
    }

    #[handle]
    async fn cancel(&self, _: Received<CancelOrder>, State(_): State<Vec<R::Row>>) -> Result<(), Failure>
    where
        R::Row: Clone,
    {
        self.repo.insert().await?;
        Ok(())
    }
}

/// A constant.
struct Batches<const SIZE: usize>;

#[consumer(concurrency = 4)]
impl<const SIZE: usize> Batches<SIZE> {
    #[handle]
    async fn submit(&self, _: SubmitOrder, Attempt(_): Attempt, _: Headers) -> Result<(), Failure> {
        let _ = [0; SIZE];
        Ok(())
    }
}

/// One consumer for many messages.
struct Log<M>(PhantomData<fn(M)>);

#[consumer]
impl<M: Message> Log<M> {
    #[handle]
    async fn log(&self, _: M, MessageId(_): MessageId, _: Option<CorrelationId>) -> Result<(), Failure> {
        Ok(())
    }
}

struct LogAround<M>(PhantomData<fn(M)>);

#[consumer]
impl<M> LogAround<M>
where
    M: Message,
{
    #[handle]
    async fn log(&self, message: Received<M>) -> Result<(), Failure> {
        let _ = message.incoming();
        Ok(())
    }
}

/// A message that a parameter names, and one that is made of it.
struct Rows<R>(R);

#[consumer]
impl<R: Repo> Rows<R> {
    #[handle]
    async fn row(&self, _: R::Row) -> Result<(), Failure> {
        self.0.insert().await?;
        Ok(())
    }
}

struct Unwrap<M>(PhantomData<fn(M)>);

#[consumer]
impl<M: Message> Unwrap<M> {
    #[handle]
    async fn unwrap(&self, wrapped: Wrapped<M>) -> Result<(), Failure> {
        let _ = wrapped.inner;
        Ok(())
    }
}

/// A block for one argument of a generic type.
struct Kept<T>(T);

#[consumer(endpoint = "kept")]
impl Kept<&'static str> {
    #[handle]
    async fn submit(&self, _: SubmitOrder) -> Result<(), Failure> {
        let _ = self.0;
        Ok(())
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct Row {}

struct Nothing;

impl Repo for Nothing {
    type Error = fmt::Error;
    type Row = Row;

    async fn insert(&self) -> Result<(), fmt::Error> {
        Ok(())
    }
}

impl Clock for Nothing {
    fn now(&self) -> u64 {
        0
    }
}

fn handles<C: Consumer<A>, A: MessageArg>() {}

fn main() {
    handles::<Orders<Nothing, Nothing>, SubmitOrder>();
    handles::<Orders<Nothing, Nothing>, Received<CancelOrder>>();
    handles::<Batches<3>, SubmitOrder>();
    handles::<Log<SubmitOrder>, SubmitOrder>();
    handles::<LogAround<CancelOrder>, Received<CancelOrder>>();
    handles::<Rows<Nothing>, Row>();
    handles::<Unwrap<CancelOrder>, Wrapped<CancelOrder>>();
    handles::<Kept<&'static str>, SubmitOrder>();
    assert_eq!(Batches::<3>::SETTINGS.concurrency, Some(4));
    assert_eq!(Log::<SubmitOrder>::NAME, "Log");

    let builder = Builder::new("memory://none", Catalog::default())
        .state(Vec::<Row>::new())
        .consumer(Orders { repo: Nothing, clock: Nothing })
        .consumer(Batches::<3>)
        .endpoint("log", |e| e.consumer(Log::<SubmitOrder>(PhantomData)).consumer(Log::<CancelOrder>(PhantomData)))
        .consumer(LogAround::<CancelOrder>(PhantomData))
        .consumer(Rows(Nothing))
        .consumer(Unwrap::<SubmitOrder>(PhantomData))
        .consumer(Kept("this"));
    // There is no transport; all else is as it should be.
    let bus_core::Error::Build(error) = builder.build().unwrap_err() else { panic!("it fails at `build()`") };
    let [problem] = error.problems() else { panic!("{error}") };
    assert_eq!(problem.text, "no transport handles scheme `memory://`; compiled in: ");
}
