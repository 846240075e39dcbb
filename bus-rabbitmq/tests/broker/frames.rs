//! A relay that loses or spoils chosen frames of the broker's.

use xtask::Relay;

use crate::server::amqp;

/// Methods, as class and number.
pub(crate) const CONFIRM: (u16, u16) = (60, 80);
pub(crate) const QUEUE_DECLARED: (u16, u16) = (50, 11);

/// To the broker under test.
pub(crate) fn relay() -> Relay {
    Relay::to(amqp().rsplit(['@', '/']).find(|part| part.contains(':')).unwrap())
}

/// Loses frames of that method that contain `text`.
pub(crate) fn losing(method: (u16, u16), text: &'static str) -> impl Fn(&mut [u8]) -> bool + Send + Sync {
    move |frame| {
        let lost = frame[0] == 1
            && frame[7..11] == [method.0.to_be_bytes(), method.1.to_be_bytes()].concat()
            && String::from_utf8_lossy(frame).contains(text);
        !lost
    }
}

/// Makes `text` in the properties of messages something that is no UTF-8.
pub(crate) fn spoiling(text: &'static str) -> impl Fn(&mut [u8]) -> bool + Send + Sync {
    move |frame| {
        let found = frame.windows(text.len()).position(|window| window == text.as_bytes());
        if let Some(at) = found.filter(|_| frame[0] == 2) {
            frame[at] = 0xff;
        }
        true
    }
}
