//! No mutation of a captured body makes the reader panic or hang.

use std::{panic::AssertUnwindSafe, sync::Arc};

use bus_core::{
    Message,
    consumer::{DecodeError, Failure, MessageArg},
    envelope::{Envelope, Incoming},
    fault::Fault,
};

use crate::{
    captures::{scenario, scenarios},
    contracts::*,
    recorder::{recorder, started},
};

const MUTATIONS: u64 = 100_000;

/// A handler's argument that keeps the message as it arrived.
#[derive(Debug)]
struct Kept(Arc<Incoming>);

impl MessageArg for Kept {
    type Message = Unwanted;

    fn decode(incoming: &Arc<Incoming>) -> Result<Self, DecodeError> {
        Ok(Self(incoming.clone()))
    }
}

/// A message that arrived, in whose envelope other payloads can be put: the way in to typed decoding.
pub(crate) async fn arrived() -> Incoming {
    let (handle, builder) = recorder(None);
    let (keep, mut kept) = tokio::sync::mpsc::unbounded_channel();
    let handler = move |message: Kept| {
        let kept = keep.send(message.0);
        async { kept.map_err(Failure::from) }
    };
    let bus = started(builder.endpoint("kept", |endpoint| endpoint.consumer(handler))).await;
    handle.replay(&scenario("19")[0], "kept").await;
    // Handlers that ran have let go of it then.
    bus.stop().await;
    Arc::try_unwrap(kept.try_recv().unwrap()).unwrap()
}

/// The generator of Steele and others (SplitMix64): the whole sequence follows from the seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(64) + 1)
    }
}

/// What JSON and envelopes are made of.
const PIECES: [&[u8]; 18] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":",
    b"null",
    b"\\ud800",
    b"\xFF",
    b"\xEF\xBB\xBF",
    b"1e999",
    b"-",
    "é".as_bytes(),
    "🚀".as_bytes(),
    b"\"message\":",
    b"\"messageType\":\"x\",",
];

fn mutate(body: &mut Vec<u8>, random: &mut Random) {
    let length = body.len();
    match random.below(7) {
        _ if length == 0 => body.push(b'{'),
        0 => body[random.below(length)] ^= 1 << random.below(8),
        1 => body.truncate(random.below(length)),
        2 => {
            let at = random.below(length + 1);
            body.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied()).for_each(drop);
        }
        3 => {
            let piece = body[random.range(length)].to_vec();
            let at = random.below(length + 1);
            body.splice(at..at, piece).for_each(drop);
        }
        4 => body.drain(random.range(length)).for_each(drop),
        5 => body.swap(random.below(length), random.below(length)),
        _ => body[random.below(length)] = u8::try_from(random.below(256)).unwrap(),
    }
}

/// What the reader made of a body.
#[derive(Debug, Default)]
struct Count {
    envelopes: usize,
    messages: usize,
}

fn read(body: Vec<u8>, incoming: &mut Incoming, count: &mut Count) {
    // What the compiler sees as unused would not be read.
    let Ok(envelope) = Envelope::read(&body.into()) else { return };
    count.envelopes += 1;
    std::hint::black_box((envelope.headers(), envelope.host(), envelope.unreadable().len()));
    incoming.envelope = envelope;
    let fits = decodes::<SubmitOrder>(incoming) | decodes::<Fault<Boom>>(incoming) | decodes::<AllTypes>(incoming);
    count.messages += usize::from(fits);
}

fn decodes<M: Message>(incoming: &Incoming) -> bool {
    incoming.message_as::<M>().is_ok()
}

#[tokio::test]
async fn no_mutation_of_a_captured_body_makes_the_reader_panic() {
    let mut incoming = arrived().await;
    let bodies: Vec<_> = scenarios().iter().flat_map(|name| scenario(name)).map(|captured| captured.body).collect();
    let mut count = Count::default();
    for seed in 0..MUTATIONS {
        let mut random = Random(seed);
        let mut body = bodies[random.below(bodies.len())].to_vec();
        for _ in 0..=random.below(3) {
            mutate(&mut body, &mut random);
        }
        let shown = body.clone();
        let reading = AssertUnwindSafe(|| read(body, &mut incoming, &mut count));
        if std::panic::catch_unwind(reading).is_err() {
            panic!("seed {seed}: {}", String::from_utf8_lossy(&shown));
        }
    }
    // Both ways are gone often enough to say something.
    assert!(count.envelopes > 10_000 && count.envelopes < 90_000 && count.messages > 5_000, "{count:?}");
}
