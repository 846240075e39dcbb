use std::{
    collections::BTreeMap,
    io,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bus_core::{
    clock::Clock,
    transport::{
        Delivery, Event, Lane, Lease, Pending, SettleOutcome, Settlement, Settler, Settling, Token, Unsettled,
    },
};
use tokio::sync::Notify;

use super::{progress::Progress, publisher::Expires};
use crate::broker::{Assigned, Broker, Change, LaneKey, Record};

/// A membership in a group, the partitions that it has, and the right to settle what it handed out of them.
#[derive(Debug)]
pub(super) struct Subscription {
    broker: Arc<Broker>,
    group: Arc<str>,
    prefetch: usize,
    clock: Clock,
    wake: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    member: u64,
    /// By epoch.
    held: BTreeMap<u64, Held>,
    /// The deliveries so far.
    numbers: u64,
    /// The partition that was read last.
    last: u64,
    intake: Intake,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intake {
    Open,
    Paused,
    /// Not a member any more.
    Ended,
    /// And the bus knows it.
    ToldEnded,
}

/// A partition that this reader has.
#[derive(Debug)]
struct Held {
    key: LaneKey,
    lane: Lane,
    progress: Progress,
    /// Another reader is to have it.
    revoked: bool,
}

impl Subscription {
    /// Joins the queue's group; nothing if there is none.
    pub(super) fn join(broker: Arc<Broker>, group: Arc<str>, prefetch: u16, clock: Clock) -> Option<Self> {
        let wake = Arc::new(Notify::new());
        let member = broker.join(&group, wake.clone(), &clock)?;
        let state = State { member, held: BTreeMap::new(), numbers: 0, last: 0, intake: Intake::Open };
        Some(Self { broker, group, prefetch: prefetch.max(1).into(), clock, wake, state: Mutex::new(state) })
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// What there is to tell, and as many deliveries as there is room for.
    pub(super) fn take(this: &Arc<Self>, max: usize, into: &mut Vec<Event>) {
        let mut state = this.state();
        if state.intake == Intake::Ended {
            state.intake = Intake::ToldEnded;
            into.push(lost("the transport was closed"));
        }
        if state.intake != Intake::Open {
            return;
        }
        this.follow(&mut state, into);
        let room = this.prefetch.saturating_sub(state.held.values().map(|held| held.progress.out()).sum());
        for _ in 0..room.min(max) {
            let Some(delivery) = this.read(&mut state, this) else { return };
            into.push(Event::Delivery(Box::new(delivery)));
        }
    }

    /// Gets nothing more; what it has can be settled.
    pub(super) fn pause(&self) {
        let mut state = self.state();
        if state.intake == Intake::Open {
            state.intake = Intake::Paused;
        }
    }

    /// Leaves the group.
    pub(super) fn end(&self) {
        let mut state = self.state();
        if !matches!(state.intake, Intake::Ended | Intake::ToldEnded) {
            state.intake = Intake::Ended;
            state.held.clear();
            self.broker.leave(&self.group, state.member);
            self.wake.notify_one();
        }
    }

    fn follow(&self, state: &mut State, into: &mut Vec<Event>) {
        let changes = self.broker.changes(&self.group, state.member).unwrap_or_else(|| {
            state.held.clear();
            into.extend([lost("the broker took this reader for dead"), Event::Restored]);
            let rejoined = self.broker.join(&self.group, self.wake.clone(), &self.clock);
            state.member = rejoined.unwrap_or(state.member);
            self.broker.changes(&self.group, state.member).unwrap_or_default()
        });
        for change in changes {
            match change {
                Change::Assigned(Assigned { lane: key, epoch, committed }) => {
                    let (lane, progress) = (key.lane(), Progress::new(committed));
                    into.push(Event::Assigned(lane.clone()));
                    state.held.insert(epoch, Held { key, lane, progress, revoked: false });
                }
                Change::Revoked(epoch, deadline) => {
                    if let Some(held) = state.held.get_mut(&epoch) {
                        into.push(Event::Revoked(held.lane.clone(), deadline));
                        held.revoked = true;
                    }
                    self.give_if_idle(state, epoch);
                }
                Change::Gone(epoch) => drop(state.held.remove(&epoch)),
            }
        }
    }

    /// The next message of the partition whose turn it is. No partition gets more than its part of the prefetch:
    /// a slow one would have all of it in the end, and nothing would go on.
    fn read(&self, state: &mut State, this: &Arc<Self>) -> Option<Delivery> {
        let most = (self.prefetch / state.held.len().max(1)).max(1);
        let behind = state.held.range((Bound::Excluded(state.last), Bound::Unbounded));
        let turns: Vec<_> = behind.chain(state.held.range(..=state.last)).map(|(epoch, _)| *epoch).collect();
        for epoch in turns {
            let Some(held) = state.held.get_mut(&epoch) else { continue };
            if held.revoked || held.progress.out() >= most {
                continue;
            }
            while let Some((record, again)) = self.broker.fetch(&self.group, &held.key, held.progress.position()) {
                if self.is_expired(&record) {
                    // Refused, it is somebody else's to skip.
                    self.broker.commit(&self.group, &held.key, epoch, held.progress.skip());
                    continue;
                }
                state.numbers += 1;
                state.last = epoch;
                held.progress.hand_out(state.numbers);
                let unsettled = Unsettled::new(this.clone(), Token { generation: epoch, number: state.numbers });
                return Some(delivery(&record, again, held.lane.clone(), unsettled));
            }
        }
        None
    }

    /// What is revoked goes as soon as nothing of it is handed out.
    fn give_if_idle(&self, state: &mut State, epoch: u64) {
        if let Some(held) = state.held.get(&epoch).filter(|held| held.revoked && held.progress.out() == 0) {
            self.broker.give(&self.group, &held.key, epoch);
            state.held.remove(&epoch);
        }
    }

    fn is_expired(&self, record: &Record) -> bool {
        is_expired(record, &self.clock)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settler for Subscription {
    fn settle(&self, token: Token, settlement: Settlement) -> Settling {
        let mut state = self.state();
        let Token { generation: epoch, number } = token;
        let Some(held) = state.held.get_mut(&epoch) else { return Pending::ready(SettleOutcome::LeaseLost) };
        let settled = match settlement {
            Settlement::Complete => {
                let offset = held.progress.complete(number);
                offset.map(|offset| self.broker.commit(&self.group, &held.key, epoch, offset))
            }
            Settlement::Release => held.progress.release(number).map(|()| true),
            // The capabilities deny these. The copy is not sent, so that the original has to come again.
            _ => held.progress.release(number).and(None),
        };
        if settled == Some(false) {
            // It is not ours any more, which the next call of `take` hears.
            state.held.remove(&epoch);
        }
        self.give_if_idle(&mut state, epoch);
        // There is room, or something to be heard.
        self.wake.notify_one();
        Pending::ready(match settled {
            Some(true) => SettleOutcome::Settled,
            _ => SettleOutcome::LeaseLost,
        })
    }

    fn renew(&self, _: Token) -> Pending<Option<Lease>> {
        Pending::ready(None)
    }
}

/// Whether its time to live is over.
pub(super) fn is_expired(record: &Record, clock: &Clock) -> bool {
    record.message.extensions.get::<Expires>().is_some_and(|Expires(end)| *end <= clock.now())
}

fn delivery(record: &Record, again: bool, lane: Lane, unsettled: Unsettled) -> Delivery {
    let message = &record.message;
    let mut delivery = Delivery::new(message.body.clone(), unsettled);
    delivery.content_type = message.content_type.clone();
    delivery.message_id = message.message_id.clone();
    delivery.correlation_id = message.correlation_id.clone();
    delivery.headers = message.headers.clone();
    delivery.routing_key = message.routing_key.clone();
    delivery.priority = message.priority;
    delivery.durable = message.durable;
    delivery.redelivered = again;
    delivery.lane = Some(lane);
    delivery
}

fn lost(why: &str) -> Event {
    Event::Lost(Arc::new(io::Error::other(why.to_owned())))
}
