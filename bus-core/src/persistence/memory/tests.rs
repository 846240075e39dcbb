use bytes::Bytes;
use futures_util::FutureExt;
use uuid::Uuid;

use super::*;
use crate::{address::Destination, persistence::Claim, transport::Outgoing};

fn key(number: u128) -> InboxKey {
    InboxKey { endpoint: "orders".into(), consumer: "Orders::submit".into(), message_id: Uuid::from_u128(number) }
}

fn store(clock: &Clock) -> MemoryPersistence {
    let store = MemoryPersistence::new();
    store.attach(clock);
    store
}

fn message(clock: &Clock) -> Outgoing {
    Outgoing::new(Destination::Queue("billing".into()), Bytes::from_static(b"{}"), clock.now())
}

/// Handles a message: claims it, and commits with so many messages to send.
async fn handle(store: &MemoryPersistence, number: u128, messages: usize) -> Claim {
    let mut unit = store.begin().await.unwrap();
    let claim = unit.claim(&key(number)).await.unwrap();
    if matches!(claim, Claim::New) {
        unit.append(&vec![message(store.0.clock()); messages]).await.unwrap();
        unit.commit().await.unwrap();
    }
    claim
}

fn unsent(claim: &Claim) -> Option<usize> {
    match claim {
        Claim::New => None,
        Claim::Done { unsent } => Some(unsent.len()),
    }
}

#[tokio::test]
async fn a_message_is_claimed_once_by_each_consumer_until_its_unit_is_rolled_back() {
    let store = store(&Clock::manual(1));
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unsent(&unit.claim(&key(1)).await.unwrap()), None);
    let other = InboxKey { consumer: "Audit::submit".into(), ..key(1) };
    assert_eq!(unsent(&store.begin().await.unwrap().claim(&other).await.unwrap()), None);
    drop(unit);
    assert_eq!(unsent(&handle(&store, 1, 0).await), None, "what was rolled back did not happen");
    assert_eq!(unsent(&handle(&store, 1, 0).await), Some(0));
}

#[tokio::test]
async fn a_claim_waits_for_the_unit_that_has_the_message() {
    let store = store(&Clock::manual(1));
    for commits in [true, false] {
        let number = u128::from(commits);
        let mut first = store.begin().await.unwrap();
        first.claim(&key(number)).await.unwrap();
        let mut second = store.begin().await.unwrap();
        let wanted = key(number);
        let mut waiting = second.claim(&wanted);
        assert!((&mut waiting).now_or_never().is_none());
        if commits {
            first.commit().await.unwrap();
        } else {
            drop(first);
        }
        assert_eq!(unsent(&waiting.await.unwrap()).is_some(), commits);
    }
}

#[tokio::test]
async fn what_is_not_known_to_have_left_is_found_again() {
    let store = store(&Clock::manual(1));
    handle(&store, 1, 3).await;
    assert_eq!(unsent(&handle(&store, 1, 0).await), Some(3));
    store.delivered(&key(1)).await.unwrap();
    assert_eq!(unsent(&handle(&store, 1, 0).await), Some(0));
}

#[tokio::test]
async fn a_message_is_forgotten_after_the_window() {
    let clock = Clock::manual(1);
    let store = store(&clock);
    handle(&store, 1, 0).await;
    let later = clock.after(Duration::from_secs(30 * 60));
    clock.advance_to(later - Duration::from_millis(1));
    assert_eq!(unsent(&handle(&store, 1, 0).await), Some(0));
    clock.advance_to(later);
    assert_eq!(unsent(&handle(&store, 1, 0).await), None);
}

#[tokio::test]
async fn the_oldest_are_forgotten_when_there_are_too_many_but_not_what_has_to_leave() {
    let store = store(&Clock::manual(1)).capacity(3);
    handle(&store, 1, 1).await;
    for number in 2..=5 {
        handle(&store, number, 0).await;
    }
    let found: Vec<bool> = {
        let mut state = store.0.state();
        let now = store.0.clock().now();
        (1..=5).map(|number| matches!(state.inbox.claim(&key(number), now), inbox::Found::Done(_))).collect()
    };
    assert_eq!(found, [true, false, false, true, true]);
}

#[tokio::test]
async fn of_two_units_that_change_a_saga_the_second_one_meets_a_conflict() {
    let store = store(&Clock::manual(1));
    let saga = SagaKey { saga: "OrderSaga".into(), id: "7".into() };
    let save = async |expected, state: Option<&'static str>| {
        let mut unit = store.begin().await.unwrap();
        unit.save(&saga, expected, state.map(|state| Bytes::from_static(state.as_bytes()))).await.unwrap();
        unit.commit().await
    };
    let load = async || store.begin().await.unwrap().load(&saga).await.unwrap();
    save(None, Some("new")).await.unwrap();
    let first = load().await.unwrap();
    assert_eq!(first.state, "new");
    let conflict = save(None, Some("again")).await.unwrap_err();
    assert_eq!(conflict.to_string(), "the saga OrderSaga `7` was changed by somebody else meanwhile");
    save(Some(first.version), Some("paid")).await.unwrap();
    save(Some(first.version), Some("lost")).await.unwrap_err();
    assert_eq!(load().await.unwrap().state, "paid");
    save(Some(load().await.unwrap().version), None).await.unwrap();
    assert_eq!(load().await, None);
}
