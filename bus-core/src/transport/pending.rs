use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::sync::oneshot;

/// An outcome that a transport owes: of a publish, a settlement, a renewal.
///
/// Dropping it gives up waiting, not the work: what was handed over is still done.
#[derive(Debug)]
pub struct Pending<T>(State<T>);

#[derive(Debug)]
enum State<T> {
    Ready(Option<T>),
    Waiting(oneshot::Receiver<T>),
}

/// The transport's end of a [`Pending`]. Dropped without a word, the outcome is [`Outcome::abandoned`].
#[derive(Debug)]
pub struct Completer<T>(oneshot::Sender<T>);

/// An outcome that has a value for "nobody knows".
pub trait Outcome {
    /// What became of it when the transport never said.
    fn abandoned() -> Self;
}

impl<T> Pending<T> {
    /// An outcome to come.
    #[must_use]
    pub fn new() -> (Completer<T>, Self) {
        let (sender, receiver) = oneshot::channel();
        (Completer(sender), Self(State::Waiting(receiver)))
    }

    /// An outcome that is known already.
    #[must_use]
    pub fn ready(outcome: T) -> Self {
        Self(State::Ready(Some(outcome)))
    }
}

impl<T> Completer<T> {
    /// Says the outcome. Nobody may be waiting any more.
    pub fn complete(self, outcome: T) {
        // The other end gave up waiting; the work is done all the same.
        let _ = self.0.send(outcome);
    }
}

impl<T: Outcome + Unpin> Future for Pending<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut self.0 {
            State::Ready(outcome) => Poll::Ready(outcome.take().unwrap_or_else(T::abandoned)),
            State::Waiting(receiver) => {
                let outcome = ready!(Pin::new(receiver).poll(cx)).unwrap_or_else(|_| T::abandoned());
                self.0 = State::Ready(None);
                Poll::Ready(outcome)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Said {
        Done,
        Nothing,
    }

    impl Outcome for Said {
        fn abandoned() -> Self {
            Said::Nothing
        }
    }

    #[tokio::test]
    async fn an_outcome_is_what_was_said_and_unknown_if_nothing_was() {
        let (completer, pending) = Pending::new();
        completer.complete(Said::Done);
        assert_eq!(pending.await, Said::Done);
        let (completer, pending) = Pending::<Said>::new();
        drop(completer);
        assert_eq!(pending.await, Said::Nothing);
        assert_eq!(Pending::ready(Said::Done).await, Said::Done);
    }
}
