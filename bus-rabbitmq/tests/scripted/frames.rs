//! AMQP 0-9-1 as bytes, as far as the scripts need it.

/// Class and number of a method.
pub(crate) type Method = (u16, u16);

pub(crate) const START_OK: Method = (10, 11);
pub(crate) const TUNE_OK: Method = (10, 31);
pub(crate) const OPEN: Method = (10, 40);
pub(crate) const CLOSE: Method = (10, 50);
pub(crate) const CHANNEL_OPEN: Method = (20, 10);
pub(crate) const CHANNEL_CLOSE: Method = (20, 40);
pub(crate) const EXCHANGE_DECLARE: Method = (40, 10);
pub(crate) const QUEUE_DECLARE: Method = (50, 10);
pub(crate) const QUEUE_BIND: Method = (50, 20);
pub(crate) const QOS: Method = (60, 10);
pub(crate) const CONSUME: Method = (60, 20);
pub(crate) const PUBLISH: Method = (60, 40);
pub(crate) const GET: Method = (60, 70);
pub(crate) const SELECT: Method = (85, 10);

/// Arguments, one after the other.
#[derive(Default)]
pub(crate) struct Arguments(Vec<u8>);

impl Arguments {
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(crate) fn short(self, text: &str) -> Self {
        self.bytes(&[u8::try_from(text.len()).unwrap()]).bytes(text.as_bytes())
    }

    pub(crate) fn long(self, text: &str) -> Self {
        self.bytes(&u32::try_from(text.len()).unwrap().to_be_bytes()).bytes(text.as_bytes())
    }
}

pub(crate) fn arguments() -> Arguments {
    Arguments::default()
}

pub(crate) fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind];
    frame.extend(channel.to_be_bytes());
    frame.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend(payload);
    frame.push(0xce);
    frame
}

pub(crate) fn method(channel: u16, (class, number): Method, arguments: Arguments) -> Vec<u8> {
    let mut payload = class.to_be_bytes().to_vec();
    payload.extend(number.to_be_bytes());
    payload.extend(arguments.0);
    frame(1, channel, &payload)
}

pub(crate) fn start() -> Vec<u8> {
    method(0, (10, 10), arguments().bytes(&[0, 9]).bytes(&[0; 4]).long("PLAIN").long("en_US"))
}

/// Channels as many as wanted, frames of 128 KiB.
pub(crate) fn tune(heartbeat: u16) -> Vec<u8> {
    tune_frames(128 * 1024, heartbeat)
}

/// Frames of at most so many bytes.
pub(crate) fn tune_frames(frame_max: u32, heartbeat: u16) -> Vec<u8> {
    let arguments = arguments().bytes(&[0; 2]).bytes(&frame_max.to_be_bytes()).bytes(&heartbeat.to_be_bytes());
    method(0, (10, 30), arguments)
}

/// The broker ends a connection, or with a channel's number, that channel.
pub(crate) fn close(channel: u16, code: u16, text: &str) -> Vec<u8> {
    let arguments = arguments().bytes(&code.to_be_bytes()).short(text).bytes(&[0; 4]);
    method(channel, if channel == 0 { CLOSE } else { CHANNEL_CLOSE }, arguments)
}

pub(crate) fn blocked(reason: &str) -> Vec<u8> {
    method(0, (10, 60), arguments().short(reason))
}

pub(crate) fn unblocked() -> Vec<u8> {
    method(0, (10, 61), arguments())
}

pub(crate) fn ack(channel: u16, tag: u64, multiple: bool) -> Vec<u8> {
    method(channel, (60, 80), arguments().bytes(&tag.to_be_bytes()).bytes(&[u8::from(multiple)]))
}

pub(crate) fn nack(channel: u16, tag: u64, multiple: bool) -> Vec<u8> {
    method(channel, (60, 120), arguments().bytes(&tag.to_be_bytes()).bytes(&[u8::from(multiple)]))
}

/// A queue is there, with so many messages ready.
pub(crate) fn declared(channel: u16, queue: &str, ready: u32) -> Vec<u8> {
    method(channel, (50, 11), arguments().short(queue).bytes(&ready.to_be_bytes()).bytes(&[0; 4]))
}

/// The broker ends a subscription, as it does when the queue is deleted.
pub(crate) fn cancelled(channel: u16) -> Vec<u8> {
    method(channel, (60, 30), arguments().short("tag").bytes(&[1]))
}

/// A message for a consumer.
pub(crate) fn delivered(channel: u16, tag: u64, body: &str) -> Vec<u8> {
    let arguments = arguments().short("tag").bytes(&tag.to_be_bytes()).bytes(&[0]).short("").short("q");
    content(channel, method(channel, (60, 60), arguments), body)
}

/// A message that was asked for.
pub(crate) fn got(channel: u16, tag: u64, body: &str) -> Vec<u8> {
    let arguments = arguments().bytes(&tag.to_be_bytes()).bytes(&[0]).short("").short("q").bytes(&[0; 4]);
    content(channel, method(channel, (60, 71), arguments), body)
}

fn content(channel: u16, mut frames: Vec<u8>, body: &str) -> Vec<u8> {
    let mut header = vec![0, 60, 0, 0];
    header.extend((body.len() as u64).to_be_bytes());
    header.extend([0, 0]);
    frames.extend(frame(2, channel, &header));
    frames.extend(frame(3, channel, body.as_bytes()));
    frames
}

/// What a broker that has everything says to a method, if anything.
pub(crate) fn ordinary(channel: u16, asked: Method, payload: &[u8], heartbeat: u16) -> Option<Vec<u8>> {
    let say = |(class, number), arguments| Some(method(channel, (class, number + 1), arguments));
    match asked {
        START_OK => Some(tune(heartbeat)),
        OPEN => say(OPEN, arguments().short("")),
        CLOSE | CHANNEL_CLOSE => say(asked, arguments()),
        CHANNEL_OPEN => say(asked, arguments().long("")),
        EXCHANGE_DECLARE | QUEUE_BIND | QOS | SELECT => say(asked, arguments()),
        // The reserved short comes before the name.
        QUEUE_DECLARE => say(asked, arguments().bytes(&payload[6..7 + usize::from(payload[6])]).bytes(&[0; 8])),
        CONSUME => say(asked, arguments().short("tag")),
        // Empty.
        GET => Some(method(channel, (60, 72), arguments().short(""))),
        _ => None,
    }
}
