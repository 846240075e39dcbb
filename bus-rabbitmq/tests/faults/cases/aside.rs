//! Messages that cannot be moved to where they belong.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::consumer::Failure;
use futures_util::future::join_all;

use crate::{
    health::Watch,
    load::{KINDS, Numbered, builder, of_kind},
    memory::reset_peak,
    stage::{Place, Stage},
    table::Row,
    tally::Tally,
};

fn permit(place: &Place, user: &str, configure: &str) {
    let body = format!(r#"{{"configure":"{configure}","write":".*","read":".*"}}"#);
    place.put(&format!("permissions/{}/{user}", place.name()), &body);
}

/// How many of a queue are there, ready or at its consumers, once the API says so many; or what it says at last.
async fn lying(place: &Place, queue: &str, count: u64) -> u64 {
    let path = format!("queues/{}/{queue}", place.name());
    let deadline = Instant::now() + Duration::from_secs(8);
    loop {
        let now = place.get(&path).and_then(|queue| queue["messages"].as_u64()).unwrap_or_default();
        if now == count || Instant::now() > deadline {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// `_error` is deleted, and whose messages fail may not make it again: they are held, and moved when he may.
pub(crate) async fn nothing_can_be_moved_for_want_of_a_permission(stage: &mut Stage) -> Vec<Row> {
    reset_peak();
    let stage = &*stage;
    join_all(KINDS.map(|kind| refused(stage.place(), kind))).await
}

async fn refused(place: Place, kind: &'static str) -> Row {
    const MESSAGES: u32 = 200;
    const PREFETCH: u16 = 20;
    let tally = Arc::new(Tally::default());
    let tries = tally.clone();
    let fail = move |message: Numbered| {
        tries.note(message.number);
        async { Err::<(), _>(Failure::from("it always fails")) }
    };
    let user = format!("{}-user", place.name());
    place.put(&format!("users/{user}"), r#"{"password":"p","tags":""}"#);
    permit(&place, &user, ".*");
    let url = place.url().replace("guest:guest@", &format!("{user}:p@"));
    let bus = builder(&url).endpoint("q", |e| of_kind(e.consumer(fail).prefetch(PREFETCH), kind)).build().unwrap();
    bus.start().await.unwrap();
    let health = Watch::of(&bus);
    let send = |numbers: std::ops::Range<u32>| {
        let sends = numbers.map(|number| bus.send("queue:q", Numbered { number }).into_future());
        async { join_all(sends).await.into_iter().for_each(|sent| sent.unwrap()) }
    };
    send(0..MESSAGES / 2).await;
    let before = place.until_ready("q_error", MESSAGES / 2).await;
    permit(&place, &user, "^$");
    place.delete("queues", "q_error");
    let deleted = Instant::now();
    send(MESSAGES / 2..MESSAGES).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let complaint = health.complained(deleted);
    let kept = lying(&place, "q", u64::from(MESSAGES / 2)).await;
    let runs = tally.distinct() + tally.again();
    permit(&place, &user, ".*");
    let restored = Instant::now();
    let after = place.until_ready("q_error", MESSAGES / 2).await;
    let back = restored.elapsed();
    let well = health.well(Duration::from_secs(5)).await;
    let left = place.ready("q").await;
    bus.stop().await;
    let mut row = tally.row("`_error` deleted, and no permission", kind, MESSAGES as usize);
    row.received = (before + after) as usize;
    row.lost = (MESSAGES as usize).saturating_sub(row.received);
    row.back = Some(back.as_secs_f64());
    let halves = [before, after].iter().all(|moved| *moved == MESSAGES / 2);
    row.expect(halves, format!("{before} and then {after} are in `_error`, not {} each", MESSAGES / 2));
    row.expect(kept == u64::from(MESSAGES / 2), format!("{kept} were in the queue meanwhile"));
    let says = complaint.as_ref().is_some_and(|(_, why)| why.contains("q_error") && why.contains("ACCESS_REFUSED"));
    row.expect(says, format!("health said {complaint:?}"));
    row.expect(well.is_ok(), format!("not well again: {well:?}"));
    let most = (MESSAGES / 2) as usize + usize::from(PREFETCH);
    row.expect(runs <= most, format!("handlers ran {runs} times meanwhile"));
    row.expect(row.duplicated == 0, format!("{} were handled twice", row.duplicated));
    row.expect(left == Some(0), format!("{left:?} are left in the queue"));
    row.expect(back <= Duration::from_secs(5), format!("back after {back:?}"));
    row
}
