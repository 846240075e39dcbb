//! When a handler fails: what is tried again, what is not, and what lies in `_error` afterwards.
//! In memory; or on RabbitMQ: `--features rabbitmq`, BUS_URL=amqp://guest:guest@127.0.0.1:5672.
#![allow(clippy::print_stdout, reason = "it tells a story")]
use std::{collections::BTreeMap, error::Error, time::Duration};

use bus::{consumer::Verdict, prelude::*};
use tokio::sync::mpsc;

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Payments")]
struct Charge {
    run: Uuid,
    card: String,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Payments")]
struct Charged {
    run: Uuid,
    card: String,
}

#[derive(Debug, thiserror::Error)]
enum PaymentError {
    #[error("the bank does not answer")]
    Silent,
    #[error("the card has expired")]
    Expired,
    #[error("it is paid already")]
    Settled,
}

/// A bank that is away, for a while or for good.
fn pay(card: &str, attempt: u32) -> Result<(), PaymentError> {
    match card {
        "slow" if attempt < 2 => Err(PaymentError::Silent),
        "dead" => Err(PaymentError::Silent),
        "old" => Err(PaymentError::Expired),
        "spare" => Err(PaymentError::Settled),
        _ => Ok(()),
    }
}

async fn charge(order: Charge, ctx: Context) -> Result<(), Failure> {
    println!("attempt {} with the {} card", ctx.attempt(), order.card);
    pay(&order.card, ctx.attempt())?;
    ctx.publish(Charged { run: order.run, card: order.card }).await?;
    Ok(())
}

/// The receiver of what became of them: `Fault<Charge>` is published when a `Charge` failed for good.
struct Support(mpsc::UnboundedSender<(Uuid, String)>);

#[consumer]
impl Support {
    #[handle]
    async fn charged(&self, event: Charged) -> Result<(), Failure> {
        Ok(self.0.send((event.run, event.card))?)
    }

    #[handle]
    async fn failed(&self, fault: Fault<Charge>) -> Result<(), Failure> {
        Ok(self.0.send((fault.message.run, fault.message.card))?)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("BUS_URL").unwrap_or_else(|_| "memory://shop".to_owned());
    let (tell, mut told) = mpsc::unbounded_channel();
    let payments = bus::builder(&url)
        .endpoint("payments", |e| {
            e.consumer(charge)
                .retry(Retry::exponential(3, Duration::from_millis(5)..Duration::from_millis(50)))
                .classify(|error: &PaymentError| match error {
                    PaymentError::Silent => Verdict::Retry, // by the policy above, then to `_error`
                    PaymentError::Expired => Verdict::Permanent, // to `_error` at once
                    PaymentError::Settled => Verdict::Discard, // counts as handled
                })
        })
        .build()?;
    let shop = bus::builder(&url).consumer(Support(tell)).build()?;
    payments.start().await?;
    shop.start().await?;

    let run = Uuid::now_v7();
    let mut cards = BTreeMap::new();
    for card in ["good", "slow", "dead", "old", "spare"] {
        let id = Uuid::now_v7();
        cards.insert(id.to_string(), card);
        shop.send("queue:payments", Charge { run, card: card.to_owned() }).message_id(id).await?;
    }
    for _outcome in ["good", "slow", "dead", "old"] {
        while told.recv().await.is_some_and(|(of, _)| of != run) {}
    }
    payments.stop().await; // when this returns, what it began is where it belongs

    let letters = shop.dead_letters("payments").list().await?;
    let mut failed = BTreeMap::new();
    for letter in &letters {
        // Of an earlier run, on a broker that is there longer than this program.
        let Some(card) = letter.message_id.as_ref().and_then(|id| cards.get(id)) else { continue };
        println!("{}: the {card} card, {}", letter.queue, letter.fault_message().unwrap_or_default());
        failed.insert(*card, letter.fault_message());
    }
    let expected = [("dead", Some("the bank does not answer")), ("old", Some("the card has expired"))];
    assert_eq!(failed, BTreeMap::from(expected));
    shop.stop().await;
    Ok(())
}
