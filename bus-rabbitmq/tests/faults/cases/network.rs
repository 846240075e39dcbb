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
    through_at(place, relay, messages, HEARTBEAT).await
}

async fn through_at(place: &Place, relay: &Relay, messages: u32, heartbeat: u16) -> Load {
    let load = Load::start(&place.url_through(relay, heartbeat), Settings::new(messages)).await;
    load.handled(messages / 3).await;
    load
}

async fn answers(relay: &Relay) -> Instant {
    raw::answers(&format!("127.0.0.1:{}", relay.port())).await
}

pub(crate) async fn tcp_is_cut(stage: &mut Stage) -> Vec<Row> {
    let (place, messages) = (stage.place(), stage.messages(10_000));
    let relay = Relay::to(&*place.broker);
    let load = through(&place, &relay, messages).await;
    let cut = load.strike();
    relay.cut();
    let answered = answers(&relay).await;
    let complaint = load.health.complains(cut, "the connection has been down").await;
    let mut rows = load.end("TCP cut", answered, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some(), "health did not say so");
    rows
}

pub(crate) async fn tcp_is_half_open(stage: &mut Stage) -> Vec<Row> {
    let mut rows = half_open(stage, HEARTBEAT).await;
    if stage.soak() {
        rows.extend(half_open(stage, 10).await);
    }
    rows
}

async fn half_open(stage: &Stage, heartbeat: u16) -> Vec<Row> {
    let (place, messages) = (stage.place(), stage.messages(MESSAGES));
    let relay = Relay::to(&*place.broker);
    let load = through_at(&place, &relay, messages, heartbeat).await;
    let silent = load.strike();
    relay.silence();
    let two = Duration::from_secs(2 * u64::from(heartbeat));
    tokio::time::sleep(two + Duration::from_secs(1)).await;
    let complaint = load.health.complained(silent);
    // From the beginning of the silence.
    let bounds = Bounds { back: two + Duration::from_secs(2), times: 1 };
    let fault = format!("half-open connection, heartbeat {heartbeat} s");
    let mut rows = load.end(&fault, silent, bounds).await;
    rows[0].expect(complaint.is_some(), "health did not say so within two heartbeats and a second");
    rows
}

/// Frames of both sides.
pub(crate) async fn a_frame_ends_in_its_middle(stage: &mut Stage) -> Vec<Row> {
    let (place, messages) = (stage.place(), stage.messages(MESSAGES));
    let relay = Relay::to(&*place.broker);
    let load = through(&place, &relay, messages).await;
    let (mut answered, mut complaints) = (Instant::now(), Vec::new());
    for (time, side) in [Side::Server, Side::Client, Side::Server, Side::Client].into_iter().enumerate() {
        let struck = load.strike();
        // A connection would be back before anybody looked.
        relay.refuse(true);
        relay.break_frame(side);
        // Of whichever connection comes first.
        while relay.broken() == time && struck.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        complaints.extend(load.health.complains(struck, "the connection has been down").await);
        relay.refuse(false);
        answered = answers(&relay).await;
        // So that each meets one that works.
        load.handled(messages / 3 + (time as u32 + 1) * 150).await;
    }
    let broken = relay.broken();
    let mut rows = load.end("reset inside a frame, 4 ×", answered, Bounds { times: 4, ..Bounds::ONCE }).await;
    rows[0].expect(broken == 4, format!("{broken} frames were broken"));
    rows[0].expect(complaints.len() == 4, format!("health said {complaints:?}"));
    rows
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
    let stalled = load.strike();
    relay.stall(true);
    tokio::time::sleep(Duration::from_secs(if stage.soak() { 60 } else { 12 })).await;
    let complaint = load.health.complained(stalled);
    relay.stall(false);
    let answered = answers(&relay).await;
    let mut rows = load.end("network stalled", answered, Bounds::ONCE).await;
    rows[0].expect(complaint.is_some(), "health did not say so");
    rows
}

/// Two hosts in the URL: the one in use dies and stays away, and later the other.
pub(crate) async fn hosts_die_in_turn(stage: &mut Stage) -> Vec<Row> {
    let (place, messages) = (stage.place(), stage.messages(MESSAGES));
    let (one, other) = (Relay::to(&*place.broker), Relay::to(&*place.broker));
    other.refuse(true);
    let authority = format!("127.0.0.1:{},127.0.0.1:{}", one.port(), other.port());
    let url = place.url().replace(&place.broker, &authority);
    let load = Load::start(&url, Settings::new(messages)).await;
    load.handled(messages / 6).await;
    let (mut dead, mut complaints) = (Instant::now(), Vec::new());
    let mut rows = Vec::new();
    for (time, (dying, living)) in [(&one, &other), (&other, &one)].into_iter().enumerate() {
        living.refuse(false);
        let came = living.accepted().len();
        dead = load.strike();
        dying.refuse(true);
        dying.cut();
        let named = format!("127.0.0.1:{}: ", dying.port());
        let complaint = load.health.complains(dead, &named).await;
        load.handled(messages / 6 + (time as u32 + 1) * (messages / 3)).await;
        complaints.push((named, complaint, living.accepted().len() - came));
    }
    rows.extend(load.end("hosts die in turn", dead, Bounds { times: 2, ..Bounds::ONCE }).await);
    for (named, complaint, came) in complaints {
        rows[0].expect(complaint.is_some(), format!("health did not name {named}"));
        rows[0].expect(came >= 2, format!("{came} connections to the host that lives"));
    }
    rows
}
