//! Tests of consumers, without a broker and without waiting: see [`Harness`].

use std::{fmt, ops::Deref};

use bus_core::Builder;
pub use bus_core::testing::{Recorded, Recordings};

/// A bus under test, with a record of what happened on it.
///
/// ```
/// use bus::{prelude::*, testing::Harness};
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(namespace = "Acme.Orders")]
/// struct Submitted {
///     number: u32,
/// }
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(namespace = "Acme.Orders")]
/// struct Reserve {
///     number: u32,
/// }
///
/// struct Orders;
///
/// #[consumer]
/// impl Orders {
///     #[handle]
///     async fn submitted(&self, order: Submitted, ctx: &Context) -> Result<(), Failure> {
///         ctx.publish(Reserve { number: order.number }).await?;
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let h = Harness::start(|b| b.consumer(Orders)).await;
/// h.publish(Submitted { number: 7 }).await;
/// h.settled().await;
/// assert_eq!(h.published::<Reserve>().one().number, 7);
/// assert_eq!(
///     h.trace(),
///     "the test publishes Submitted\norders publishes Reserve\norders consumes Submitted (Orders::submitted)\n"
/// );
/// # }
/// ```
pub struct Harness(bus_core::testing::Harness);

impl Harness {
    /// A bus on a broker in memory of its own, whose clock stands still until
    /// [`advance`](bus_core::testing::Harness::advance) moves it.
    ///
    /// # Panics
    /// If the bus cannot be built or started, with the reason.
    #[cfg(feature = "inmemory")]
    pub async fn start(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let url = format!("memory://harness-{}", uuid::Uuid::now_v7());
        Self(bus_core::testing::Harness::on(&bus_inmemory::DRIVER, url, configure).await)
    }

    /// A bus at a URL, for the same test on a real broker. Nobody else may use the place: on RabbitMQ, a
    /// virtual host of the test's own.
    ///
    /// # Panics
    /// If no transport that is compiled in takes the URL, or the bus cannot be built or started.
    pub async fn on(url: &str, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let scheme = url.split("://").next().unwrap_or_default().to_ascii_lowercase();
        let mut drivers = crate::catalog().drivers.into_iter();
        let driver = drivers.find(|driver| driver.schemes().contains(&&*scheme));
        let driver = driver.unwrap_or_else(|| panic!("no transport that is compiled in handles `{scheme}://`"));
        Self(bus_core::testing::Harness::on(driver, url, configure).await)
    }
}

impl Deref for Harness {
    type Target = bus_core::testing::Harness;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
