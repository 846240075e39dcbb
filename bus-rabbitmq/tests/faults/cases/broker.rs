//! What happens to the broker.

use std::time::{Duration, Instant};

use lapin::options::QueueDeleteOptions;
use xtask::rabbitmq::Server;

use crate::{
    load::{Bounds, KINDS, Load, Settings},
    raw,
    stage::Stage,
    table::Row,
};

const MESSAGES: u32 = 5000;

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

pub(crate) async fn all_connections_are_closed_three_times(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    let mut answered = Instant::now();
    for time in 1..=3 {
        load.handled(messages * time / 4).await;
        // The API lists connections late.
        let mut closed = 0;
        while closed < 2 {
            closed += place.close_connections();
        }
        answered = Instant::now();
    }
    load.end("broker closes all connections, 3 ×", answered, Bounds { times: 3, ..Bounds::ONCE }).await
}

pub(crate) async fn it_is_killed(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    load.handled(messages / 3).await;
    stage.server(Server::kill);
    let killed = Instant::now();
    let (_, answered) = tokio::join!(async { stage.server(|server| server.start_again().unwrap()) }, async {
        tokio::spawn({
            let broker = place.broker.clone();
            async move { raw::answers(&broker).await }
        })
        .await
        .unwrap()
    });
    let complaint = load.health.complained(killed);
    let mut rows = load.end("broker killed with -9", answered, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some_and(|(at, _)| at < answered), "health did not say so");
    rows
}

pub(crate) async fn it_is_restarted(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    load.handled(messages / 3).await;
    stage.server(|server| server.stop().unwrap());
    let stopped = Instant::now();
    let raw = tokio::spawn({
        let broker = place.broker.clone();
        async move { raw::answers(&broker).await }
    });
    stage.server(|server| server.start_again().unwrap());
    let answered = raw.await.unwrap();
    let complaint = load.health.complained(stopped);
    let mut rows = load.end("broker restarted", answered, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some_and(|(at, _)| at < answered), "health did not say so");
    rows
}

pub(crate) async fn it_raises_a_memory_alarm(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    load.handled(messages / 3).await;
    stage.server(|server| server.control(&["set_vm_memory_high_watermark", "absolute", "1"]).unwrap());
    let raised = Instant::now();
    tokio::time::sleep(Duration::from_secs(if stage.soak() { 60 } else { 8 })).await;
    let complaint = load.health.complained(raised);
    stage.server(|server| server.control(&["set_vm_memory_high_watermark", "0.4"]).unwrap());
    let cleared = Instant::now();
    let mut rows = load.end("memory alarm", cleared, Bounds { times: 0, ..Bounds::ONCE }).await;
    rows[0].expect(complaint.is_some_and(|(_, why)| why.contains("blocked")), "health did not say so");
    rows
}

pub(crate) async fn it_is_frozen(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let heartbeat = if stage.soak() { 10 } else { 3 };
    let url = place.url().replace("heartbeat=10", &format!("heartbeat={heartbeat}"));
    let load = Load::start(&url, Settings::new(messages)).await;
    load.handled(messages / 3).await;
    stage.server(|server| server.freeze());
    let frozen = Instant::now();
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

pub(crate) async fn a_queue_is_deleted_under_its_consumer(stage: &mut Stage) -> Vec<Row> {
    let place = stage.place();
    let messages = stage.messages(MESSAGES);
    let load = Load::start(&place.url(), Settings::new(messages)).await;
    load.handled(messages / 3).await;
    let connection = place.connection().await;
    let channel = connection.create_channel().await.unwrap();
    // What is sent while a queue is being deleted may be confirmed and gone: a broker's own race.
    load.pause().await;
    let deleted = Instant::now();
    for (index, kind) in KINDS.into_iter().enumerate() {
        let ready = channel.queue_delete(format!("first-{kind}").into(), QueueDeleteOptions::default()).await;
        // How many lay ready in it, as the broker counts them while it deletes it.
        load.taken(index, ready.unwrap());
    }
    load.resume();
    let answered = Instant::now();
    load.handled(messages / 2).await;
    let complaint = load.health.complained(deleted);
    let mut rows = load.end("queue deleted under its consumer", answered, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some(), "health did not say so");
    rows
}
