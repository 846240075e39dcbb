//! Where the frames of AMQP 0-9-1 begin and end in a stream of bytes.

/// Type, channel and length.
const HEAD: usize = 7;

/// `AMQP` and a version, which a client sends before its frames.
const GREETING: usize = 8;

pub(super) struct Frames {
    /// How many bytes there are until the next frame begins.
    left: usize,
    /// As much of a frame's head as came.
    head: Vec<u8>,
}

impl Frames {
    pub(super) fn of_client() -> Self {
        Self { left: GREETING, head: Vec::with_capacity(HEAD) }
    }

    /// Takes the bytes that come next; a place inside the first frame whose head ends in them.
    pub(super) fn middle(&mut self, bytes: &[u8]) -> Option<usize> {
        let (mut at, mut middle) = (0, None);
        loop {
            let passed = self.left.min(bytes.len() - at);
            (at, self.left) = (at + passed, self.left - passed);
            let of_head = (HEAD - self.head.len()).min(bytes.len() - at);
            if of_head == 0 {
                return middle;
            }
            self.head.extend(&bytes[at..at + of_head]);
            at += of_head;
            if let [_, _, _, length @ ..] = &*self.head
                && let Ok(length) = <[u8; 4]>::try_from(length)
            {
                // And the octet at its end.
                self.left = u32::from_be_bytes(length) as usize + 1;
                self.head.clear();
                middle = middle.or(Some(at + self.left.min(bytes.len() - at) / 2));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&[1, 0, 0], &length[..], payload, &[0xCE]].concat()
    }

    #[test]
    fn a_middle_is_inside_a_frame_however_the_bytes_are_cut() {
        let (greeting, frames) = (*b"AMQP\0\0\x09\x01", [frame(b"publish"), frame(b""), frame(&[7; 300])]);
        let all = [&greeting[..], &frames.concat()].concat();
        let mut ends = vec![greeting.len()];
        ends.extend(frames.iter().scan(greeting.len(), |end, frame| {
            *end += frame.len();
            Some(*end)
        }));
        for size in 1..=all.len() {
            let mut reader = Frames::of_client();
            let mut middles = Vec::new();
            for (index, bytes) in all.chunks(size).enumerate() {
                middles.extend(reader.middle(bytes).map(|middle| index * size + middle));
            }
            assert!(!middles.is_empty(), "{size}");
            assert!(middles.iter().all(|middle| *middle > ends[0] && !ends.contains(middle)), "{size}: {middles:?}");
            // Each frame's head ends in bytes of its own then.
            assert!(size > HEAD || middles.len() == frames.len(), "{size}: {middles:?}");
        }
    }
}
