//! Messages that end their process. Here a process is a bus that is dropped without a stop.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use bus_conformance::{
    Probe,
    faulty::{Answer, Step, towards},
    soon,
};
use bus_core::{consumer::Failure, fault::Fault};
use tokio::sync::Notify;

use crate::stage::{Stage, Ticked, copies, quiet};

/// What the processes of a test see, one after the other.
#[derive(Default)]
struct Lives {
    seen: Mutex<Seen>,
    changed: Notify,
}

#[derive(Default)]
struct Seen {
    /// The message that ends the process was begun in this one.
    dying: bool,
    running: usize,
    /// How many ran beside the killer each time that it was begun.
    beside: Vec<usize>,
    done: BTreeSet<u32>,
    twice: Vec<u32>,
}

const KILLER: u32 = 0;

impl Lives {
    async fn handle(self: Arc<Self>, ticked: Ticked) -> Result<(), Failure> {
        let dying = self.with(|seen| {
            if ticked.number == KILLER {
                seen.beside.push(seen.running);
                seen.dying = true;
            }
            seen.running += 1;
            seen.dying
        });
        if dying {
            // Everything that is at work now ends with the process.
            std::future::pending::<()>().await;
        }
        self.with(|seen| {
            seen.running -= 1;
            if !seen.done.insert(ticked.number) {
                seen.twice.push(ticked.number);
            }
        });
        Ok(())
    }

    fn with<T>(&self, step: impl FnOnce(&mut Seen) -> T) -> T {
        let result = step(&mut self.seen.lock().unwrap());
        self.changed.notify_waiters();
        result
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Seen) -> bool) {
        soon(what, async {
            loop {
                let changed = self.changed.notified();
                if is_so(&self.seen.lock().unwrap()) {
                    return;
                }
                changed.await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_message_that_ends_its_process_five_times_goes_to_error_and_its_neighbours_are_handled() {
    const NEIGHBOURS: u32 = 9;
    let stage = Stage::new().await;
    let lives = Arc::new(Lives::default());
    let faults = Probe::<Fault<Ticked>>::open();
    let watching = stage.bus(|b| b.endpoint("watch", |e| e.consumer(faults.handler()))).await;
    let run = async || {
        let lives = lives.clone();
        stage
            .bus(|b| b.endpoint("work", |e| e.concurrency(4).consumer(move |ticked| lives.clone().handle(ticked))))
            .await
    };
    // The queue is there, and nobody reads it.
    run().await.stop().await;
    for number in 0..=NEIGHBOURS {
        watching.send("queue:work", Ticked { number }).await.unwrap();
    }
    let mut processes = 0;
    loop {
        processes += 1;
        let bus = run().await;
        let over = |seen: &Seen| seen.dying || seen.done.len() == NEIGHBOURS as usize && seen.beside.len() == 5;
        lives.until("the end of a process", over).await;
        let dying = lives.with(|seen| std::mem::take(&mut seen.dying));
        if !dying {
            stage.lying("work_error", 1).await;
            bus.stop().await;
            break;
        }
        drop(bus);
        quiet().await;
        lives.with(|seen| seen.running = 0);
    }
    let seen = lives.with(std::mem::take);
    assert_eq!(seen.done, (1..=NEIGHBOURS).collect());
    assert!(seen.twice.is_empty(), "{:?}", seen.twice);
    assert_eq!(seen.beside.len(), 5, "{:?}", seen.beside);
    assert_eq!(seen.beside[2..], [0, 0, 0], "from the third start on it is alone");
    assert_eq!(processes, 6);
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    let said = letter.fault_message().unwrap();
    assert!(said.starts_with("it ended the process: ") && said.contains("5 times"), "{said}");
    assert!(letter.headers.get("Bus-Starts").is_none());
    assert_eq!(faults.next().await.message.message.number, KILLER);
    assert_eq!(stage.count("work").await, 0);
    watching.stop().await;
}

#[tokio::test]
async fn a_message_that_came_again_says_so_though_the_broker_has_a_copy_only() {
    let stage = Stage::new().await;
    let (first, second) = (Probe::<Ticked>::closed(), Probe::<Ticked>::open());
    let doomed = stage.bus(|b| b.endpoint("work", |e| e.consumer(first.handler()))).await;
    doomed.publish(Ticked { number: 1 }).header("tenant", "north").await.unwrap();
    let id = first.next().await.ctx.message_id();
    drop(doomed);
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(second.handler()))).await;
    let seen = second.next().await;
    assert!(seen.ctx.redelivered());
    assert_eq!((seen.ctx.message_id(), seen.ctx.attempt()), (id, 0));
    assert_eq!(seen.ctx.header("tenant"), Some(&"north".into()));
    drop(seen);
    bus.stop().await;
    assert_eq!(copies(&stage.faults.steps(), "work"), [(1, 1)]);
}

#[tokio::test]
async fn the_copy_of_a_message_that_came_again_expires_when_the_message_would_have() {
    let stage = Stage::new().await;
    let (first, second) = (Probe::<Ticked>::closed(), Probe::<Ticked>::open());
    let doomed = stage.bus(|b| b.endpoint("work", |e| e.consumer(first.handler()))).await;
    let hour = Duration::from_secs(3600);
    doomed.publish(Ticked { number: 1 }).time_to_live(hour).await.unwrap();
    first.next().await;
    drop(doomed);
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(second.handler()))).await;
    second.next().await;
    bus.stop().await;
    let steps = stage.faults.steps();
    let copy = steps.iter().filter_map(Step::submitted).find(|message| towards("work")(message)).unwrap();
    assert!(copy.time_to_live.is_some_and(|left| left < hour && left > hour / 2), "{:?}", copy.time_to_live);
}

#[tokio::test]
async fn a_copy_is_not_begun_before_its_original_is_gone() {
    let stage = Stage::new().await;
    let (first, second) = (Probe::<Ticked>::closed(), Probe::<Ticked>::open());
    let doomed = stage.bus(|b| b.endpoint("work", |e| e.consumer(first.handler()))).await;
    doomed.publish(Ticked { number: 1 }).await.unwrap();
    first.next().await;
    drop(doomed);
    quiet().await;
    // The broker has it, and delivers it before it says so.
    let withheld = stage.faults.withhold(towards("work"));
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(second.handler()))).await;
    let copied = |step: &Step| step.submitted().is_some_and(towards("work"));
    stage.faults.until("the copy", |steps| steps.iter().any(copied)).await;
    quiet().await;
    assert_eq!(second.left().await, 0);
    // A first delivery waits for nobody.
    bus.publish(Ticked { number: 2 }).await.unwrap();
    assert_eq!(second.next().await.message.number, 2);
    withheld.release();
    assert_eq!(second.next().await.message.number, 1);
    stage.completed("work", 3).await;
    bus.stop().await;
    assert_eq!((stage.count("work").await, second.left().await), (0, 0));
}

#[tokio::test]
async fn what_is_handled_alone_keeps_its_place_until_the_broker_heard_of_its_end() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(probe.handler()))).await;
    let withheld = stage.faults.withhold_settlements();
    for number in 1..=2 {
        bus.publish(Ticked { number }).header("Bus-Starts", 2).await.unwrap();
    }
    assert_eq!(probe.next().await.message.number, 1);
    stage.completed("work", 1).await;
    quiet().await;
    assert_eq!(probe.left().await, 0, "it could end the process, and the first would come again as a suspect");
    withheld.release();
    assert_eq!(probe.next().await.message.number, 2);
    bus.stop().await;
}

#[tokio::test]
async fn a_bus_that_is_dropped_gives_back_what_was_at_work_before_what_waited() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.concurrency(1).prefetch(3).consumer(probe.handler()))).await;
    let ids: Vec<_> = (0..3).map(|_| uuid::Uuid::now_v7()).collect();
    for id in &ids {
        bus.publish(Ticked { number: 1 }).message_id(*id).await.unwrap();
    }
    probe.next().await;
    quiet().await;
    drop(bus);
    let released = |steps: &[Step]| -> Vec<String> {
        let ids = steps.iter().filter_map(|step| match step {
            Step::Released(_, id) => id.as_deref().map(str::to_owned),
            _ => None,
        });
        ids.collect()
    };
    let steps = stage.faults.until("all of them", |steps| released(steps).len() == 3).await;
    assert_eq!(released(&steps), ids.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_connection_that_is_lost_does_not_count_as_the_end_of_a_process() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.concurrency(2).consumer(probe.handler()))).await;
    for number in 0..4 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    probe.take(2).await;
    stage.faults.lose("work", "a scripted cut");
    stage.faults.restore("work");
    probe.let_through(100);
    stage.completed("work", 4).await;
    bus.stop().await;
    assert_eq!(copies(&stage.faults.steps(), "work"), []);
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (0, 0));
}

#[tokio::test]
async fn a_copy_that_the_broker_does_not_take_is_tried_again_before_the_original_is_completed() {
    let stage = Stage::new().await;
    let (first, second) = (Probe::<Ticked>::closed(), Probe::<Ticked>::open());
    let doomed = stage.bus(|b| b.endpoint("work", |e| e.consumer(first.handler()))).await;
    doomed.publish(Ticked { number: 1 }).await.unwrap();
    first.next().await;
    drop(doomed);
    stage.faults.answer(2, towards("work"), bus_conformance::faulty::Answer::NotSent);
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(second.handler()))).await;
    assert!(second.next().await.ctx.redelivered());
    bus.stop().await;
    let steps = stage.faults.steps();
    let confirmed = steps.iter().position(|step| step.confirms(towards("work"))).unwrap();
    let completed = steps.iter().position(|step| step.completes("work")).unwrap();
    assert!(confirmed < completed, "{steps:#?}");
    assert_eq!(second.left().await, 0);
}

#[tokio::test]
async fn a_message_that_is_to_be_handled_alone_does_not_wait_for_one_that_is_held() {
    let stage = Stage::new().await;
    stage.faults.answer(usize::MAX, towards("work_error"), Answer::Rejected);
    let probe = Probe::<Ticked>::open();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                let probe = probe.clone();
                e.concurrency(8).consumer(move |ticked: Ticked, ctx| {
                    let probe = probe.clone();
                    async move {
                        if ticked.number == 0 {
                            Err(bus_core::consumer::Failure::from("no"))
                        } else {
                            probe.handle(ticked, ctx).await
                        }
                    }
                })
            })
        })
        .await;
    bus.send("queue:work", Ticked { number: 0 }).await.unwrap();
    // As if two processes had ended with it.
    bus.send("queue:work", Ticked { number: 1 }).header("Bus-Starts", 2).await.unwrap();
    bus.send("queue:work", Ticked { number: 2 }).await.unwrap();
    probe.take(2).await;
}

#[tokio::test]
async fn a_message_that_only_waited_in_processes_that_were_stopped_ended_none() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let run =
        async || stage.bus(|b| b.endpoint("work", |e| e.concurrency(1).prefetch(4).consumer(probe.handler()))).await;
    run().await.stop().await;
    let sender = stage.bus(|b| b).await;
    for number in 0..12 {
        sender.send("queue:work", Ticked { number }).await.unwrap();
    }
    let mut handled = BTreeSet::new();
    for _ in 0..12 {
        let bus = run().await;
        assert!(handled.insert(probe.next().await.message.number));
        quiet().await;
        let stopping = tokio::spawn(async move { bus.stop().await });
        quiet().await;
        probe.let_through(1);
        stopping.await.unwrap();
    }
    assert_eq!(handled, (0..12).collect());
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (0, 0));
    let steps = stage.faults.steps();
    let copies = steps.iter().filter_map(Step::submitted).filter_map(|copy| copy.headers.get("Bus-Starts")?.as_u32());
    assert_eq!(copies.max(), Some(1), "what was counted before is put back, and none becomes a suspect");
    sender.stop().await;
}

#[tokio::test]
async fn what_pauses_before_a_retry_and_was_counted_is_put_back_at_a_stop_and_not_counted() {
    for starts in [1, 4] {
        is_not_counted_at_a_stop(starts).await;
    }
}

async fn is_not_counted_at_a_stop(starts: i32) {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let handler = probe.handler();
    let bus = stage
        .bus(|b| {
            let retry = bus_core::Retry::interval(1, Duration::from_secs(3600));
            b.endpoint("work", |e| {
                e.retry(retry).consumer(move |ticked: Ticked, ctx| {
                    let seen = handler(ticked, ctx);
                    async move { seen.await.and(Err::<(), Failure>("not yet".into())) }
                })
            })
        })
        .await;
    bus.send("queue:work", Ticked { number: 1 }).header("Bus-Starts", starts).await.unwrap();
    for _ in 0..5 {
        probe.next().await;
        quiet().await;
        bus.stop().await;
        assert_eq!((stage.count("work").await, stage.count("work_error").await), (1, 0));
        bus.start().await.unwrap();
    }
    bus.stop().await;
    let said = stage.lying("work", 1).await[0].headers.get("Bus-Starts").cloned();
    assert_eq!(said, Some(starts.into()));
}

#[tokio::test]
async fn a_suspect_that_is_on_its_way_at_a_stop_is_put_back_and_not_counted() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer(probe.handler()))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    probe.next().await;
    stage.faults.deliver_late();
    bus.send("queue:work", Ticked { number: 2 }).header("Bus-Starts", 4).await.unwrap();
    quiet().await;
    let stop = tokio::spawn(async move { bus.stop().await });
    quiet().await;
    assert_eq!(stage.count("work").await, 1, "while the first one is at work");
    probe.let_through(2);
    soon("the stop", stop).await.unwrap();
    stage.faults.deliver_at_once();
    let again = stage.bus(|b| b.endpoint("work", |e| e.consumer(probe.handler()))).await;
    assert_eq!(probe.next().await.message.number, 2);
    again.stop().await;
    assert_eq!(stage.count("work_error").await, 0);
}
