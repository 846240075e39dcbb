use std::time::Duration;

use bus_core::{
    clock::Clock,
    transport::{DeadLetter, Transport},
};

use crate::soon;

/// What lies in a queue, once it is `count` messages. Asks until then: the broker tells nobody of a move.
///
/// # Panics
/// If there are not so many in time, or more of them.
pub async fn lying(transport: &dyn Transport, queue: &str, count: usize) -> Vec<DeadLetter> {
    soon(&format!("{count} messages in {queue}"), async {
        let clock = Clock::real();
        loop {
            let letters = transport.browse(queue, count + 1).await.expect("the queue can be looked at");
            if letters.len() >= count {
                assert_eq!(letters.len(), count, "too many messages in {queue}");
                return letters;
            }
            clock.sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}
