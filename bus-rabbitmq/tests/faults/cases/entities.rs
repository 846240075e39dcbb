//! What operators delete and forbid, and a runtime that stands still.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bus_core::{Bus, consumer::Failure};
use bus_rabbitmq::{Credentials, credentials};
use xtask::Relay;

use crate::{
    health::Watch,
    load::{Bounds, KINDS, Load, Numbered, Settings, builder, of_kind},
    memory::reset_peak,
    stage::{Place, Stage},
    table::Row,
    tally::Tally,
};

const MESSAGES: u32 = 3000;
/// Published before something is deleted, and again when it is back.
const EACH: u32 = 100;
/// Between declarations of the topology.
const ROUND: Duration = Duration::from_secs(1);
/// No round in the time of a case: the default.
const MINUTE: Duration = Duration::from_secs(60);

/// A bus whose endpoint `q` subscribes to what it publishes, and what it counts.
async fn subscribed(url: &str, kind: &str, round: Duration) -> (Bus, Arc<Tally>) {
    let tally = Arc::new(Tally::default());
    let counts = tally.clone();
    let count = move |message: Numbered| {
        counts.note(message.number);
        async { Ok::<_, Failure>(()) }
    };
    let bus = builder(url).topology_round(round).endpoint("q", |e| of_kind(e.consumer(count), kind));
    let bus = bus.build().unwrap();
    bus.start().await.unwrap();
    (bus, tally)
}

/// Publishes numbers one after the other until the first of them arrives; the next number.
async fn until_one_arrives(bus: &Bus, tally: &Tally, from: u32) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut number = from;
    while !(from..number).any(|number| tally.has(number)) && Instant::now() < deadline {
        bus.publish(Numbered { number }).await.unwrap();
        number += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    number
}

/// What a case deletes, and where it stands in the API. What is published while it is gone may reach nobody, if nobody
/// can know that it is.
async fn deleted(
    stage: &Stage,
    fault: &str,
    path: impl Fn(&Place) -> String,
    may_lose: bool,
    round: Duration,
) -> Vec<Row> {
    let bound = round.min(ROUND) + Duration::from_secs(2);
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        reset_peak();
        let (bus, tally) = subscribed(&place.url(), kind, round).await;
        for number in 0..EACH {
            bus.publish(Numbered { number }).await.unwrap();
        }
        place.delete_path(&path(&place));
        let deleted = Instant::now();
        let next = until_one_arrives(&bus, &tally, EACH).await;
        let back = deleted.elapsed();
        // Those of the time without it, if they were not lost, are on their way.
        let gone = (EACH..next).find(|number| tally.has(*number)).map_or(EACH..next, |first| EACH..first);
        // From here on each arrives.
        let published = next + EACH;
        for number in next..published {
            bus.publish(Numbered { number }).await.unwrap();
        }
        let may_miss = |number: &u32| may_lose && gone.contains(number);
        let missing = || (0..published).filter(|number| !tally.has(*number)).collect::<Vec<_>>();
        let all = tokio::time::timeout(Duration::from_secs(10), async {
            while !missing().iter().all(may_miss) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let _ = all.await;
        bus.stop().await;
        let (missing, mut row) = (missing(), tally.row(fault, kind, published as usize));
        row.problems.clear();
        row.back = Some(back.as_secs_f64());
        let others: Vec<_> = missing.iter().filter(|number| !may_miss(number)).collect();
        row.expect(others.is_empty(), format!("{others:?} are lost, and were not published while it was gone"));
        row.expect(back <= bound, format!("back after {back:?}"));
        row.expect(row.duplicated == 0, "some came twice");
        rows.push(row);
    }
    rows
}

/// AMQP tells nobody: the next round finds it.
pub(crate) async fn a_binding_is_deleted(stage: &mut Stage) -> Vec<Row> {
    let path = |place: &Place| format!("bindings/{}/e/q/q/q/~", place.name());
    deleted(stage, "binding deleted", path, true, ROUND).await
}

/// The exchange in front of the queue, with its bindings.
pub(crate) async fn an_exchange_is_deleted(stage: &mut Stage) -> Vec<Row> {
    let path = |place: &Place| format!("exchanges/{}/q", place.name());
    deleted(stage, "endpoint's exchange deleted", path, true, ROUND).await
}

/// The exchange that messages are published to: the next publish finds that it is gone, and arrives. No round of the
/// topology is needed for it.
pub(crate) async fn a_message_exchange_is_deleted(stage: &mut Stage) -> Vec<Row> {
    let path = |place: &Place| format!("exchanges/{}/Bus.Faults%3ANumbered", place.name());
    deleted(stage, "message's exchange deleted", path, false, MINUTE).await
}

/// A user of this case's own, and the URL with it.
fn user(place: &Place) -> (String, String) {
    let user = format!("{}-user", place.name());
    password(place, &user, "first");
    permissions(place, &user, ".*");
    let url = place.url().replace("guest:guest@", &format!("{user}:first@"));
    (user, url)
}

fn password(place: &Place, user: &str, password: &str) {
    place.put(&format!("users/{user}"), &format!(r#"{{"password":"{password}","tags":""}}"#));
}

fn permissions(place: &Place, user: &str, read: &str) {
    let body = format!(r#"{{"configure":".*","write":".*","read":"{read}"}}"#);
    place.put(&format!("permissions/{}/{user}", place.name()), &body);
}

async fn close_all(place: &Place) {
    // The API lists connections late.
    let mut closed = 0;
    while closed < 2 {
        closed += place.close_connections();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn credentials_are_refused_for_a_while(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let (user, url) = user(&place);
    let relay = Relay::to(&*place.broker);
    let refusals = Arc::new(Mutex::new(Vec::new()));
    let noted = refusals.clone();
    relay.filter(move |frame| {
        if frame.windows(14).any(|words| words == b"ACCESS_REFUSED") {
            noted.lock().unwrap().push(Instant::now());
        }
        true
    });
    let url = url.replace(&place.broker, &format!("127.0.0.1:{}", relay.port()));
    let load = Load::start(&url, Settings::new(MESSAGES)).await;
    load.handled(MESSAGES / 3).await;
    load.strike();
    password(&place, &user, "second");
    close_all(&place).await;
    let refused = Instant::now();
    let seconds = if stage.soak() { 60 } else { 30 };
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let complaint = load.health.complained(refused + Duration::from_secs(2));
    password(&place, &user, "first");
    let restored = Instant::now();
    let tries: Vec<_> = refusals.lock().unwrap().iter().map(|at| (*at - refused).as_secs_f64()).collect();
    // It is tried every 10 s.
    let bounds = Bounds { back: Duration::from_secs(10) + Bounds::ONCE.back, times: 1 };
    let mut rows = load.end("credentials refused", restored, bounds).await;
    let says = complaint.as_ref().is_some_and(|(_, why)| why.contains("ACCESS_REFUSED"));
    rows[0].expect(says, format!("health said {complaint:?}"));
    // Of both connections; each is tried at once, and then slowly.
    let usual = seconds as usize / 10;
    rows[0].expect((2 * (usual - 1)..=2 * (usual + 1)).contains(&tries.len()), format!("tried after {tries:?} s"));
    let slow = tries.windows(3).all(|three| three[2] - three[0] > 9.0);
    rows[0].expect(slow, format!("tried after {tries:?} s"));
    rows
}

/// The password changes, and so does what the callback says: nobody but the broker's connections notices.
pub(crate) async fn credentials_are_rotated(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let (user, _) = user(&place);
    let known = Arc::new(Mutex::new("first"));
    let (name, asked) = (user.clone(), known.clone());
    let callback = credentials(move || {
        let answer = Credentials::new(name.clone(), *asked.lock().unwrap());
        async { Ok::<_, Infallible>(answer) }
    });
    // The URL knows nobody.
    let url = place.url().replace("guest:guest@", "");
    let load = Load::start_with(builder(&url).with(callback), Settings::new(MESSAGES)).await;
    load.handled(MESSAGES / 3).await;
    let rotated = load.strike();
    password(&place, &user, "second");
    *known.lock().unwrap() = "second";
    close_all(&place).await;
    let closed = Instant::now();
    let complaint = load.health.complains(rotated, "CONNECTION_FORCED").await;
    let mut rows = load.end("credentials rotated", closed, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some(), "health did not say so");
    rows
}

pub(crate) async fn a_permission_is_removed(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let (user, url) = user(&place);
    // What could not be bound while it was forbidden, health complains of until the next round.
    let load = Load::start(&url, Settings { round: ROUND, ..Settings::new(MESSAGES) }).await;
    load.handled(MESSAGES / 3).await;
    // Consumers are asked when they subscribe.
    permissions(&place, &user, "^$");
    close_all(&place).await;
    let removed = Instant::now();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let complaint = load.health.complained(removed + Duration::from_secs(1));
    permissions(&place, &user, ".*");
    let restored = Instant::now();
    let mut rows = load.end("permission to read removed", restored, Bounds::ONCE).await;
    let says = complaint.as_ref().is_some_and(|(_, why)| why.contains("ACCESS_REFUSED"));
    rows[0].expect(says, format!("health said {complaint:?}"));
    rows
}

/// The program blocks all of its own threads for three heartbeats: the connections live on one of their own.
pub(crate) async fn the_runtime_is_blocked(stage: &mut Stage) -> Vec<Row> {
    const HEARTBEAT: u64 = 2;
    reset_peak();
    let connections =
        |place: &Place| place.get(&format!("vhosts/{}/connections", place.name())).map(|list| names(&list));
    let mut all = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        let url = place.url().replace("heartbeat=10", &format!("heartbeat={HEARTBEAT}"));
        let (bus, tally) = subscribed(&url, kind, ROUND).await;
        bus.publish(Numbered { number: 0 }).await.unwrap();
        tally.until(1).await;
        all.push((kind, place, bus, tally));
    }
    // The API lists connections late.
    let mut listed = Vec::new();
    for (_, place, ..) in &all {
        let mut before = connections(place);
        while before.as_ref().is_none_or(|names| names.len() < 2) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            before = connections(place);
        }
        listed.push(before);
    }
    // Both worker threads of this runtime, and the one that waits here.
    let blocked = Duration::from_secs(3 * HEARTBEAT);
    let threads: Vec<_> = (0..2).map(|_| tokio::spawn(async move { std::thread::sleep(blocked) })).collect();
    std::thread::sleep(blocked);
    for thread in threads {
        thread.await.unwrap();
    }
    let mut rows = Vec::new();
    for ((kind, place, bus, tally), before) in all.into_iter().zip(listed) {
        let health = Watch::of(&bus);
        for number in 1..=100 {
            bus.publish(Numbered { number }).await.unwrap();
        }
        tally.until(101).await;
        let well = health.well(Duration::from_secs(1)).await;
        let after = connections(&place);
        bus.stop().await;
        let mut row = tally.row("runtime blocked for three heartbeats", kind, 101);
        row.expect(well.is_ok(), format!("health said {well:?}"));
        row.expect(before == after, format!("connections were {before:?}, and are {after:?}"));
        rows.push(row);
    }
    rows
}

fn names(list: &serde_json::Value) -> std::collections::BTreeSet<String> {
    let names = list.as_array().into_iter().flatten().filter_map(|connection| connection["name"].as_str());
    names.map(str::to_owned).collect()
}
