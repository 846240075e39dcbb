//! What happens to what is sent.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{Bus, Error, consumer::Failure};
use futures_util::{StreamExt, stream};

use crate::{
    health::Watch,
    load::{KINDS, Numbered, builder, chain, of_kind},
    memory::{peak_mb, reset_peak},
    stage::{Place, Stage},
    table::Row,
    tally::Tally,
};

/// A bus with an endpoint `q` that counts.
async fn counting(place: &Place, kind: &str) -> (Bus, Arc<Tally>) {
    let tally = Arc::new(Tally::default());
    let counts = tally.clone();
    let count = move |message: Numbered| {
        counts.note(message.number);
        async { Ok::<_, Failure>(()) }
    };
    let bus = builder(&place.url()).endpoint("q", |e| of_kind(e.consumer(count), kind)).build().unwrap();
    bus.start().await.unwrap();
    (bus, tally)
}

/// Each return is credited to its message: as many unroutables as there are, and no others.
pub(crate) async fn every_seventh_of_ten_thousand_is_unroutable(stage: &mut Stage) -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        let messages = stage.messages(10_000);
        reset_peak();
        let (bus, tally) = counting(&place, kind).await;
        let wrong: Vec<String> = stream::iter(0..messages)
            .map(|number| {
                let bus = &bus;
                async move {
                    let nowhere = number % 7 == 6;
                    let to = if nowhere { "queue:nowhere" } else { "queue:q" };
                    match (bus.send(to, Numbered { number }).await, nowhere) {
                        (Ok(_), false) | (Err(Error::Unroutable { .. }), true) => None,
                        (Ok(_), true) => Some(format!("{number} was confirmed, and is nowhere")),
                        (Err(error), _) => Some(format!("{number}: {}", chain(&error))),
                    }
                }
            })
            .buffer_unordered(1000)
            .filter_map(std::future::ready)
            .collect()
            .await;
        let routed = (messages - messages / 7) as usize;
        tally.until(routed).await;
        bus.stop().await;
        let mut row = tally.row("every seventh send is unroutable", kind, routed);
        row.expect(row.duplicated == 0, "some came twice");
        row.expect(wrong.is_empty(), format!("{} wrong: {:?}", wrong.len(), wrong.first()));
        rows.push(row);
    }
    rows
}

pub(crate) async fn one_publish_of_a_thousand_closes_the_channel(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 1000;
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        reset_peak();
        // Nobody may publish to it: whoever tries loses the channel.
        place.put(
            &format!("exchanges/{}/internal", place.name()),
            r#"{"type":"fanout","durable":true,"internal":true}"#,
        );
        let (bus, tally) = counting(&place, kind).await;
        let sends = (0..MESSAGES).map(|number| {
            let bus = bus.clone();
            async move {
                let to = if number == MESSAGES / 2 { "exchange:internal" } else { "queue:q" };
                (number, bus.send(to, Numbered { number }).await)
            }
        });
        let mut problems = Vec::new();
        for (number, sent) in futures_util::future::join_all(sends).await {
            match sent {
                Ok(_) if number != MESSAGES / 2 => {}
                Err(Error::Rejected { .. }) if number == MESSAGES / 2 => {}
                other => problems.push(format!("{number}: {other:?}")),
            }
        }
        tally.until(MESSAGES as usize - 1).await;
        bus.stop().await;
        let mut row = tally.row("one publish of 1 000 closes the channel", kind, MESSAGES as usize - 1);
        row.expect(problems.is_empty(), format!("{} wrong: {:?}", problems.len(), problems.first()));
        row.expect(row.duplicated < MESSAGES as usize, "more came twice than were under way");
        rows.push(row);
    }
    rows
}

/// One message of two hundred is larger than a setting of the broker's allows, in its headers and in its body. What
/// `default` is afterwards.
async fn one_is_too_large(stage: &mut Stage, fault: &str, (setting, default): (&str, u32), words: &str) -> Vec<Row> {
    const MESSAGES: u32 = 200;
    let set = |bytes: u32| {
        let code = format!("application:set_env(rabbit, {setting}, {bytes}).");
        move |server: &mut xtask::rabbitmq::Server| server.control(&["eval", &code]).map(drop).unwrap()
    };
    stage.server(set(65_536));
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        reset_peak();
        let (bus, tally) = counting(&place, kind).await;
        let sends = (0..MESSAGES).map(|number| {
            let bus = bus.clone();
            async move {
                let padding = if number == MESSAGES / 2 { 100_000 } else { 10 };
                (number, bus.send("queue:q", Numbered { number }).header("padding", "x".repeat(padding)).await)
            }
        });
        let mut problems = Vec::new();
        for (number, sent) in futures_util::future::join_all(sends).await {
            match sent {
                Ok(_) if number != MESSAGES / 2 => {}
                Err(error @ Error::Rejected { .. }) if number == MESSAGES / 2 && chain(&error).contains(words) => {}
                other => problems.push(format!("{number}: {other:?}")),
            }
        }
        tally.until(MESSAGES as usize - 1).await;
        bus.stop().await;
        let mut row = tally.row(fault, kind, MESSAGES as usize - 1);
        row.expect(problems.is_empty(), format!("{} wrong: {:?}", problems.len(), problems.first()));
        row.expect(row.duplicated < MESSAGES as usize, "more came twice than were under way");
        rows.push(row);
    }
    stage.server(set(default));
    rows
}

pub(crate) async fn one_is_larger_than_the_broker_takes(stage: &mut Stage) -> Vec<Row> {
    let default = ("max_message_size", 128 << 20);
    one_is_too_large(stage, "one message of 200 is too large", default, "larger than configured max size").await
}

pub(crate) async fn one_has_more_headers_than_a_frame_of_the_brokers(stage: &mut Stage) -> Vec<Row> {
    let default = ("frame_max", 128 << 10);
    one_is_too_large(stage, "headers of one of 200 are too large", default, "frame_max of 65536 bytes").await
}

/// While nothing is taken, what is given up holds its place in the window: memory has a ceiling.
pub(crate) async fn a_blocked_broker_is_flooded(stage: &mut Stage) -> Vec<Row> {
    /// Bytes of a message's own, as digits of its number.
    const SIZE: usize = 100_000;
    /// The window, once more for what lapin copied before it knew, and what the program itself has in hand.
    const CEILING_MB: u64 = 2 * 64 + 64 * SIZE as u64 / (1 << 20) + 16;
    let place = stage.place();
    let (bus, tally) = counting(&place, "classic").await;
    bus.send("queue:q", Numbered { number: u32::MAX }).await.unwrap();
    tally.until(1).await;
    reset_peak();
    let before = peak_mb();
    let (health, raised) = (Watch::of(&bus), Instant::now());
    stage.server(|server| server.control(&["set_vm_memory_high_watermark", "absolute", "1"]).unwrap());
    let seconds = if stage.soak() { 60 } else { 8 };
    let flood = async {
        let flooding = (0..64_u32).map(|sender| {
            let bus = &bus;
            async move {
                let (mut sent, mut unsent, mut next) = (Vec::new(), Vec::new(), sender);
                loop {
                    let padded = Numbered { number: next };
                    let send = bus.send("queue:q", padded).header("padding", "x".repeat(SIZE));
                    match send.timeout(Duration::from_millis(200)).await {
                        Ok(_) => sent.push(next),
                        Err(Error::NotSent { .. }) => unsent.push(next),
                        // It may come.
                        Err(_) => {}
                    }
                    next += 64;
                    if next / 64 >= seconds * 5 {
                        return (sent, unsent);
                    }
                }
            }
        });
        futures_util::future::join_all(flooding).await
    };
    let flooded = flood.await;
    let peak = peak_mb();
    let complaint = health.complained(raised);
    stage.server(|server| server.control(&["set_vm_memory_high_watermark", "0.4"]).unwrap());
    let last = u32::MAX - 1;
    bus.send("queue:q", Numbered { number: last }).await.unwrap();
    while !tally.has(last) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bus.stop().await;
    let lost = flooded.iter().flat_map(|(sent, _)| sent).filter(|number| !tally.has(**number)).count();
    let denied = flooded.iter().flat_map(|(_, unsent)| unsent).filter(|number| tally.has(**number)).count();
    let attempts = (64 * seconds * 5) as usize;
    let confirmed = flooded.iter().map(|(sent, _)| sent.len()).sum::<usize>();
    let unsent = flooded.iter().map(|(_, unsent)| unsent.len()).sum::<usize>();
    let mut row = Row {
        fault: "flood at a blocked broker".to_owned(),
        queue: "classic",
        sent: attempts,
        received: tally.distinct(),
        lost,
        duplicated: tally.again(),
        peak_mb: peak,
        ..Row::default()
    };
    row.expect(lost == 0, format!("{lost} were confirmed and did not arrive"));
    row.expect(denied == 0, format!("{denied} arrived that were said not to be sent"));
    // Else there was no alarm.
    let blocked = complaint.as_ref().is_some_and(|(_, why)| why.contains("blocked"));
    row.expect(blocked, format!("health said {complaint:?}"));
    row.expect(confirmed <= attempts / 10, format!("{confirmed} of {attempts} were confirmed"));
    row.expect(unsent >= attempts / 2, format!("of {unsent} of {attempts} it was said that they were not sent"));
    row.expect(peak <= before + CEILING_MB, format!("{peak} MB, and {before} MB before"));
    vec![row]
}
