use crate::dice::Dice;

/// What goes wrong in a schedule.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Senders are told that their message did not leave, is refused, or reaches nobody.
    pub(crate) answers: bool,
    /// Senders are told that nobody knows.
    pub(crate) doubts: bool,
    /// Messages enter the broker twice.
    pub(crate) doubles: bool,
    /// Settlements do not reach the broker.
    pub(crate) lost_acks: bool,
    /// The store is away, or refuses.
    pub(crate) store: bool,
    /// Subscriptions are lost and come back.
    pub(crate) cuts: bool,
    /// For a while nothing can be sent.
    pub(crate) outages: bool,
    /// Processes stop, and start again.
    pub(crate) stops: bool,
    /// A bus is dropped without a stop.
    pub(crate) drops: bool,
    /// Processes die between two steps.
    pub(crate) crashes: bool,
    /// Processes die in the middle of such a step, counted over the schedule.
    pub(crate) deaths: Vec<usize>,
}

/// How often something happens to a message, of a thousand.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rates {
    /// The answer to a message or a settlement comes later.
    pub(crate) slow: usize,
    /// A message or a settlement is under way for a while.
    pub(crate) late: usize,
    /// The broker hands a message on later.
    pub(crate) delayed: usize,
    pub(crate) not_sent: usize,
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
    pub(crate) doubled: usize,
    pub(crate) lost_ack: usize,
    pub(crate) store: usize,
}

impl Faults {
    pub(crate) fn of(dice: &Dice) -> Self {
        if dice.hits(120) {
            return Self::default();
        }
        // Few kinds at once: each is to be met without the others, too.
        let rate = dice.pick(&[150, 350, 600]);
        let on = || dice.hits(rate);
        Self {
            answers: on(),
            doubts: on(),
            doubles: on(),
            lost_acks: on(),
            store: on(),
            cuts: on(),
            outages: on(),
            stops: on(),
            drops: on(),
            crashes: on(),
            deaths: if on() { (0..dice.within(1..=4)).map(|_| dice.within(1..=500)).collect() } else { Vec::new() },
        }
    }

    /// Whether nothing goes wrong at all.
    pub(crate) fn is_calm(&self) -> bool {
        let Self { answers, doubts, doubles, lost_acks, store, cuts, outages, stops, drops, crashes, deaths } = self;
        let any = [answers, doubts, doubles, lost_acks, store, cuts, outages, stops, drops, crashes];
        !any.into_iter().any(|on| *on) && deaths.is_empty()
    }
}

impl Rates {
    pub(crate) fn of(faults: &Faults, dice: &Dice) -> Self {
        let some = |on: bool| if on { dice.pick(&[20, 100, 250]) } else { 0 };
        Self {
            slow: dice.pick(&[0, 200, 700]),
            late: dice.pick(&[0, 100, 400]),
            delayed: dice.pick(&[0, 0, 100]),
            not_sent: some(faults.answers),
            refused: some(faults.answers),
            unknown: some(faults.doubts),
            doubled: some(faults.doubles),
            lost_ack: some(faults.lost_acks),
            store: some(faults.store),
        }
    }
}
