use std::time::Instant;

/// What should be true of every message and every receiver.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) messages: Vec<Known>,
    pub(super) receivers: Vec<Receiving>,
    entered: usize,
}

#[derive(Debug)]
pub(super) struct Known {
    pub(super) lane: Option<u8>,
    pub(super) place: Place,
    /// Its place in the queue.
    pub(super) position: usize,
    /// How often it was handed out.
    pub(super) deliveries: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    Delayed(Instant),
    /// In the queue, or in a receiver's buffer.
    Inside,
    /// Handed out to this receiver.
    Out(usize),
    Done,
}

#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) prefetch: usize,
    pub(super) open: bool,
}

impl Model {
    /// A message was sent.
    pub(super) fn sent(&mut self, lane: Option<u8>, delayed: Option<Instant>) {
        self.messages.push(Known { lane, place: Place::Inside, position: 0, deliveries: 0 });
        match delayed {
            Some(until) => self.messages.last_mut().unwrap().place = Place::Delayed(until),
            None => self.enter(self.messages.len() - 1),
        }
    }

    /// Delayed messages enter when their time has come, those of one time as they were sent.
    pub(super) fn pass(&mut self, now: Instant) {
        let due = self.messages.iter().enumerate().filter_map(|(id, message)| match message.place {
            Place::Delayed(until) if until <= now => Some((until, id)),
            _ => None,
        });
        let mut due: Vec<_> = due.collect();
        due.sort();
        due.into_iter().for_each(|(_, id)| self.enter(id));
    }

    fn enter(&mut self, id: usize) {
        (self.messages[id].place, self.messages[id].position) = (Place::Inside, self.entered);
        self.entered += 1;
    }

    /// What is in the queue and in buffers.
    pub(super) fn inside(&self) -> Vec<usize> {
        (0..self.messages.len()).filter(|id| self.messages[*id].place == Place::Inside).collect()
    }

    /// How many messages more the receivers can have between them. No one has too many.
    pub(super) fn room(&self) -> usize {
        let open = self.receivers.iter().enumerate().filter(|(_, receiver)| receiver.open);
        open.map(|(number, receiver)| receiver.prefetch.checked_sub(self.out(number)).expect("more than its prefetch"))
            .sum()
    }

    fn out(&self, receiver: usize) -> usize {
        self.messages.iter().filter(|message| message.place == Place::Out(receiver)).count()
    }

    /// A message is handed out: it may be, and in the order of its lane.
    pub(super) fn hand_out(&mut self, id: usize, receiver: usize, lanes: bool) {
        let message = &self.messages[id];
        assert_eq!(message.place, Place::Inside, "{id} is in two places");
        if let Some(lane) = message.lane.filter(|_| lanes) {
            for (other, known) in self.messages.iter().enumerate().filter(|(_, known)| known.lane == Some(lane)) {
                match known.place {
                    Place::Inside => assert!(known.position >= message.position, "{id} came before {other}"),
                    Place::Out(owner) => assert_eq!(owner, receiver, "two receivers have the lane {lane}"),
                    Place::Delayed(_) | Place::Done => {}
                }
            }
        }
        self.messages[id].place = Place::Out(receiver);
        self.messages[id].deliveries += 1;
    }
}
