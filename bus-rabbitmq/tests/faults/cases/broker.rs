//! What happens to the broker.

use std::time::{Duration, Instant};

use lapin::options::QueueDeleteOptions;
use xtask::rabbitmq::Server;

use crate::{
    load::{Bounds, Deletion, KINDS, Load, Place, Settings},
    raw,
    stage::Stage,
    table::Row,
};

const MESSAGES: u32 = 5000;
/// Where the promise is about numbers.
const MANY: u32 = 10_000;

/// For comparison, and to see that the suite counts well.
pub(crate) async fn nothing_happens(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    load.handled(messages / 3).await;
    let now = Instant::now();
    let complaint = load.health.complained(now - Duration::from_secs(60));
    let mut rows = load.end("none", now, Bounds { times: 0, ..Bounds::ONCE }).await;
    rows[0].expect(complaint.is_none(), format!("health complained of nothing: {complaint:?}"));
    rows
}

/// Two seconds apart.
pub(crate) async fn all_connections_are_closed_three_times(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MANY);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    load.handled(messages / 6).await;
    let (mut answered, mut complaints) = (Instant::now(), Vec::new());
    for time in 1..=3 {
        let struck = load.strike();
        // The API lists connections late.
        let mut closed = 0;
        while closed < 2 {
            closed += place.close_connections();
        }
        answered = Instant::now();
        complaints.extend(load.health.complains(struck, "CONNECTION_FORCED").await);
        if time < 3 {
            tokio::time::sleep(Duration::from_secs(2).saturating_sub(struck.elapsed())).await;
        }
    }
    let bounds = Bounds { times: 3, ..Bounds::ONCE };
    let mut rows = load.end("broker closes all connections, 3 ×", answered, bounds).await;
    rows[0].expect(complaints.len() == 3, format!("health said {complaints:?}"));
    rows
}

/// And started 3 s later.
pub(crate) async fn it_is_killed(stage: &mut Stage) -> Vec<Row> {
    it_is_away(stage, "broker killed with -9, started 3 s later", Server::kill, 3).await
}

/// In good order, and started 5 s later.
pub(crate) async fn it_is_restarted(stage: &mut Stage) -> Vec<Row> {
    it_is_away(stage, "broker stopped, started 5 s later", |server| server.stop().unwrap(), 5).await
}

async fn it_is_away(stage: &mut Stage, fault: &str, end: fn(&mut Server), seconds: u64) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MANY);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    load.handled(messages / 3).await;
    let struck = load.strike();
    stage.server(end);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let raw = tokio::spawn({
        let broker = place.broker.clone();
        async move { raw::answers(&broker).await }
    });
    stage.server(|server| server.start_again().unwrap());
    let answered = raw.await.unwrap();
    let complaint = load.health.complained(struck);
    let mut rows = load.end(fault, answered, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some_and(|(at, _)| at < answered), "health did not say so");
    rows
}

pub(crate) async fn it_is_frozen(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let heartbeat = if stage.soak() { 10 } else { 3 };
    let url = place.url().replace("heartbeat=10", &format!("heartbeat={heartbeat}"));
    let load = Load::start(&url, Settings::new(messages)).await;
    load.handled(messages / 3).await;
    let frozen = load.strike();
    stage.server(|server| server.freeze());
    tokio::time::sleep(Duration::from_secs(if stage.soak() { 45 } else { 12 })).await;
    stage.server(|server| server.thaw());
    let answered = raw::answers(&place.broker).await;
    let complaint = load.health.complained(frozen);
    let mut rows = load.end("broker frozen (SIGSTOP)", answered, Bounds::ONCE).await;
    let told_by = frozen + Duration::from_secs(2 * heartbeat + 2);
    rows[0].expect(
        complaint.as_ref().is_some_and(|(at, _)| *at < told_by),
        format!("health did not say so within two heartbeats and 2 s: {complaint:?}"),
    );
    rows
}

/// Each queue of the chain, while it is sent to: by the application, and by handlers.
pub(crate) async fn a_queue_is_deleted_under_its_consumer(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let settings = Settings { deleting: true, ..Settings::new(messages) };
    let load = Load::start(&place.url(), settings).await;
    load.handled(messages / 3).await;
    let connection = place.connection().await;
    let channel = connection.create_channel().await.unwrap();
    let deleted = load.strike();
    for (name, place) in [("second", Place::Second), ("first", Place::First)] {
        for (index, kind) in KINDS.into_iter().enumerate() {
            let began = Instant::now();
            // How many lay ready in it, as the broker counts them while it deletes it.
            let ready = channel.queue_delete(format!("{name}-{kind}").into(), QueueDeleteOptions::default()).await;
            load.deleted(index, Deletion { place, ready: ready.unwrap(), began, ended: Instant::now() });
        }
    }
    let answered = Instant::now();
    let complaint = load.health.complains(deleted, "").await;
    let mut rows = load.end("queues deleted under their consumers", answered, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some(), "health did not say so");
    rows
}
