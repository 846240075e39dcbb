//! What handlers are given besides their message, in both spellings.

use std::sync::{Arc, Mutex};

use bus_core::{
    Retry, consumer,
    consumer::{Context, Failure},
    extract::{
        Attempt, ConversationId, CorrelationId, Extract, Headers, InitiatorId, MessageId, RequestId, Scope, State,
    },
};
use uuid::Uuid;

use crate::stage::{Stage, Ticked};

/// What a handler was given, in words.
#[derive(Clone, Default)]
struct Given(Arc<Mutex<Vec<String>>>);

impl Given {
    fn note(&self, given: String) {
        self.0.lock().unwrap().push(given);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn ids(
    MessageId(message): MessageId,
    CorrelationId(correlation): CorrelationId,
    ConversationId(conversation): ConversationId,
    RequestId(request): RequestId,
    initiator: Option<InitiatorId>,
) -> String {
    let initiator = initiator.map(|InitiatorId(id)| id.as_u128());
    let ids = [message, correlation, conversation, request].map(|id| id.as_u128());
    format!("{ids:?} {initiator:?}")
}

#[consumer]
async fn note(
    _: Ticked,
    message: MessageId,
    correlation: CorrelationId,
    conversation: ConversationId,
    request: RequestId,
    initiator: Option<InitiatorId>,
    State(given): State<Given>,
) -> Result<(), Failure> {
    given.note(ids(message, correlation, conversation, request, initiator));
    Ok(())
}

struct Notes(Given);

#[consumer]
impl Notes {
    #[handle]
    async fn note(
        &self,
        _: Ticked,
        message: MessageId,
        correlation: CorrelationId,
        conversation: ConversationId,
        request: RequestId,
        initiator: Option<InitiatorId>,
    ) -> Result<(), Failure> {
        self.0.note(ids(message, correlation, conversation, request, initiator));
        Ok(())
    }
}

#[tokio::test]
async fn a_handler_is_given_the_ids_of_the_envelope() {
    let stage = Stage::new().await;
    let (function, block) = (Given::default(), Given::default());
    let bus = stage
        .bus(|b| b.state(function.clone()).endpoint("work", |e| e.consumer(note).consumer(Notes(block.clone()))))
        .await;
    let id = Uuid::from_u128;
    bus.publish(Ticked { number: 1 })
        .message_id(id(1))
        .correlation_id(id(2))
        .conversation_id(id(3))
        .request_id(id(4))
        .await
        .unwrap();
    stage.completed("work", 1).await;
    assert_eq!(function.all(), ["[1, 2, 3, 4] None"]);
    assert_eq!(block.all(), function.all());
    bus.stop().await;
}

#[tokio::test]
async fn what_a_handler_sends_says_who_initiated_it() {
    let stage = Stage::new().await;
    let given = Given::default();
    let forward = async |tick: Ticked, ctx: Context| {
        ctx.send("queue:end", tick).await?;
        Ok::<(), Failure>(())
    };
    let end = async |_: Ticked, InitiatorId(initiator): InitiatorId, State(given): State<Given>| {
        given.note(initiator.as_u128().to_string());
        Ok::<(), Failure>(())
    };
    let bus = stage
        .bus(|b| {
            b.state(given.clone())
                .endpoint("work", |e| e.consumer(forward))
                .endpoint("end", |e| e.without_subscriptions().consumer(end))
        })
        .await;
    bus.send("queue:work", Ticked { number: 1 }).correlation_id(Uuid::from_u128(7)).await.unwrap();
    stage.completed("end", 1).await;
    assert_eq!(given.all(), ["7"]);
    bus.stop().await;
}

const WITHOUT_IDS: &[u8] = br#"{"messageType":["urn:message:Bus.Engine:Ticked"],"message":{"number":1}}"#;

#[tokio::test]
async fn a_missing_id_fails_the_message_without_a_retry_unless_it_may_be_missing() {
    let stage = Stage::new().await;
    let given = Given::default();
    let needs = async |_: Ticked, _: CorrelationId| Err::<(), Failure>("it ran".into());
    let takes = async |_: Ticked, id: Option<MessageId>, of: Option<ConversationId>, State(given): State<Given>| {
        given.note(format!("{id:?} {of:?}"));
        Ok::<(), Failure>(())
    };
    let bus = stage
        .bus(|b| {
            b.state(given.clone())
                .endpoint("needs", |e| e.retry(Retry::immediate(5)).consumer(needs))
                .endpoint("takes", |e| e.consumer(takes))
        })
        .await;
    stage.put("needs", WITHOUT_IDS).await;
    stage.put("takes", WITHOUT_IDS).await;
    let [letter] = &stage.lying("needs_error", 1).await[..] else { panic!("one message") };
    assert_eq!(
        letter.fault_message(),
        Some(
            "the message has no correlation id: its sender has to set one, or the consumer takes `Option<CorrelationId>`"
        )
    );
    assert_eq!(letter.headers.get("MT-Fault-RetryCount"), None);
    stage.completed("takes", 1).await;
    assert_eq!(given.all(), ["None None"]);
    bus.stop().await;
}

#[tokio::test]
async fn the_attempt_is_counted_from_zero() {
    let stage = Stage::new().await;
    let given = Given::default();
    let fails = async |_: Ticked, Attempt(attempt): Attempt, State(given): State<Given>| {
        given.note(attempt.to_string());
        if attempt < 2 { Err(Failure::from("not yet")) } else { Ok(()) }
    };
    let bus =
        stage.bus(|b| b.state(given.clone()).endpoint("work", |e| e.retry(Retry::immediate(5)).consumer(fails))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.completed("work", 1).await;
    assert_eq!(given.all(), ["0", "1", "2"]);
    bus.stop().await;
}

/// An extractor of the program's own, of others.
struct Tenant(String);

impl Extract for Tenant {
    fn check(scope: &Scope) -> Result<(), String> {
        State::<Given>::check(scope)
    }

    async fn extract(ctx: &Context) -> Result<Self, Failure> {
        let headers = Headers::extract(ctx).await?;
        headers.text("tenant").map(|tenant| Self(tenant.to_owned())).ok_or_else(|| Failure::permanent("no tenant"))
    }
}

#[tokio::test]
async fn headers_are_found_without_regard_to_case_and_by_extractors_of_the_programs_own() {
    let stage = Stage::new().await;
    let given = Given::default();
    let takes = async |_: Ticked, headers: Headers, Tenant(tenant): Tenant, State(given): State<Given>| {
        // The view outlives the attempt.
        let count = tokio::spawn(async move { headers.get("COUNT").cloned() }).await?;
        given.note(format!("{tenant} {count:?}"));
        Ok::<(), Failure>(())
    };
    let bus = stage.bus(|b| b.state(given.clone()).endpoint("work", |e| e.consumer(takes))).await;
    bus.publish(Ticked { number: 1 }).header("Tenant", "acme").header("Count", 3).await.unwrap();
    bus.publish(Ticked { number: 2 }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_message(), Some("no tenant"));
    stage.completed("work", 2).await;
    assert_eq!(given.all(), ["acme Some(Number(3))"]);
    bus.stop().await;
    let unchecked = stage.place.builder().endpoint("work", |e| e.consumer(takes)).build().unwrap_err();
    assert!(unchecked.to_string().contains("needs `State<"), "{unchecked}");
}
