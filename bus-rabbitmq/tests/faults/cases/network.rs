//! What happens to the network.

use std::time::{Duration, Instant};

use xtask::{Relay, Side};

use crate::{
    load::{Bounds, Load, Settings},
    raw,
    stage::{Place, Stage},
    table::Row,
};

const MESSAGES: u32 = 5000;
/// Seconds.
const HEARTBEAT: u16 = 2;

async fn through(place: &Place, relay: &Relay, messages: u32) -> Load {
    let load = Load::start(&place.url_through(relay, HEARTBEAT), Settings::new(messages)).await;
    load.handled(messages / 3).await;
    load
}

async fn answers(relay: &Relay) -> Instant {
    raw::answers(&format!("127.0.0.1:{}", relay.port())).await
}

pub(crate) async fn tcp_is_cut(stage: &mut Stage) -> Vec<Row> {
    let (place, messages) = (stage.place(), stage.messages(MESSAGES));
    let relay = Relay::to(&*place.broker);
    let load = through(&place, &relay, messages).await;
    let cut = Instant::now();
    relay.cut();
    let answered = answers(&relay).await;
    load.handled(messages / 2).await;
    let complaint = load.health.complained(cut);
    let mut rows = load.end("TCP cut", answered, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some(), "health did not say so");
    rows
}

pub(crate) async fn tcp_is_half_open(stage: &mut Stage) -> Vec<Row> {
    let (place, messages) = (stage.place(), stage.messages(MESSAGES));
    let relay = Relay::to(&*place.broker);
    let load = through(&place, &relay, messages).await;
    let silent = Instant::now();
    relay.silence();
    let two = Duration::from_secs(2 * u64::from(HEARTBEAT));
    let answered = answers(&relay).await;
    tokio::time::sleep(two + Duration::from_secs(1)).await;
    let complaint = load.health.complained(silent);
    let bounds = Bounds { back: two + Duration::from_secs(2), times: 1 };
    // What passed on the wire may be handled yet: only what comes after the silence was noticed shows a way back.
    let noticed = complaint.as_ref().map_or(answered, |(at, _)| *at);
    let mut rows = load.end("half-open connection", noticed, bounds).await;
    for row in &mut rows {
        // From the beginning of the silence.
        row.back = row.back.map(|back| back + (noticed - silent).as_secs_f64());
        let back = row.back.unwrap_or(f64::MAX);
        row.expect(back <= bounds.back.as_secs_f64(), format!("back after {back}"));
    }
    rows[0].expect(complaint.is_some(), "health did not say so within two heartbeats and a second");
    rows
}

pub(crate) async fn a_frame_ends_in_its_middle(stage: &mut Stage) -> Vec<Row> {
    let (place, messages) = (stage.place(), stage.messages(MESSAGES));
    let relay = Relay::to(&*place.broker);
    let load = through(&place, &relay, messages).await;
    let mut answered = Instant::now();
    // Of both connections, whichever comes first.
    for _ in 0..4 {
        relay.break_frame(Side::Server);
        tokio::time::sleep(Duration::from_millis(500)).await;
        answered = answers(&relay).await;
    }
    load.end("reset inside a frame, 4 ×", answered, Bounds { times: 4, ..Bounds::ONCE }).await
}

/// Slow is not broken: nothing is lost, and nothing comes twice.
pub(crate) async fn the_way_is_slow(stage: &mut Stage) -> Vec<Row> {
    let (place, messages) = (stage.place(), stage.messages(1500));
    let relay = Relay::to(&*place.broker);
    let load = through(&place, &relay, messages).await;
    relay.slow(Some(200_000));
    let slow = Instant::now();
    load.handled(messages / 3 + 300).await;
    let complaint = load.health.complained(slow);
    relay.slow(None);
    let mut rows = load.end("slow network", Instant::now(), Bounds { times: 0, ..Bounds::ONCE }).await;
    rows[0].expect(complaint.is_none(), format!("health complained: {complaint:?}"));
    rows
}

/// The network takes bytes and delivers none, new connections included, for longer than an attempt may take.
pub(crate) async fn the_network_stalls(stage: &mut Stage) -> Vec<Row> {
    let (place, messages) = (stage.place(), stage.messages(MESSAGES));
    let relay = Relay::to(&*place.broker);
    let load = through(&place, &relay, messages).await;
    let stalled = Instant::now();
    relay.stall(true);
    tokio::time::sleep(Duration::from_secs(if stage.soak() { 60 } else { 12 })).await;
    let complaint = load.health.complained(stalled);
    relay.stall(false);
    let answered = answers(&relay).await;
    let mut rows = load.end("network stalled", answered, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some(), "health did not say so");
    rows
}
