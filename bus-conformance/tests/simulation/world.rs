use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    task::Waker,
    time::{Duration, Instant},
};

use bus_core::{
    clock::Clock,
    transport::{Transport, Unsettled, Window},
};

use crate::{debts::Owed, dice::Dice, journal::Journal, scenario::Scenario, subscriptions::Subscription};

/// What all parts of one schedule share.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) clock: Clock,
    /// What goes wrong.
    pub(crate) dice: Dice,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) journal: Journal,
    /// What the broker has not answered yet.
    pub(crate) owed: Vec<Owed>,
    /// Deliveries whose settlement was lost: the broker believes that somebody works on them.
    pub(crate) limbo: Vec<(usize, Unsettled)>,
    dead: BTreeSet<usize>,
    /// The processes that cannot send.
    pub(crate) away: BTreeSet<usize>,
    /// The subscriptions that are lost.
    pub(crate) lost: BTreeSet<Subscription>,
    /// Who waits for a change of that.
    pub(crate) waiting: BTreeMap<Subscription, Waker>,
    pub(crate) transports: BTreeMap<usize, Arc<dyn Transport>>,
    pub(crate) windows: BTreeMap<usize, Arc<Window>>,
    /// From when on the handlers of a process may be cancelled: it stops, or its bus is dropped.
    patience: BTreeMap<usize, Instant>,
    /// Nothing goes wrong any more.
    healed: bool,
    /// How many moments there were at which a process could die.
    moments: usize,
    /// Until when the broker keeps messages back.
    pub(crate) delayed: Option<Instant>,
    /// Whoever lets a process run.
    driving: Option<Waker>,
}

thread_local! {
    /// The schedule of this thread, and the process that is being built.
    static CURRENT: RefCell<Option<(Arc<World>, usize)>> = const { RefCell::new(None) };
}

impl World {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        let state = State {
            journal: Journal::default(),
            owed: Vec::new(),
            limbo: Vec::new(),
            dead: BTreeSet::new(),
            away: BTreeSet::new(),
            lost: BTreeSet::new(),
            waiting: BTreeMap::new(),
            transports: BTreeMap::new(),
            windows: BTreeMap::new(),
            patience: BTreeMap::new(),
            healed: false,
            moments: 0,
            delayed: None,
            driving: None,
        };
        Arc::new(Self {
            scenario: Scenario::of(seed),
            clock: Clock::manual(seed),
            dice: Dice::about(seed, "faults"),
            state: Mutex::new(state),
        })
    }

    /// Runs `build`, in which a driver may ask for [`current`](Self::current).
    pub(crate) fn building<T>(self: &Arc<Self>, process: usize, build: impl FnOnce() -> T) -> T {
        CURRENT.set(Some((self.clone(), process)));
        let built = build();
        CURRENT.set(None);
        built
    }

    pub(crate) fn current() -> (Arc<Self>, usize) {
        CURRENT.with_borrow(Clone::clone).expect("a bus is being built")
    }

    pub(crate) fn with<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        step(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn note(&self, step: fmt::Arguments<'_>) {
        self.with(|state| state.journal.note(step));
    }

    /// A moment at which a process may die; whether it is alive.
    pub(crate) fn moment(&self, process: usize) -> bool {
        let dies = self.with(|state| {
            state.moments += 1;
            !state.healed && !state.dead.contains(&process) && self.scenario.faults.deaths.contains(&state.moments)
        });
        if dies {
            self.kill(process);
        }
        self.is_alive(process)
    }

    /// From now on nothing that the process does reaches anybody.
    pub(crate) fn kill(&self, process: usize) {
        let (gone, driving) = self.with(|state| {
            state.journal.note(format_args!("process {process} dies"));
            state.journal.met.crashes += 1;
            state.dead.insert(process);
            let (gone, owed) = std::mem::take(&mut state.owed).into_iter().partition(|owed| owed.process == process);
            state.owed = owed;
            let gone: Vec<Owed> = gone;
            (gone, state.driving.clone())
        });
        drop(gone);
        if let Some(driving) = driving {
            driving.wake();
        }
    }

    pub(crate) fn is_alive(&self, process: usize) -> bool {
        self.with(|state| state.is_alive(process))
    }

    /// The process ends now, and lets its handlers finish within `patience`.
    pub(crate) fn ends(&self, process: usize, patience: Duration) {
        let until = self.clock.after(patience);
        self.with(|state| state.patience.insert(process, until));
    }

    /// The process begins anew.
    pub(crate) fn begins(&self, process: usize) {
        self.with(|state| state.patience.remove(&process));
    }

    /// Whether the process may cancel its handlers.
    pub(crate) fn may_cut(&self, process: usize) -> bool {
        let now = self.clock.now();
        self.with(|state| state.patience.get(&process).is_some_and(|until| *until <= now))
    }

    /// Whether chance has it that something goes wrong.
    pub(crate) fn hits(&self, in_thousand: usize) -> bool {
        in_thousand > 0 && !self.is_healed() && self.dice.hits(in_thousand)
    }

    pub(crate) fn is_healed(&self) -> bool {
        self.with(|state| state.healed)
    }

    pub(crate) fn is_away(&self, process: usize) -> bool {
        self.with(|state| state.away.contains(&process))
    }

    /// Gives back what nobody settles any more, of one process or of all.
    pub(crate) fn empty_limbo(&self, process: Option<usize>) {
        let gone: Vec<_> = self
            .with(|state| state.limbo.extract_if(.., |(of, _)| process.is_none_or(|process| *of == process)).collect());
        drop(gone);
    }

    /// From now on everything works.
    pub(crate) fn heal(&self) {
        let lost = self.with(|state| {
            state.journal.note(format_args!("everything is healed"));
            state.healed = true;
            state.away.clear();
            state.lost.clone()
        });
        for subscription in lost {
            self.lose(subscription, false);
        }
        self.empty_limbo(None);
    }

    pub(crate) fn drive(&self, waker: Waker) {
        let before = self.with(|state| state.driving.replace(waker));
        drop(before);
    }

    pub(crate) fn wake_driver(&self) {
        if let Some(driving) = self.with(|state| state.driving.clone()) {
            driving.wake();
        }
    }
}

impl State {
    pub(crate) fn is_alive(&self, process: usize) -> bool {
        !self.dead.contains(&process)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("World").field(&self.scenario.seed).finish()
    }
}
