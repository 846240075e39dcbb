//! RabbitMQ shows every behaviour of the suite, on queues of both kinds, each in a virtual host of its own.

use std::sync::{Arc, Mutex};

use bus_conformance::{Place, Probe};
use bus_core::{Message, bus::EndpointBuilder, transport::Driver};
use bus_rabbitmq::EndpointOptions;
use serde::{Deserialize, Serialize};
use xtask::rabbitmq::VirtualHost;

struct RabbitMq {
    /// Virtual hosts live as long as the test's fixture.
    places: Arc<Mutex<Vec<VirtualHost>>>,
    queue: EndpointOptions,
}

impl RabbitMq {
    /// Every endpoint has a queue of that kind.
    fn of(queue: EndpointOptions) -> Self {
        Self { places: Arc::default(), queue }
    }
}

impl bus_conformance::Fixture for RabbitMq {
    fn driver(&self) -> &'static dyn Driver {
        &bus_rabbitmq::DRIVER
    }

    async fn url(&self) -> String {
        let place = VirtualHost::create();
        let url = place.url().to_owned();
        self.places.lock().unwrap().push(place);
        url
    }

    fn endpoint(&self, endpoint: EndpointBuilder) -> EndpointBuilder {
        endpoint.with(self.queue.clone())
    }
}

mod classic {
    use super::RabbitMq;

    bus_conformance::conformance!(RabbitMq::of(bus_rabbitmq::endpoint()));
}

mod quorum {
    use super::RabbitMq;

    bus_conformance::conformance!(RabbitMq::of(bus_rabbitmq::endpoint().quorum()));
}

/// The second run would show nothing if its queues were those of the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fixture_decides_the_kind_of_the_queues() {
    for (kind, queue) in [("classic", bus_rabbitmq::endpoint()), ("quorum", bus_rabbitmq::endpoint().quorum())] {
        let fixture = RabbitMq::of(queue);
        let places = fixture.places.clone();
        let place = Place::new(fixture).await;
        let bus = place.started(|b| b.endpoint("work", |e| e.consumer(Probe::<Worked>::open().handler()))).await;
        let (status, said) = {
            let places = places.lock().unwrap();
            places[0].management().call("GET", &format!("/api/queues/{}/work", places[0].name()), "")
        };
        assert!(status == 200 && said.contains(&format!(r#""type":"{kind}""#)), "{status} {said}");
        bus.stop().await;
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.RabbitMq", crate = bus_core)]
struct Worked {}
