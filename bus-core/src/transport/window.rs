use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{Either, select};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds what is handed to the broker and not confirmed yet, in messages and in bytes.
///
/// A part of it is reserved for what handlers send and for moves: publishers elsewhere in the process
/// cannot starve the acknowledgements that wait for those.
#[derive(Debug)]
pub struct Window {
    open: Pool,
    reserved: Pool,
}

/// How large a [`Window`] is.
#[derive(Debug, Clone, Copy)]
pub struct WindowLimits {
    /// Messages under way. Default 1000.
    pub messages: usize,
    /// Bytes of bodies under way. Default 64 MiB. A larger message goes alone.
    pub bytes: usize,
}

impl Default for WindowLimits {
    fn default() -> Self {
        Self { messages: 1000, bytes: 64 << 20 }
    }
}

/// Who asks for room in a [`Window`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The program, outside of a handler.
    Application,
    /// A handler's message, or a move: may use the reserved part.
    Handler,
}

/// Room in a [`Window`], given back when dropped.
#[derive(Debug)]
pub struct Permit {
    _messages: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

/// One part in so many is reserved for handlers.
const RESERVED: usize = 10;
/// Bytes are counted in units, since a semaphore counts no further than `u32`.
const UNIT: usize = 1024;

impl Window {
    /// A window of that size.
    #[must_use]
    pub fn new(limits: WindowLimits) -> Self {
        let reserved = WindowLimits { messages: limits.messages / RESERVED, bytes: limits.bytes / RESERVED };
        let open = WindowLimits {
            messages: limits.messages.saturating_sub(reserved.messages.max(1)),
            bytes: limits.bytes.saturating_sub(reserved.bytes),
        };
        Self { open: Pool::new(open), reserved: Pool::new(reserved) }
    }

    /// Waits for room for a body of `bytes`.
    pub fn reserve(&self, bytes: usize, class: Class) -> Reserve {
        let room = match (self.open.try_acquire(bytes), class) {
            (None, Class::Handler) => self.reserved.try_acquire(bytes),
            (room, _) => room,
        };
        Reserve(match room {
            Some(permit) => Waiting::Ready(Some(permit)),
            None => {
                let (open, reserved) = (self.open.clone(), self.reserved.clone());
                Waiting::Turn(Box::pin(async move {
                    match class {
                        Class::Application => open.acquire(bytes).await,
                        Class::Handler => {
                            let (open, reserved) = (Box::pin(open.acquire(bytes)), Box::pin(reserved.acquire(bytes)));
                            match select(open, reserved).await {
                                Either::Left((permit, _)) | Either::Right((permit, _)) => permit,
                            }
                        }
                    }
                }))
            }
        })
    }
}

#[derive(Debug, Clone)]
struct Pool {
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    units: u32,
}

impl Pool {
    fn new(limits: WindowLimits) -> Self {
        let units = u32::try_from(limits.bytes.div_ceil(UNIT).max(1)).unwrap_or(u32::MAX);
        Self {
            messages: Arc::new(Semaphore::new(limits.messages.max(1))),
            bytes: Arc::new(Semaphore::new(units as usize)),
            units,
        }
    }

    fn units_of(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.units)
    }

    fn try_acquire(&self, bytes: usize) -> Option<Permit> {
        Some(Permit {
            _messages: self.messages.clone().try_acquire_owned().ok()?,
            _bytes: self.bytes.clone().try_acquire_many_owned(self.units_of(bytes)).ok()?,
        })
    }

    async fn acquire(self, bytes: usize) -> Permit {
        let units = self.units_of(bytes);
        let (Ok(messages), Ok(bytes)) =
            (self.messages.acquire_owned().await, self.bytes.acquire_many_owned(units).await)
        else {
            unreachable!("a window's semaphores are never closed");
        };
        Permit { _messages: messages, _bytes: bytes }
    }
}

/// Waits for room in a [`Window`]; first come, first served within a class.
pub struct Reserve(Waiting);

enum Waiting {
    Ready(Option<Permit>),
    Turn(Pin<Box<dyn Future<Output = Permit> + Send>>),
}

impl Future for Reserve {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        match &mut self.0 {
            Waiting::Ready(permit) => permit.take().map_or(Poll::Pending, Poll::Ready),
            Waiting::Turn(turn) => turn.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for Reserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reserve")
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn publishers_cannot_take_what_is_reserved_for_handlers() {
        let window = Window::new(WindowLimits { messages: 10, bytes: 1 << 20 });
        let mut taken: Vec<_> = Vec::new();
        for _ in 0..9 {
            taken.push(window.reserve(10, Class::Application).await);
        }
        assert!(window.reserve(10, Class::Application).now_or_never().is_none(), "the open part is taken");
        let _own = window.reserve(10, Class::Handler).await;
        let waiting = window.reserve(10, Class::Handler);
        taken.pop();
        waiting.await;
    }

    #[tokio::test]
    async fn bytes_are_bounded_and_a_message_larger_than_the_window_goes_alone() {
        let window = Window::new(WindowLimits { messages: 100, bytes: 10 << 10 });
        let large = window.reserve(1 << 30, Class::Application).await;
        assert!(window.reserve(1, Class::Application).now_or_never().is_none());
        drop(large);
        window.reserve(1, Class::Application).await;
    }
}
