//! Processes that are told to end while the broker does not answer.

use std::{process::ExitStatus, sync::Arc, time::Duration};

use bus_core::{Bus, consumer::Failure};
use futures_util::future::join_all;
use tokio::task::block_in_place;
use xtask::rabbitmq::Server;

use super::processes::{rest, row};
use crate::{
    child::{Child, Handled, Handler, Work},
    load::{KINDS, Numbered, builder, of_kind},
    stage::{Place, Stage},
    table::Row,
    tally::Tally,
};

const MESSAGES: u32 = 80;
/// The deadline of the stop.
const STOP: Duration = Duration::from_secs(2);
/// What may come on top of it.
const MARGIN: Duration = Duration::from_secs(5);

pub(crate) async fn one_is_terminated_while_the_broker_is_frozen(stage: &mut Stage) -> Vec<Row> {
    let thaw = |server: &mut Server| server.thaw();
    stopped(stage, "SIGTERM, broker frozen", Handler::Takes, |server| server.freeze(), thaw).await
}

pub(crate) async fn one_is_terminated_while_the_broker_is_away(stage: &mut Stage) -> Vec<Row> {
    let again = |server: &mut Server| server.start_again().unwrap();
    stopped(stage, "SIGTERM, broker killed", Handler::Takes, Server::kill, again).await
}

pub(crate) async fn one_is_terminated_while_its_handlers_wait_to_send(stage: &mut Stage) -> Vec<Row> {
    let raise = |server: &mut Server| drop(server.control(&["set_vm_memory_high_watermark", "absolute", "1"]).unwrap());
    let clear = |server: &mut Server| drop(server.control(&["set_vm_memory_high_watermark", "0.4"]).unwrap());
    stopped(stage, "SIGTERM, memory alarm", Handler::Sends, raise, clear).await
}

/// A process at work on a queue of one kind.
struct AtWork {
    kind: &'static str,
    place: Place,
    bus: Bus,
    work: Work,
    handled: Arc<Handled>,
    child: Option<Child>,
    /// What the process sent.
    out: Arc<Tally>,
}

impl AtWork {
    async fn begin(stage: &Stage, kind: &'static str, handler: Handler) -> Self {
        let place = stage.place();
        let out = Arc::new(Tally::default());
        let counts = out.clone();
        let count = move |message: Numbered| {
            counts.note(message.number);
            async { Ok::<_, Failure>(()) }
        };
        let bus = builder(&place.url()).endpoint("out", |e| of_kind(e.consumer(count), kind)).build().unwrap();
        bus.start().await.unwrap();
        let mut work = Work::new(place.url(), kind);
        // Of those that send some have to be left when the alarm is raised, which takes seconds.
        let each = if handler == Handler::Sends { 600 } else { 300 };
        (work.handler, work.stop, work.each) = (handler, STOP, Duration::from_millis(each));
        let handled = Arc::new(Handled::default());
        let child = Child::start(&work, &handled).await;
        for number in 0..MESSAGES {
            bus.send("queue:q", Numbered { number }).await.unwrap();
        }
        handled.tally.until(8).await;
        Self { kind, place, bus, work, handled, child: Some(child), out }
    }

    /// Waits until it handles nothing any more, since nothing gets through.
    async fn stuck(&self) {
        let mut before = None;
        while before.replace(self.handled.tally.distinct()) != before {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// How it ended, after how long, and what it had handled by then.
    fn terminate(&mut self) -> (ExitStatus, Duration, usize) {
        let (status, took) = self.child.take().unwrap().terminate();
        (status, took, self.handled.tally.distinct())
    }
}

async fn stopped(
    stage: &mut Stage,
    fault: &str,
    handler: Handler,
    begin: impl FnOnce(&mut Server),
    end: impl FnOnce(&mut Server),
) -> Vec<Row> {
    let mut all = Vec::new();
    for kind in KINDS {
        all.push(AtWork::begin(stage, kind, handler).await);
    }
    // RabbitMQ 3.10 finds a quorum queue no more that was declared less than half a second before it is killed.
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.server(begin);
    let sends = handler == Handler::Sends;
    if sends {
        join_all(all.iter().map(AtWork::stuck)).await;
    }
    let ends: Vec<_> = block_in_place(|| {
        std::thread::scope(|scope| {
            let ends: Vec<_> = all.iter_mut().map(|one| scope.spawn(|| one.terminate())).collect();
            ends.into_iter().map(|end| end.join().unwrap()).collect()
        })
    });
    stage.server(end);
    let mut rows = Vec::new();
    for (AtWork { kind, place, bus, mut work, handled, out, .. }, (status, took, done)) in all.into_iter().zip(ends) {
        work.each = Duration::from_millis(5);
        let second = Child::start(&work, &handled).await;
        rest(&place, &handled, MESSAGES).await;
        // Settles what it handled.
        block_in_place(|| second.terminate());
        if sends {
            let _ = tokio::time::timeout(Duration::from_secs(10), out.until(MESSAGES as usize)).await;
        }
        bus.stop().await;
        let left = place.ready("q").await;
        let mut row = row(&handled, fault, kind, MESSAGES, 0);
        row.expect(status.success(), format!("it ended with {status}"));
        row.expect(took <= STOP + MARGIN, format!("it took {took:?}"));
        row.expect((1..MESSAGES as usize).contains(&done), format!("{done} were handled when it ended"));
        row.expect(row.duplicated <= usize::from(work.prefetch), format!("{} came twice", row.duplicated));
        row.expect(left == Some(0), format!("{left:?} are left in the queue"));
        row.expect(!sends || out.distinct() == MESSAGES as usize, format!("{} were sent on", out.distinct()));
        rows.push(row);
    }
    rows
}
