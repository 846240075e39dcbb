use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::consumer::{Context, Failure};

use crate::{
    journal::{Ended, Run},
    message::{Event, Kind, Stray, Tag, Work},
    scenario::Target,
    script::{Child, End, How, Script},
    violation::Violation,
    world::World,
};

/// A consumer that does as its script says.
#[derive(Debug, Clone)]
pub(crate) struct Handler {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
    pub(crate) store: usize,
    pub(crate) station: usize,
    /// `0` and `1` take work, `e` takes events.
    pub(crate) consumer: &'static str,
}

type Handling = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

impl Handler {
    pub(crate) fn work(self) -> impl Fn(Work, Context) -> Handling + Send + Sync + 'static {
        move |message, ctx| Box::pin(self.clone().handle(message.tag, ctx))
    }

    pub(crate) fn event(self) -> impl Fn(Event, Context) -> Handling + Send + Sync + 'static {
        move |message, ctx| Box::pin(self.clone().handle(message.tag, ctx))
    }

    async fn handle(self, tag: String, ctx: Context) -> Result<(), Failure> {
        let tag: Tag = tag.parse().expect("a tag of ours");
        let script = Script::of(&self.world.scenario, self.station, self.consumer, &tag.path);
        let run = self.begin(&tag, &ctx);
        let clock = &self.world.clock;
        clock.sleep(script.work[0]).await;
        let failing = script.failures.get(run.before).copied();
        let sends = failing.map_or(script.children.len(), |failing| failing.sends);
        for child in &script.children[..sends] {
            if let Err(failure) = run.send(&ctx, child).await {
                run.end(Ended::Failed);
                return Err(failure);
            }
        }
        match failing.map(|failing| failing.how) {
            Some(How::Error) => {
                run.end(Ended::Failed);
                return Err("as the script has it".into());
            }
            Some(How::Panic) => {
                run.end(Ended::Failed);
                // Without the hook, which would write of it.
                std::panic::resume_unwind(Box::new("as the script has it"));
            }
            Some(How::Long) => {
                let Some(timeout) = self.world.scenario.stations[self.station].timeout else {
                    run.end(Ended::Failed);
                    return Err("there is no limit".into());
                };
                clock.sleep(timeout + Duration::from_secs(1)).await;
            }
            None => {}
        }
        clock.sleep(script.work[1]).await;
        run.end(Ended::Returned(script.end));
        match script.end {
            End::Done => Ok(()),
            End::Discarded => Err(Failure::discard("as the script has it")),
            End::Permanent => Err(Failure::permanent("as the script has it")),
        }
    }

    fn begin(&self, tag: &Tag, ctx: &Context) -> Running<'_> {
        let Self { process, store, station, consumer, .. } = *self;
        let message_id = ctx.message_id().expect("every message here has an id");
        let (path, sent) = (tag.path.clone(), Vec::new());
        let run = Run { process, station, consumer, path, message_id, store, sent, ended: None, committed: false };
        let alive = self.world.moment(process);
        let (number, before) = self.world.with(|state| {
            let journal = &mut state.journal;
            let before = journal.runs_of(station, consumer, &run.path).count();
            if alive {
                let name = &self.world.scenario.stations[station].name;
                let attempt = ctx.attempt();
                let number = journal.runs.len() + 1;
                journal.note(format_args!(
                    "process {process}: run {number}, {name}{consumer} handles {}, attempt {attempt}",
                    run.path
                ));
                journal.runs.push(run);
            }
            (journal.runs.len(), before)
        });
        let begun = self.world.clock.now();
        Running { handler: self, number: if alive { number } else { 0 }, before, begun }
    }
}

/// A run; one that is dropped before its end was cancelled.
struct Running<'a> {
    handler: &'a Handler,
    /// 0 if the process is dead.
    number: usize,
    /// How many runs of the same there were.
    before: usize,
    begun: Instant,
}

impl Running<'_> {
    async fn send(&self, ctx: &Context, child: &Child) -> Result<(), Failure> {
        let tag = Tag { path: child.path.as_str().into(), run: self.number, copy: 0 }.to_string();
        let stations = &self.handler.world.scenario.stations;
        macro_rules! go {
            ($outbound:expr) => {
                if child.confirmed { $outbound.confirmed().await } else { $outbound.await }
            };
        }
        match child.to {
            Target::Everybody => go!(ctx.publish(Event { tag }))?,
            Target::Station(to, Kind::Stray) => go!(ctx.send(format!("queue:{}", stations[to].name), Stray { tag }))?,
            Target::Station(to, _) => go!(ctx.send(format!("queue:{}", stations[to].name), Work { tag }))?,
        }
        self.note(|run| run.sent.push((child.path.clone(), child.to)));
        Ok(())
    }

    fn end(&self, ended: Ended) {
        let (world, process, number) = (&self.handler.world, self.handler.process, self.number);
        if world.is_alive(process) {
            world.note(format_args!("process {process}: run {number} ends: {ended:?}"));
        }
        self.note(|run| run.ended = Some(ended));
        // Between a handler's end and what follows from it.
        world.moment(process);
    }

    fn note(&self, change: impl FnOnce(&mut Run)) {
        let (world, process) = (&self.handler.world, self.handler.process);
        if self.number > 0 && world.is_alive(process) {
            world.with(|state| change(&mut state.journal.runs[self.number - 1]));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Handler { world, process, station, .. } = self.handler;
        let mut cut = false;
        self.note(|run| cut = run.ended.is_none() && run.ended.replace(Ended::Dropped).is_none());
        let timeout = world.scenario.stations[*station].timeout;
        let is_late = timeout.is_some_and(|timeout| world.clock.now() >= self.begun + timeout);
        if cut && !is_late && !world.may_cut(*process) {
            let said = format!("run {} was cancelled while its process had time", self.number);
            world.with(|state| state.journal.broken.push(Violation::Cut(said)));
        }
    }
}
