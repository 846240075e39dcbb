//! Layers of tower around a consumer: one of tower's own, and one that is written here. `--features tower`.
#![allow(clippy::print_stdout, reason = "it tells a story")]
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context as Task, Poll},
};

use bus::{BoxError, prelude::*};
use tokio::sync::mpsc;
use tower::{Layer, Service, limit::GlobalConcurrencyLimitLayer};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Print")]
struct Print {
    page: u32,
}

/// Counts the attempts and their failures, of all consumers that it is around.
#[derive(Clone, Default)]
struct Counted(Arc<Counts>);

#[derive(Default)]
struct Counts {
    attempts: AtomicU32,
    failures: AtomicU32,
}

impl<S> Layer<S> for Counted {
    type Service = CountedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CountedService { inner, counts: self.0.clone() }
    }
}

/// A service takes the attempt's `Context` and answers nothing.
#[derive(Clone)]
struct CountedService<S> {
    inner: S,
    counts: Arc<Counts>,
}

impl<S> Service<Context> for CountedService<S>
where
    S: Service<Context, Response = (), Error = BoxError, Future: Send + 'static>,
{
    type Response = ();
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, ctx: Context) -> Self::Future {
        let (attempt, counts) = (self.inner.call(ctx), self.counts.clone());
        Box::pin(async move {
            counts.attempts.fetch_add(1, Ordering::Relaxed);
            let result = attempt.await;
            counts.failures.fetch_add(u32::from(result.is_err()), Ordering::Relaxed);
            result
        })
    }
}

/// A printer takes two pages at once, and jams on the first try of page 3.
async fn print(
    job: Print,
    ctx: Context,
    State(busy): State<Arc<AtomicU32>>,
    State(printed): State<mpsc::UnboundedSender<(u32, u32)>>,
) -> Result<(), Failure> {
    let at_once = busy.fetch_add(1, Ordering::SeqCst) + 1;
    tokio::task::yield_now().await;
    busy.fetch_sub(1, Ordering::SeqCst);
    if job.page == 3 && ctx.attempt() == 0 {
        return Err("paper jam".into());
    }
    Ok(printed.send((job.page, at_once))?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counted = Counted::default();
    let (prints, mut printed) = mpsc::unbounded_channel::<(u32, u32)>();
    let bus = bus::builder("memory://office")
        .state(Arc::new(AtomicU32::new(0)))
        .state(prints)
        .endpoint("printer", |e| {
            e.consumer(print)
                .retry(Retry::immediate(1))
                .layer(counted.clone()) // the first that is added is the outermost, inside of retries
                .layer(GlobalConcurrencyLimitLayer::new(2))
        })
        .build()?;
    bus.start().await?;
    for page in 1..=10 {
        bus.send("queue:printer", Print { page }).await?;
    }
    for _page in 1..=10 {
        let (page, at_once) = printed.recv().await.ok_or("the printer is gone")?;
        println!("page {page}, one of {at_once}");
        assert!(at_once <= 2, "two pages at once is what the printer takes");
    }
    bus.stop().await;
    let Counts { attempts, failures } = &*counted.0;
    let counts = (attempts.load(Ordering::Relaxed), failures.load(Ordering::Relaxed));
    assert_eq!(counts, (11, 1), "attempts and failures");
    Ok(())
}
