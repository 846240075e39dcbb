use bus_core::transport::{Delivery, Event, Receiver};

use crate::soon;

/// The next message that a receiver hands out.
///
/// # Panics
/// If there is none in time.
pub(crate) async fn take(receiver: &mut dyn Receiver) -> Delivery {
    let mut events = Vec::new();
    soon("a delivery", async {
        loop {
            receiver.next(1, &mut events).await;
            for event in events.drain(..) {
                if let Event::Delivery(delivery) = event {
                    return *delivery;
                }
            }
        }
    })
    .await
}
