use std::time::Duration;

use bus_core::{
    clock::Clock,
    transport::{DeadLetter, Transport, TransportError},
};

use crate::soon;

/// What lies in a queue, once it is `count` messages. Asks until then: the broker tells nobody of a move.
///
/// # Panics
/// If there are not so many in time, or more of them.
pub async fn lying(transport: &dyn Transport, queue: &str, count: usize) -> Vec<DeadLetter> {
    let letters = asked(transport, queue, count, |found| found >= count).await;
    assert_eq!(letters.len(), count, "too many messages in {queue}");
    letters
}

/// What lies in a queue, once it is no more than `count` messages: those whose time is over are gone.
///
/// # Panics
/// If there are more for too long.
pub(crate) async fn left_lying(transport: &dyn Transport, queue: &str, count: usize) -> Vec<DeadLetter> {
    asked(transport, queue, count, |found| found <= count).await
}

async fn asked(
    transport: &dyn Transport,
    queue: &str,
    count: usize,
    enough: impl Fn(usize) -> bool,
) -> Vec<DeadLetter> {
    soon(&format!("{count} messages in {queue}"), async {
        let (clock, mut looks) = (Clock::real(), 0);
        loop {
            let letters = match transport.browse(queue, count + 1).await {
                // It comes back by itself. RabbitMQ ends a connection that looks into a quorum queue in the making.
                Err(TransportError::Disconnected { .. }) => {
                    clock.sleep(Duration::from_millis(10)).await;
                    continue;
                }
                looked => looked.expect("the queue can be looked at"),
            };
            if enough(letters.len()) {
                return letters;
            }
            // A look counts as a delivery where a broker counts them, and is refused at last: ever rarer looks.
            looks += u32::from(!letters.is_empty());
            let pause = if letters.is_empty() { 10 } else { 25 << looks.min(8) };
            clock.sleep(Duration::from_millis(pause)).await;
        }
    })
    .await
}
