mod contracts {
    pub use bus_core as service_bus;
}

use contracts::service_bus::{Message, consumer, consumer::Failure};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders", crate = crate::contracts::service_bus)]
struct SubmitOrder {}

struct Orders;

#[consumer(crate = contracts::service_bus, prefetch = 32)]
impl Orders {
    #[handle]
    async fn submit(&self, _: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer(crate = contracts::service_bus)]
async fn audit(_: SubmitOrder) -> Result<(), Failure> {
    Ok(())
}

fn main() {
    use contracts::service_bus::consumer::Handlers;
    assert_eq!(Orders::SETTINGS.prefetch, Some(32));
    let _ = (audit, Orders);
}
