//! What happens to processes that consume.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::Bus;
use tokio::task::block_in_place;

use crate::{
    child::{Child, Handled, Work},
    load::{KINDS, Numbered, builder},
    stage::{Place, Stage},
    table::Row,
};

/// Declares the queue by a first process, and sends to it.
async fn sent(place: &Place, work: &Work, handled: &Arc<Handled>, messages: u32) -> (Bus, Child) {
    let child = Child::start(work, handled).await;
    let bus = builder(&place.url()).build().unwrap();
    bus.start().await.unwrap();
    let sends = (0..messages).map(|number| bus.send("queue:q", Numbered { number }).into_future());
    for sent in futures_util::future::join_all(sends).await {
        sent.unwrap();
    }
    (bus, child)
}

pub(super) fn row(handled: &Handled, fault: &str, queue: &'static str, sent: u32, aside: u32) -> Row {
    let (sent, received) = (sent as usize, handled.tally.distinct());
    let lost = sent.saturating_sub(received + aside as usize);
    let mut row = Row {
        fault: fault.to_owned(),
        queue,
        sent,
        received,
        lost,
        duplicated: handled.tally.again(),
        ..Row::default()
    };
    row.expect(lost == 0, format!("{received} of {sent} were handled, and {aside} are in `_error`"));
    row
}

/// Waits for the rest: what is neither handled nor in `_error`; how many are there.
pub(super) async fn rest(place: &Place, handled: &Handled, messages: u32) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let aside = place.ready("q_error").await.unwrap_or_default();
        if handled.tally.distinct() + aside as usize >= messages as usize || Instant::now() > deadline {
            return aside;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A quorum queue counts deliveries and drops a message after twenty: neighbours of what is at work survive.
pub(crate) async fn one_is_killed_45_times_at_a_delivery_limit_of_20(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 200;
    const KILLS: usize = 45;
    let place = stage.place();
    let mut work = Work::new(place.url(), "quorum");
    (work.limit, work.prefetch, work.each) = (Some(20), 50, Duration::from_millis(200));
    let handled = Arc::new(Handled::default());
    let (bus, mut child) = sent(&place, &work, &handled, MESSAGES).await;
    for _ in 0..KILLS {
        // It has begun to work.
        tokio::time::sleep(Duration::from_millis(150)).await;
        block_in_place(|| child.kill());
        child = Child::start(&work, &handled).await;
    }
    block_in_place(|| child.kill());
    work.each = Duration::from_millis(5);
    let last = Child::start(&work, &handled).await;
    let aside = rest(&place, &handled, MESSAGES).await;
    bus.stop().await;
    drop(last);
    let mut row = row(&handled, "process killed 45 ×, delivery limit 20", "quorum", MESSAGES, aside);
    // Five starts that ended with the process are needed for each, the last of them alone.
    row.expect(aside as usize <= KILLS / 5, format!("{aside} are in `_error`"));
    vec![row]
}

pub(crate) async fn a_handler_aborts(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 50;
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        let mut work = Work::new(place.url(), kind);
        work.abort_at = Some(MESSAGES / 2);
        let handled = Arc::new(Handled::default());
        let (bus, mut child) = sent(&place, &work, &handled, MESSAGES).await;
        let mut deaths = 0;
        // Whatever keeps processes running starts it again.
        let deadline = Instant::now() + Duration::from_secs(60);
        while place.ready("q_error").await.unwrap_or_default() == 0 && Instant::now() < deadline {
            if child.is_gone() {
                deaths += 1;
                child = Child::start(&work, &handled).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let aside = rest(&place, &handled, MESSAGES).await;
        bus.stop().await;
        drop(child);
        let mut row = row(&handled, "a handler calls abort()", kind, MESSAGES, aside);
        row.expect(aside == 1, format!("{aside} are in `_error`"));
        row.expect(!handled.tally.has(MESSAGES / 2), "the one that aborts was handled");
        row.expect((2..=6).contains(&deaths), format!("it took {deaths} processes"));
        rows.push(row);
    }
    rows
}

pub(crate) async fn one_is_terminated(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 60;
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        let mut work = Work::new(place.url(), kind);
        work.each = Duration::from_millis(300);
        let handled = Arc::new(Handled::default());
        let (bus, child) = sent(&place, &work, &handled, MESSAGES).await;
        handled.tally.until(4).await;
        let (status, took) = block_in_place(|| child.terminate());
        let (done, ready) = (handled.tally.distinct() as u32, place.ready("q").await);
        work.each = Duration::from_millis(5);
        let second = Child::start(&work, &handled).await;
        rest(&place, &handled, MESSAGES).await;
        drop(second);
        bus.stop().await;
        let mut row = row(&handled, "SIGTERM, with drain", kind, MESSAGES, 0);
        row.expect(status.success(), format!("it ended with {status}"));
        row.expect(took < Duration::from_secs(5), format!("it took {took:?}"));
        row.expect(ready == Some(MESSAGES - done), format!("{done} were handled, and {ready:?} are back"));
        row.expect(row.duplicated == 0, "some came twice");
        rows.push(row);
    }
    rows
}

pub(crate) async fn three_are_restarted_one_after_the_other(stage: &mut Stage) -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        let work = Work::new(place.url(), kind);
        let handled = Arc::new(Handled::default());
        let mut children = Vec::new();
        for _ in 0..3 {
            children.push(Child::start(&work, &handled).await);
        }
        let bus = builder(&place.url()).build().unwrap();
        bus.start().await.unwrap();
        let begun = Instant::now();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let sending = tokio::spawn({
            let bus = bus.clone();
            async move {
                let mut number = 0;
                while !*stopped.borrow() {
                    bus.send("queue:q", Numbered { number }).await.unwrap();
                    number += 1;
                    // Some hundred in a second.
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
                number
            }
        });
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let (status, _) = block_in_place(|| children.remove(0).terminate());
            assert!(status.success(), "{status}");
            children.push(Child::start(&work, &handled).await);
        }
        stop.send(true).unwrap();
        let messages = sending.await.unwrap();
        rest(&place, &handled, messages).await;
        bus.stop().await;
        drop(children);
        let mut row = row(&handled, "rolling restart of three processes", kind, messages, 0);
        row.expect(row.duplicated == 0, format!("{} came twice", row.duplicated));
        let times: Vec<Instant> = std::iter::once(begun)
            .chain(handled.order.lock().unwrap().iter().map(|(at, _)| *at).filter(|at| *at > begun))
            .collect();
        let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
        row.back = Some(gap.as_secs_f64());
        row.expect(gap <= Duration::from_secs(2), format!("nothing was handled for {gap:?}"));
        rows.push(row);
    }
    rows
}

/// The active one dies: the next goes on, in order. Abruptly killed keeps the order of both types.
pub(crate) async fn a_single_active_consumer_hands_over(stage: &mut Stage) -> Vec<Row> {
    let kill = |active: Child| active.kill();
    handed_over(stage, "single active consumer killed", kill, |_| true, 20).await
}

/// The active one ends in good order, and gives back what it has: a quorum queue may put that behind the rest.
pub(crate) async fn a_single_active_consumer_is_terminated(stage: &mut Stage) -> Vec<Row> {
    let terminate = |active: Child| {
        let (status, took) = active.terminate();
        assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    };
    handed_over(stage, "single active consumer terminated", terminate, |kind| kind == "classic", 0).await
}

async fn handed_over(
    stage: &mut Stage,
    fault: &str,
    end: impl Fn(Child),
    in_order: impl Fn(&str) -> bool,
    again: usize,
) -> Vec<Row> {
    const MESSAGES: u32 = 150;
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        let mut work = Work::new(place.url(), kind);
        (work.single_active, work.concurrency) = (true, 1);
        let handled = Arc::new(Handled::default());
        let (bus, active) = sent(&place, &work, &handled, MESSAGES).await;
        let next = Child::start(&work, &handled).await;
        handled.tally.until(20).await;
        block_in_place(|| end(active));
        let ended = Instant::now();
        rest(&place, &handled, MESSAGES).await;
        drop(next);
        bus.stop().await;
        let mut row = row(&handled, fault, kind, MESSAGES, 0);
        let order = handled.order.lock().unwrap();
        row.back = order.iter().find(|(at, _)| *at > ended).map(|(at, _)| (*at - ended).as_secs_f64());
        row.expect(row.back.is_some_and(|back| back <= 2.0), format!("the next began after {:?}", row.back));
        row.expect(row.duplicated <= again, format!("{} came twice, more than were out", row.duplicated));
        let mut last = None;
        let mut turned = 0;
        let mut seen = std::collections::HashSet::new();
        for (_, number) in order.iter().filter(|(_, number)| seen.insert(*number)) {
            turned += usize::from(last.replace(*number).is_some_and(|before| before > *number));
        }
        row.expect(turned == 0 || !in_order(kind), format!("{turned} came before one that was sent earlier"));
        rows.push(row);
    }
    rows
}
