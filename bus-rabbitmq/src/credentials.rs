//! Who we are to the broker: as the URL says, or asked for anew at each connection.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bus_core::{BoxError, clock::Clock};
use tokio::{runtime::Handle, task::AbortHandle};

use crate::refusal::{Kind, Refusal};

/// How long the callback may take.
const ANSWER: Duration = Duration::from_secs(10);

/// A user and a password; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Credentials {
    /// As RabbitMQ knows them; nothing is percent-encoded. With OAuth 2 the password is the token.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).field("password", &"***").finish()
    }
}

type Asking = Pin<Box<dyn Future<Output = Result<Credentials, BoxError>> + Send>>;

/// Where credentials come from that change: made by [`credentials`].
#[derive(Clone)]
pub struct CredentialsCallback(Arc<dyn Fn() -> Asking + Send + Sync>);

/// Asks for the credentials at each attempt to connect, in place of those in the URL, so that a password that
/// rotates is followed. Given to the bus with `Builder::with`:
///
/// ```
/// # use bus_core::bus::{Builder, Catalog};
/// # let catalog = Catalog { drivers: vec![&bus_rabbitmq::DRIVER], ..Catalog::default() };
/// # let builder = Builder::new("amqp://rabbit.acme.com/shop", catalog);
/// let builder = builder.with(bus_rabbitmq::credentials(|| async {
///     let password = std::fs::read_to_string("/run/secrets/rabbitmq")?;
///     Ok::<_, std::io::Error>(bus_rabbitmq::Credentials::new("orders", password.trim_end()))
/// }));
/// # let _ = builder;
/// ```
///
/// Each of the bus's connections asks for itself, and does so in the runtime that `start` was called in. An
/// answer is waited for 10 s. A callback that fails, panics or does not answer is told in health, with the text of
/// its error, and asked again after 10 s; so is one whose credentials the broker refuses. Before the first success
/// such a refusal fails the start, as that of a password in the URL does. Connections that work are not disturbed:
/// the broker itself ends those whose token expires.
pub fn credentials<F, Answer, E>(ask: F) -> CredentialsCallback
where
    F: Fn() -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Credentials, E>> + Send + 'static,
    E: Into<BoxError>,
{
    let ask = Arc::new(ask);
    CredentialsCallback(Arc::new(move || {
        let ask = ask.clone();
        // The call itself is a part of the answer: it may panic, or block.
        Box::pin(async move { ask().await.map_err(Into::into) })
    }))
}

/// Who we are: what the callback says, if there is one, else the URL.
#[derive(Debug)]
pub(crate) struct Identity {
    url: Credentials,
    callback: Option<CredentialsCallback>,
    /// The callback is run in the user's runtime: whatever it does there holds up no heartbeat.
    runtime: Mutex<Option<Handle>>,
}

impl Identity {
    pub(crate) fn new(url: Credentials, callback: Option<CredentialsCallback>) -> Self {
        Self { url, callback, runtime: Mutex::default() }
    }

    /// The caller's runtime is the one to ask in.
    pub(crate) fn ask_here(&self) {
        *self.runtime.lock().unwrap_or_else(PoisonError::into_inner) = Handle::try_current().ok();
    }

    pub(crate) async fn credentials(&self, clock: &Clock) -> Result<Credentials, Refusal> {
        let Some(CredentialsCallback(ask)) = &self.callback else { return Ok(self.url.clone()) };
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let task = match runtime {
            Some(runtime) => runtime.spawn(ask()),
            None => tokio::spawn(ask()),
        };
        let _abort = AbortOnDrop(task.abort_handle());
        let problem = match clock.by(clock.now() + ANSWER, task).await {
            Ok(Ok(Ok(credentials))) => return Ok(credentials),
            Ok(Ok(Err(error))) => format!("failed: {error}"),
            Ok(Err(error)) if error.is_panic() => "panicked".to_owned(),
            Ok(Err(_)) => "was not run: the runtime that the bus was started in has ended".to_owned(),
            Err(_) => format!("did not answer within {} s", ANSWER.as_secs()),
        };
        Err(Refusal::new(Kind::NoCredentials, format!("the callback for the credentials {problem}")))
    }
}

impl fmt::Debug for CredentialsCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialsCallback")
    }
}

/// Nobody waits for the answer of an attempt that was given up.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
