//! RabbitMQ shows every behaviour of the suite, each in a virtual host of its own.

use std::sync::Mutex;

use bus_core::transport::Driver;
use xtask::rabbitmq::VirtualHost;

/// Virtual hosts live as long as the test's fixture.
#[derive(Default)]
struct RabbitMq(Mutex<Vec<VirtualHost>>);

impl bus_conformance::Fixture for RabbitMq {
    fn driver(&self) -> &'static dyn Driver {
        &bus_rabbitmq::DRIVER
    }

    async fn url(&self) -> String {
        let place = VirtualHost::create();
        let url = place.url().to_owned();
        self.0.lock().unwrap().push(place);
        url
    }
}

bus_conformance::conformance!(RabbitMq::default());
