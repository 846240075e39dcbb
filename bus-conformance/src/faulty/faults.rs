use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bus_core::transport::{Outgoing, PublishOutcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{Flaw, Step, deliveries::Deliveries};
use crate::soon;

/// What a faulty transport does wrong, and what it was asked for. A cheap handle.
#[derive(Debug, Clone)]
pub struct Faults(Arc<Shared>);

/// The queues whose subscription is lost, and why.
pub(super) type Losses = BTreeMap<String, Loss>;

#[derive(Debug, Clone)]
pub(super) enum Loss {
    Cut(String),
    Overdue(String),
}

#[derive(Debug)]
struct Shared {
    flaw: Option<Flaw>,
    rules: Mutex<Vec<Rule>>,
    steps: watch::Sender<Vec<Step>>,
    lost: watch::Sender<Losses>,
    /// How many completions are still to come too late.
    late: AtomicUsize,
    hang_connect: AtomicBool,
    hang_apply: AtomicBool,
    /// Why messages cannot be sent, if they cannot.
    away: Mutex<Option<String>>,
    /// The one place of [`Flaw::SticksTogether`].
    one_place: Arc<Semaphore>,
    deliveries: Deliveries,
}

/// What a sender is told in place of the broker's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It was never sent, and so it is.
    NotSent,
    /// Nobody knows. The broker has it.
    Unknown,
    /// The broker refused it, and does not have it.
    Rejected,
    /// No queue takes it; the broker does not have it.
    Unroutable,
}

impl Answer {
    pub(super) fn outcome(self) -> PublishOutcome {
        match self {
            Self::NotSent => PublishOutcome::NotSent("a scripted outage".into()),
            Self::Unknown => PublishOutcome::Unknown("a scripted silence".into()),
            Self::Rejected => PublishOutcome::Rejected("a scripted refusal".into()),
            Self::Unroutable => PublishOutcome::Unroutable,
        }
    }
}

/// What happens to messages that a rule is about.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    Answered(Answer),
    /// The broker has it; its sender hears of it when this is true.
    Withheld(watch::Receiver<bool>),
}

struct Rule {
    which: Box<dyn Fn(&Outgoing) -> bool + Send + Sync>,
    left: usize,
    fate: Fate,
}

/// Confirms that are held back until they are released; so they are when this is dropped.
#[derive(Debug)]
pub struct Withheld(watch::Sender<bool>);

impl Withheld {
    /// And what tells that they are released.
    pub(super) fn new() -> (Self, watch::Receiver<bool>) {
        let (release, released) = watch::channel(false);
        (Self(release), released)
    }

    /// Lets them through, and all that follow.
    pub fn release(self) {}
}

impl Drop for Withheld {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl Faults {
    pub(super) fn new(flaw: Option<Flaw>) -> Self {
        Self(Arc::new(Shared {
            flaw,
            rules: Mutex::default(),
            steps: watch::Sender::default(),
            lost: watch::Sender::default(),
            late: AtomicUsize::new(0),
            hang_connect: AtomicBool::new(false),
            hang_apply: AtomicBool::new(false),
            away: Mutex::default(),
            one_place: Arc::new(Semaphore::new(1)),
            deliveries: Deliveries::default(),
        }))
    }

    /// Gives the senders of the next `times` such messages that answer. Rules are asked in their order.
    pub fn answer(&self, times: usize, which: impl Fn(&Outgoing) -> bool + Send + Sync + 'static, answer: Answer) {
        self.rule(Rule { which: Box::new(which), left: times, fate: Fate::Answered(answer) });
    }

    /// Passes such messages on, and holds their confirms back.
    pub fn withhold(&self, which: impl Fn(&Outgoing) -> bool + Send + Sync + 'static) -> Withheld {
        let (withheld, released) = Withheld::new();
        self.rule(Rule { which: Box::new(which), left: usize::MAX, fate: Fate::Withheld(released) });
        withheld
    }

    /// Ends what [`answer`](Self::answer) and [`withhold`](Self::withhold) began, for messages to come.
    pub fn heal(&self) {
        self.rules().clear();
    }

    /// The next `times` deliveries that are completed are not the receiver's any more: they go back to their
    /// queues, and their settlement is [`LeaseLost`](bus_core::transport::SettleOutcome::LeaseLost).
    pub fn complete_late(&self, times: usize) {
        self.0.late.store(times, Ordering::SeqCst);
    }

    /// From now on nobody answers a connect until its deadline.
    pub fn hang_connect(&self) {
        self.0.hang_connect.store(true, Ordering::SeqCst);
    }

    /// From now on nobody answers to a topology, for ever.
    pub fn hang_apply(&self) {
        self.0.hang_apply.store(true, Ordering::SeqCst);
    }

    /// From now on the transport's health says that messages cannot be sent, and why, and it refuses topologies for
    /// that reason; or it does neither.
    pub fn away(&self, why: Option<&str>) {
        *self.0.away.lock().unwrap_or_else(PoisonError::into_inner) = why.map(str::to_owned);
    }

    /// Cuts the subscriptions to a queue: what is delivered and not settled goes back to it.
    pub fn lose(&self, queue: &str, why: &str) {
        self.0.lost.send_modify(|lost| drop(lost.insert(queue.to_owned(), Loss::Cut(why.to_owned()))));
    }

    /// The same, since the broker waited long enough for a delivery to be settled.
    pub fn wait_no_longer(&self, queue: &str, why: &str) {
        self.0.lost.send_modify(|lost| drop(lost.insert(queue.to_owned(), Loss::Overdue(why.to_owned()))));
    }

    /// Brings the subscriptions to a queue back.
    pub fn restore(&self, queue: &str) {
        self.0.lost.send_modify(|lost| drop(lost.remove(queue)));
    }

    /// Everything so far, in order.
    pub fn steps(&self) -> Vec<Step> {
        self.0.steps.borrow().clone()
    }

    /// Waits until the record is as it has to be; the record then.
    pub async fn until(&self, what: &str, is_so: impl Fn(&[Step]) -> bool) -> Vec<Step> {
        let mut steps = self.0.steps.subscribe();
        let found = soon(what, async { steps.wait_for(|steps| is_so(steps)).await.map(|steps| steps.clone()) }).await;
        found.expect("the record lives as long as its handle")
    }

    pub(super) fn note(&self, step: Step) {
        self.0.steps.send_modify(|steps| steps.push(step));
    }

    pub(super) fn fate(&self, message: &Outgoing) -> Option<Fate> {
        let mut rules = self.rules();
        let rule = rules.iter_mut().find(|rule| rule.left > 0 && (rule.which)(message))?;
        rule.left -= 1;
        Some(rule.fate.clone())
    }

    /// Whether a completion comes too late.
    pub(super) fn is_late(&self) -> bool {
        self.0.late.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    pub(super) fn losses(&self) -> watch::Receiver<Losses> {
        self.0.lost.subscribe()
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.0.flaw == Some(flaw)
    }

    pub(super) fn is_away(&self) -> Option<String> {
        self.0.away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the one place that all queues share, if they do.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if !self.has(Flaw::SticksTogether) {
            return None;
        }
        self.0.one_place.clone().acquire_owned().await.ok()
    }

    pub(super) fn deliveries(&self) -> &Deliveries {
        &self.0.deliveries
    }

    pub(super) fn hangs_connecting(&self) -> bool {
        self.0.hang_connect.load(Ordering::SeqCst)
    }

    pub(super) fn hangs_applying(&self) -> bool {
        self.0.hang_apply.load(Ordering::SeqCst)
    }

    fn rule(&self, rule: Rule) {
        self.rules().push(rule);
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("left", &self.left).field("fate", &self.fate).finish_non_exhaustive()
    }
}
