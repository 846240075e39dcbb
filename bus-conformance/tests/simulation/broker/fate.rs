use std::{fmt, time::Duration};

use bus_core::transport::{Outgoing, PublishOutcome};

use crate::world::World;

/// What becomes of a message on its way to the broker.
#[derive(Debug)]
pub(super) struct Fate {
    /// How often it arrives.
    pub(super) arrives: usize,
    /// What its sender is told in place of the truth.
    pub(super) told: Option<Said>,
    /// It arrives later.
    pub(super) late: bool,
    /// Its sender is told later.
    pub(super) slow: bool,
    /// How long the broker keeps it back.
    pub(super) delay: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Said {
    NotSent,
    Unknown,
    Rejected,
    Unroutable,
}

impl Said {
    pub(super) fn outcome(self) -> PublishOutcome {
        match self {
            Self::NotSent => PublishOutcome::NotSent("a simulated outage".into()),
            Self::Unknown => PublishOutcome::Unknown("a simulated silence".into()),
            Self::Rejected => PublishOutcome::Rejected("a simulated refusal".into()),
            Self::Unroutable => PublishOutcome::Unroutable,
        }
    }
}

impl Fate {
    pub(super) fn of(message: &Outgoing, world: &World, process: usize) -> Self {
        let (rates, dice) = (&world.scenario.rates, &world.dice);
        let told = match () {
            () if world.is_away(process) => Some(dice.pick(&[Said::NotSent, Said::NotSent, Said::Unknown])),
            () if world.hits(rates.not_sent) => Some(Said::NotSent),
            () if world.hits(rates.refused) && message.mandatory && dice.hits(500) => Some(Said::Unroutable),
            () if world.hits(rates.refused) => Some(Said::Rejected),
            () if world.hits(rates.unknown) => Some(Said::Unknown),
            () => None,
        };
        let arrives = match told {
            None => 1 + usize::from(world.hits(rates.doubled)),
            Some(Said::Unknown) => usize::from(dice.hits(500)),
            Some(_) => 0,
        };
        world.with(|state| {
            state.journal.met.doubts += usize::from(matches!(told, Some(Said::Unknown)));
            state.journal.met.doubles += usize::from(arrives > 1);
        });
        let delay = world.hits(rates.delayed).then(|| Duration::from_millis(dice.within(1..=20_000) as u64));
        Self { arrives, told, late: world.hits(rates.late), slow: world.hits(rates.slow), delay }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.told {
            None => write!(f, "confirmed")?,
            Some(said) => write!(f, "{said:?}")?,
        }
        if self.arrives > 1 || self.arrives > 0 && self.told.is_some() {
            write!(f, ", arrives {} times", self.arrives)?;
        }
        if let Some(delay) = self.delay {
            write!(f, ", handed on after {delay:?}")?;
        }
        let say = |f: &mut fmt::Formatter<'_>, so: bool, what: &str| if so { f.write_str(what) } else { Ok(()) };
        say(f, self.late, ", late")?;
        say(f, self.slow, ", told later")
    }
}
