use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bus_core::{
    clock::Clock,
    transport::{Delivery, Event, Lane, Lease, Receiver, SettleOutcome, Settlement, Transport},
};
use bus_inmemory::endpoint;
use futures_util::FutureExt;

use super::{
    Kind, Step,
    model::{Model, Place, Receiving},
};
use crate::fixture::{broker_at, deliveries, lying, message, pass, queue, receiver, submit, topology_with};

const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(5);

/// The broker, and what should be true of it.
pub(super) struct World {
    kind: Kind,
    clock: Clock,
    bus: Arc<dyn Transport>,
    receivers: Vec<Option<Box<dyn Receiver>>>,
    held: Vec<Held>,
    model: Model,
}

/// Somebody's delivery. It may be its own no more.
struct Held {
    id: usize,
    receiver: usize,
    own: bool,
    lease: Option<Lease>,
    delivery: Delivery,
}

impl World {
    pub(super) async fn new(kind: Kind) -> Self {
        let mut options = endpoint();
        if kind.lanes {
            options = options.lanes();
        }
        if kind.leases {
            options = options.lease(LEASE);
        }
        let name = kind.seed.map_or("property".to_owned(), |seed| format!("property?seed={seed}"));
        let clock = Clock::manual(1);
        let bus = broker_at(&name, &clock, &topology_with(&[("orders", options)])).await;
        Self { kind, clock, bus, receivers: Vec::new(), held: Vec::new(), model: Model::default() }
    }

    pub(super) async fn take_step(&mut self, step: Step) {
        match step {
            Step::Send { lane, delay } => self.send(lane, delay).await,
            Step::Receive { prefetch } => {
                self.receivers.push(Some(receiver(&*self.bus, "orders", prefetch).await));
                self.model.receivers.push(Receiving { prefetch: prefetch.into(), open: true });
            }
            Step::Take { receiver, max } => self.take(receiver, max).await,
            Step::Complete { delivery } => self.settle(delivery, Settlement::Complete, Place::Done).await,
            Step::Release { delivery } => self.settle(delivery, Settlement::Release, Place::Inside).await,
            Step::Renew { delivery } => self.renew(delivery).await,
            Step::Pass { seconds } => {
                pass(&self.clock, seconds as u32 * SECOND);
                self.model.pass(self.clock.now());
                let now = self.clock.now();
                self.lose(|held| held.lease.is_some_and(|lease| lease.until <= now));
            }
            Step::Pause { receiver } => {
                let Some(number) = self.number(receiver) else { return };
                self.receivers[number].as_mut().unwrap().pause();
                self.model.receivers[number].open = false;
            }
            Step::Close { receiver } => {
                let Some(number) = self.number(receiver) else { return };
                self.receivers[number].take().unwrap().close(self.clock.now()).await;
                self.model.receivers[number].open = false;
            }
            Step::Drop { receiver } => {
                let Some(number) = self.number(receiver) else { return };
                self.receivers[number] = None;
                self.model.receivers[number].open = false;
                self.lose(|held| held.receiver == number);
            }
            Step::Reconnect => {
                self.bus.close(self.clock.now()).await;
                self.bus.connect(self.clock.now()).await.unwrap();
                self.receivers.iter_mut().for_each(|receiver| *receiver = None);
                self.model.receivers.iter_mut().for_each(|receiver| receiver.open = false);
                self.lose(|_| true);
            }
        }
    }

    async fn send(&mut self, lane: u8, delay: u64) {
        let mut sent = message(queue("orders"), &self.model.messages.len().to_string());
        sent.lane = (lane > 0).then(|| Lane(lane.to_string().into()));
        sent.delay = (delay > 0).then(|| delay as u32 * SECOND);
        let until = sent.delay.map(|delay| self.clock.after(delay));
        submit(&*self.bus, sent).await;
        self.model.sent((lane > 0).then_some(lane), until);
    }

    async fn take(&mut self, receiver: usize, max: usize) {
        let Some(number) = self.number(receiver) else { return };
        let before: BTreeSet<usize> = self.lying().await.into_iter().collect();
        let mut events = Vec::new();
        let _: Option<()> = self.receivers[number].as_mut().unwrap().next(max, &mut events).now_or_never();
        assert!(events.len() <= max);
        for event in events {
            let Event::Delivery(delivery) = event else { panic!("{event:?}") };
            let id: usize = String::from_utf8(delivery.body.to_vec()).unwrap().parse().unwrap();
            assert!(!before.contains(&id), "{id} was in the queue, not in a buffer");
            self.model.hand_out(id, number, self.kind.lanes);
            let known = &self.model.messages[id];
            assert_eq!(delivery.broker_deliveries, Some(known.deliveries));
            assert_eq!(delivery.redelivered, known.deliveries > 1);
            assert_eq!(delivery.lease.is_some(), self.kind.leases);
            assert!(delivery.lease.is_none_or(|lease| lease.until > self.clock.now()));
            self.held.push(Held { id, receiver: number, own: true, lease: delivery.lease, delivery: *delivery });
        }
    }

    async fn settle(&mut self, delivery: usize, settlement: Settlement, place: Place) {
        if self.held.is_empty() {
            return;
        }
        let held = self.held.swap_remove(delivery % self.held.len());
        let outcome = held.delivery.unsettled.settle(settlement).await;
        assert_eq!(outcome, if held.own { SettleOutcome::Settled } else { SettleOutcome::LeaseLost });
        if held.own {
            self.model.messages[held.id].place = place;
        }
    }

    async fn renew(&mut self, delivery: usize) {
        if self.held.is_empty() {
            return;
        }
        let number = delivery % self.held.len();
        let held = &mut self.held[number];
        let lease = held.delivery.unsettled.renew().await;
        let expected = Lease { until: self.clock.after(LEASE) };
        assert_eq!(lease, (held.own && self.kind.leases).then_some(expected));
        held.lease = lease.or(held.lease);
    }

    /// These deliveries are nobody's own any more; the messages come again.
    fn lose(&mut self, lost: impl Fn(&Held) -> bool) {
        for held in self.held.iter_mut().filter(|held| held.own && lost(held)) {
            held.own = false;
            self.model.messages[held.id].place = Place::Inside;
        }
    }

    fn number(&self, receiver: usize) -> Option<usize> {
        let there: Vec<_> = (0..self.receivers.len()).filter(|number| self.receivers[*number].is_some()).collect();
        (!there.is_empty()).then(|| there[receiver % there.len()])
    }

    async fn lying(&self) -> Vec<usize> {
        lying(&*self.bus, "orders").await.iter().map(|body| body.parse().unwrap()).collect()
    }

    /// What lies in the queue and what is in flight is all that should be there, and nobody with room waits for
    /// what it could have.
    pub(super) async fn check(&self) {
        let (inside, lying, room) = (self.model.inside(), self.lying().await, self.model.room());
        let in_flight = self.bus.in_flight().unwrap();
        let known = |id: usize| &self.model.messages[id];
        assert!(lying.iter().all(|id| inside.contains(id)), "{lying:?} of {inside:?}");
        assert!(lying.is_sorted_by_key(|id| known(*id).position), "{lying:?}");
        assert_eq!(in_flight + lying.len(), inside.len(), "in flight or lying: {lying:?} of {inside:?}");
        assert!(in_flight <= room, "{in_flight} in flight for a room of {room}");
        if !self.kind.lanes {
            assert_eq!(in_flight, room.min(inside.len()));
        }
        for id in &lying {
            let busy = known(*id).lane.is_some_and(|lane| {
                let mates = self.model.messages.iter().enumerate().filter(|(_, mate)| mate.lane == Some(lane));
                let mut mates = mates.map(|(mate, known)| (mate, known.place));
                mates.any(|(mate, place)| match place {
                    Place::Out(_) => true,
                    Place::Inside => !lying.contains(&mate),
                    Place::Delayed(_) | Place::Done => false,
                })
            });
            assert!(busy || in_flight == room, "{id} waits, and there is room");
        }
    }

    /// In the end everything that is not done is there, once, and in its place.
    pub(super) async fn finish(mut self) {
        self.receivers.clear();
        self.model.receivers.iter_mut().for_each(|receiver| receiver.open = false);
        self.held.clear();
        pass(&self.clock, 100 * SECOND);
        self.model.pass(self.clock.now());
        let messages = &self.model.messages;
        let mut expected: Vec<usize> = (0..messages.len()).filter(|id| messages[*id].place != Place::Done).collect();
        expected.sort_by_key(|id| messages[*id].position);
        let mut last = receiver(&*self.bus, "orders", u16::MAX).await;
        let all = deliveries(&mut *last);
        let mut got: Vec<usize> =
            all.iter().map(|delivery| String::from_utf8(delivery.body.to_vec()).unwrap().parse().unwrap()).collect();
        if self.kind.seed.is_some() {
            got.sort_by_key(|id| messages[*id].position);
        }
        assert_eq!(got, expected);
    }
}
