//! Redelivery while the broker misbehaves, and what `build()` says of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use bus_conformance::{
    Probe, eventually,
    faulty::{Answer, Step},
};
use bus_core::{
    Bus, Error,
    bus::EndpointBuilder,
    clock::Clock,
    consumer::{Context, Failure, ResultExt},
    envelope::Envelope,
    transport::Outgoing,
};
use bytes::Bytes;

use crate::stage::{Stage, Ticked, only, pass, problem, quiet};

const DELAY: Duration = Duration::from_secs(60);

/// A copy on its way to a later round.
fn put_off(message: &Outgoing) -> bool {
    message.delay.is_some()
}

/// The rounds that a handler was called in.
#[derive(Clone, Default)]
struct Rounds(Arc<Mutex<Vec<u32>>>);

impl Rounds {
    fn so_far(&self) -> Vec<u32> {
        self.0.lock().unwrap().clone()
    }
}

/// A bus on a clock that stands still, whose endpoint `work` fails in each round.
async fn failing(stage: &Stage, clock: &Clock, work: impl FnOnce(EndpointBuilder) -> EndpointBuilder) -> (Bus, Rounds) {
    let rounds = Rounds::default();
    let noted = rounds.clone();
    let handler = move |_: Ticked, ctx: Context| {
        noted.0.lock().unwrap().push(ctx.redelivery_count());
        async { Err::<(), Failure>("no".into()) }
    };
    let bus = stage.bus(|b| b.clock(clock.clone()).endpoint("work", |e| work(e).consumer(handler))).await;
    (bus, rounds)
}

#[tokio::test]
async fn a_round_is_confirmed_before_its_original_is_completed() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let (bus, rounds) = failing(&stage, &clock, |e| e.redeliver([DELAY])).await;
    let withheld = stage.faults.withhold(put_off);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.faults.until("the copy", |steps| steps.iter().filter_map(Step::submitted).any(put_off)).await;
    quiet().await;
    assert!(!stage.has_completed("work"), "the copy is not confirmed yet");
    withheld.release();
    let steps = stage.completed("work", 1).await;
    assert!(only(&steps, |step| step.confirms(put_off)) < only(&steps, |step| step.completes("work")), "{steps:#?}");
    assert_eq!(rounds.so_far(), [0]);
    bus.stop().await;
}

#[tokio::test]
async fn a_round_that_cannot_be_sent_is_held_and_shown_and_no_handler_runs_meanwhile() {
    for answer in [Answer::NotSent, Answer::Rejected, Answer::Unroutable] {
        let (stage, clock) = (Stage::new().await, Clock::manual(1));
        let (bus, rounds) = failing(&stage, &clock, |e| e.redeliver([2 * DELAY])).await;
        stage.faults.answer(usize::MAX, put_off, answer);
        bus.publish(Ticked { number: 1 }).await.unwrap();
        pass(&clock, DELAY).await;
        assert!(problem(&bus).unwrap().contains("could not be moved to work"), "{:?}", problem(&bus));
        assert!(!stage.has_completed("work"));
        stage.faults.heal();
        pass(&clock, DELAY).await;
        assert_eq!((problem(&bus), rounds.so_far()), (None, vec![0]), "the delay begins when the broker has the copy");
        pass(&clock, 2 * DELAY).await;
        assert_eq!(rounds.so_far(), [0, 1]);
        bus.stop().await;
        stage.lying("work_error", 1).await;
    }
}

#[tokio::test]
async fn of_a_round_whose_fate_is_unknown_no_copy_is_early_and_none_is_missing() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let (bus, rounds) = failing(&stage, &clock, |e| e.redeliver([DELAY])).await;
    // The broker has it, and nobody says so.
    stage.faults.answer(1, put_off, Answer::Unknown);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    pass(&clock, DELAY / 2).await;
    stage.completed("work", 1).await;
    assert_eq!(rounds.so_far(), [0]);
    let copies: Vec<_> =
        stage.faults.steps().iter().filter_map(Step::submitted).filter(|m| put_off(m)).cloned().collect();
    let ids: BTreeSet<_> = copies.iter().map(|copy| copy.message_id.clone()).collect();
    assert_eq!((copies.len(), ids.len()), (2, 1), "sent again as the same message");
    pass(&clock, DELAY).await;
    assert_eq!(rounds.so_far(), [0, 1, 1]);
    bus.stop().await;
}

#[tokio::test]
async fn a_stop_returns_a_message_whose_round_could_not_be_sent() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let (bus, rounds) = failing(&stage, &clock, |e| e.redeliver([DELAY])).await;
    stage.faults.answer(usize::MAX, put_off, Answer::NotSent);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    eventually("the outage to show", || problem(&bus).is_some()).await;
    bus.stop().await;
    stage.faults.heal();
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (1, 0));
    let (bus, later) = failing(&stage, &clock, |e| e.redeliver([DELAY])).await;
    pass(&clock, 3 * DELAY).await;
    assert_eq!((rounds.so_far(), later.so_far()), (vec![0], vec![0, 1]), "a round that was not made does not count");
    bus.stop().await;
}

#[tokio::test]
async fn an_outage_that_a_handler_met_is_no_round() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let rounds = Rounds::default();
    let noted = rounds.clone();
    let bus = stage
        .bus(|b| {
            b.clock(clock.clone()).endpoint("work", |e| {
                e.redeliver([DELAY]).consumer(move |ticked: Ticked, ctx: Context| {
                    noted.0.lock().unwrap().push(ctx.redelivery_count());
                    async move { ctx.send("queue:work", Ticked { number: ticked.number + 1 }).confirmed().await }
                })
            })
        })
        .await;
    stage.faults.answer(3, |message| message.mandatory && message.delay.is_none(), Answer::NotSent);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    pass(&clock, Duration::from_secs(60)).await;
    assert!(rounds.so_far().len() > 3 && rounds.so_far().iter().all(|round| *round == 0), "{:?}", rounds.so_far());
    bus.stop().await;
    assert!(!stage.faults.steps().iter().filter_map(Step::submitted).any(put_off));
}

#[tokio::test]
async fn panics_and_timeouts_make_rounds_too() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let rounds = Rounds::default();
    let noted = rounds.clone();
    let handler = move |_: Ticked, ctx: Context| {
        let round = ctx.redelivery_count();
        noted.0.lock().unwrap().push(round);
        async move {
            assert!(round > 0, "the first one panics");
            std::future::pending::<Result<(), Failure>>().await
        }
    };
    let bus = stage
        .bus(|b| {
            let policy = |e: EndpointBuilder| e.timeout(DELAY).redeliver([DELAY, DELAY]);
            b.clock(clock.clone()).endpoint("work", |e| policy(e).consumer(handler))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    pass(&clock, 10 * DELAY).await;
    assert_eq!(rounds.so_far(), [0, 1, 2]);
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert!(letter.fault_message().unwrap().contains("timeout"), "{letter:?}");
    bus.stop().await;
}

#[tokio::test]
async fn the_last_failure_of_a_round_may_say_how_long_the_message_waits() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let rounds = Rounds::default();
    let noted = rounds.clone();
    let handler = move |_: Ticked, ctx: Context| {
        noted.0.lock().unwrap().push(ctx.redelivery_count());
        async { Err::<(), _>("too many requests").retry_after(2 * DELAY).map_err(Failure::from) }
    };
    let bus = stage.bus(|b| b.clock(clock.clone()).endpoint("work", |e| e.redeliver([DELAY]).consumer(handler))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    pass(&clock, 2 * DELAY - Duration::from_millis(1)).await;
    assert_eq!(rounds.so_far(), [0]);
    pass(&clock, Duration::from_millis(1)).await;
    assert_eq!(rounds.so_far(), [0, 1]);
    bus.stop().await;
}

#[tokio::test]
async fn one_consumer_that_may_be_redelivered_is_enough_and_faults_are_told_after_the_last_round() {
    use bus_core::fault::Fault;
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let faults = Probe::<Fault<Ticked>>::open();
    let permanent = async |_: Ticked| Err::<(), _>("never").permanent().map_err(Failure::from);
    let once = async |_: Ticked, ctx: Context| {
        if ctx.redelivery_count() == 0 { Err(Failure::from("not yet")) } else { Ok(()) }
    };
    let bus = stage
        .bus(|b| {
            b.clock(clock.clone())
                .endpoint("work", |e| e.redeliver([DELAY, DELAY]).consumer(permanent).consumer(once))
                .endpoint("watch", |e| e.consumer(faults.handler()))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    pass(&clock, DELAY - Duration::from_millis(1)).await;
    assert_eq!(faults.left().await, 0);
    pass(&clock, 5 * DELAY).await;
    bus.stop().await;
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert_eq!((letter.fault_message(), faults.left().await), (Some("never"), 1));
    assert_eq!(letter.headers.get("MT-Fault-RedeliveryCount"), Some(&1.into()));
}

#[tokio::test]
async fn a_message_whose_time_would_be_over_ends_in_error_and_another_keeps_what_is_left() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let (bus, rounds) = failing(&stage, &clock, |e| e.redeliver([DELAY, DELAY])).await;
    bus.publish(Ticked { number: 1 }).time_to_live(DELAY + DELAY / 2).await.unwrap();
    pass(&clock, 10 * DELAY).await;
    assert_eq!(rounds.so_far(), [0, 1]);
    let copies: Vec<_> =
        stage.faults.steps().iter().filter_map(Step::submitted).filter(|m| put_off(m)).cloned().collect();
    assert_eq!(copies.iter().map(|copy| copy.time_to_live).collect::<Vec<_>>(), [Some(DELAY / 2)]);
    stage.lying("work_error", 1).await;
    bus.stop().await;
}

#[tokio::test]
async fn a_message_without_an_id_is_given_none_on_its_rounds() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let (bus, rounds) = failing(&stage, &clock, |e| e.redeliver([DELAY, DELAY])).await;
    stage.put("work", br#"{"message":{"number":1},"messageType":["urn:message:Bus.Engine:Ticked"]}"#).await;
    pass(&clock, 5 * DELAY).await;
    assert_eq!(rounds.so_far(), [0, 1, 2]);
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    let envelope = Envelope::read(&letter.body).unwrap();
    assert_eq!((letter.message_id.as_deref(), envelope.message_id, envelope.conversation_id), (None, None, None));
    assert_eq!(envelope.headers()["MT-Redelivery-Count"], 2);
    bus.stop().await;
}

#[tokio::test]
async fn starts_that_ended_a_process_are_counted_anew_in_each_round() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let (bus, _) = failing(&stage, &clock, |e| e.redeliver([DELAY])).await;
    let transport = stage.place.transport().await;
    let body = Bytes::from_static(br#"{"message":{"number":1},"messageType":["urn:message:Bus.Engine:Ticked"]}"#);
    let to = bus_core::address::Destination::Queue("work".into());
    let mut message = Outgoing::new(to, body, Clock::real().after(DELAY));
    message.headers.set("Bus-Starts", 3);
    let permit = transport.publisher().ready(message.body.len(), bus_core::transport::Class::Application).await;
    drop(transport.publisher().submit(permit, message));
    let steps = stage.completed("work", 1).await;
    let copy = steps.iter().filter_map(Step::submitted).find(|message| put_off(message)).unwrap();
    assert_eq!(copy.headers.get("Bus-Starts"), None);
    assert_eq!(Envelope::read(&copy.body).unwrap().headers()["MT-Redelivery-Count"], 1);
    bus.stop().await;
}

#[tokio::test]
async fn rounds_of_raw_json_are_counted_in_the_transports_header() {
    let (stage, clock) = (Stage::new().await, Clock::manual(1));
    let (bus, rounds) = failing(&stage, &clock, |e| e.raw_json().redeliver([DELAY, DELAY])).await;
    let transport = stage.place.transport().await;
    let body = Bytes::from_static(br#"{"number": 1}"#);
    let to = bus_core::address::Destination::Queue("work".into());
    let mut message = Outgoing::new(to, body.clone(), Clock::real().after(DELAY));
    message.content_type = Some("application/json".into());
    let permit = transport.publisher().ready(body.len(), bus_core::transport::Class::Application).await;
    drop(transport.publisher().submit(permit, message));
    pass(&clock, 5 * DELAY).await;
    assert_eq!(rounds.so_far(), [0, 1, 2]);
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.body, body);
    bus.stop().await;
}

#[tokio::test]
async fn a_lane_is_redelivered_only_if_its_endpoint_allows_that() {
    let stage = Stage::new().await;
    let lanes = bus_inmemory::endpoint().lanes();
    let work = |e: EndpointBuilder| {
        e.with(lanes.clone()).redeliver([DELAY]).consumer(async |_: Ticked| Err::<(), Failure>("no".into()))
    };
    let refused = stage.place.builder().endpoint("work", work).build().unwrap_err();
    assert!(refused.to_string().contains("endpoint `work`: its messages are handled in order"), "{refused}");
    let clock = Clock::manual(1);
    let bus = stage.bus(|b| b.clock(clock.clone()).endpoint("work", |e| work(e).allow_reorder())).await;
    bus.publish(Ticked { number: 1 }).lane("a").await.unwrap();
    pass(&clock, DELAY / 2).await;
    let copies: Vec<_> =
        stage.faults.steps().iter().filter_map(Step::submitted).filter(|m| put_off(m)).cloned().collect();
    assert_eq!(copies.iter().map(|copy| copy.lane.as_ref().map(|lane| &*lane.0)).collect::<Vec<_>>(), [Some("a")]);
    bus.stop().await;
}

#[tokio::test]
async fn delays_that_cannot_be_are_told_by_build() {
    let stage = Stage::new().await;
    let handler = async |_: Ticked| Ok::<(), Failure>(());
    let work = |delay: Duration| {
        let built = stage.place.builder().endpoint("work", |e| e.redeliver([DELAY, delay]).consumer(handler)).build();
        match built {
            Err(Error::Build(error)) => error.problems().to_vec(),
            other => panic!("{other:?}"),
        }
    };
    let [zero] = &work(Duration::ZERO)[..] else { panic!("one problem") };
    assert!(
        zero.to_string().contains("endpoint `work`: a delay of `.redeliver(..)` must be longer than zero"),
        "{zero}"
    );
    let [long] = &work(367 * 24 * 60 * DELAY)[..] else { panic!("one problem") };
    assert!(long.to_string().contains("366 days are the longest"), "{long}");
}
