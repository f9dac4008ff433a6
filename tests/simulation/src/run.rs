//! One run, from its beginning until nothing is left to do.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{
    task::{LocalSet, spawn_local},
    time::{Instant, sleep, sleep_until},
};

use crate::{
    aws::{account, closings, creations, deployed, events, regions, sqs, stack_sets},
    cloud::{Cloud, Effect, Line, State},
    fault::Kind,
    furnish::furnish,
    invariant::{self, Broken},
    lambda::{self, Lambda},
    people::{self, Updated},
    script::{Act, Item, Script},
    template::stack,
    time,
};

/// How long a run goes on after the last thing that somebody does, unless nothing is left to do: longer than any deadline.
const AFTERWARDS: u64 = 5 * 3_600;
/// How long nothing may be left to do before a run ends: schedules look several times meanwhile whether that is so.
const AT_REST: Duration = Duration::from_mins(35);
/// How long it may go on at most, until everything that is under way has ended.
const LONGEST: u64 = 60 * 3_600;

/// How often people send again what was given up, once they have remediated what they can.
const REPLAYS: usize = 3;
/// What they leave between: longer than a message is hidden by one who was ended while sending it.
const BETWEEN_REPLAYS: Duration = Duration::from_mins(20);

/// A request as the run knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Timestamp,
    pub(crate) person: u64,
    pub(crate) by_hand: bool,
    /// What a person was answered.
    pub(crate) answer: Option<Result<Value, Value>>,
    /// Whether the account was closed when it was asked for.
    pub(crate) closed_before: bool,
}

/// A report that was published.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) sweep: String,
    /// The ARN of its execution.
    pub(crate) execution: String,
    pub(crate) latest: Value,
    pub(crate) again: bool,
}

/// What was seen from outside.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) asked: Vec<Asked>,
    pub(crate) by_hand: Vec<Value>,
    /// When each of these was asked for and answered.
    pub(crate) by_hand_at: Vec<(Timestamp, Timestamp)>,
    /// What people were answered who asked for work as root.
    pub(crate) root_tasks: Vec<Value>,
    /// What people have asked about the closing of accounts.
    pub(crate) closings: Vec<people::closings::Asked>,
    /// What people have asked about policies that lock everybody out.
    pub(crate) locks: Vec<people::locks::Asked>,
    pub(crate) published: Vec<Published>,
    /// What people have asked about the users of the account that they sign in to.
    pub(crate) users: Vec<people::users::Asked>,
    /// What people were answered who asked for names and addresses.
    pub(crate) updated: Vec<Updated>,
    /// Sweeps that ended without a report.
    pub(crate) failed_sweeps: Vec<Value>,
    /// Whether nothing was left to do when the run was over.
    pub(crate) quiet: bool,
    /// The first message that had been given up when people began to send such messages again.
    pub(crate) given_up: Option<String>,
    /// How often accounts had been written to before and after each plan.
    pub(crate) writes_in_plan: u64,
}

/// What a run has shown.
#[derive(Debug)]
pub struct Outcome {
    /// The invariants that broke.
    pub broken: Vec<Broken>,
    /// Everything that happened, in order.
    pub lines: Vec<Line>,
    /// How often each kind of fault has struck.
    pub struck: BTreeMap<Kind, u64>,
    /// The states, answers and rules that were passed through.
    pub covered: BTreeSet<String>,
    /// The same for two runs in which the same happened.
    pub trace: u64,
    /// How much time passed in the run.
    pub lasted: Duration,
    /// How many environments of functions were made.
    pub environments: u64,
}

/// The address of a person's account.
pub(crate) fn address(person: u64) -> String {
    format!("aws+person-{person}@example.com")
}

/// Plays a script.
pub fn play(script: &Script) -> Outcome {
    fastrand::seed(script.seed);
    steward::runtime::settings::set_environment(lambda::variable);
    steward::runtime::metrics::set_log(|_| {});
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let local = LocalSet::new();
    let outcome = local.block_on(&runtime, live(script));
    // What still runs is dropped with the set, while there is a runtime to leave.
    let _entered = runtime.enter();
    drop(local);
    outcome
}

/// A run that is under way.
pub(crate) struct World {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) lambda: Rc<Lambda>,
    pub(crate) seen: RefCell<Seen>,
    under_way: Cell<u64>,
    /// The ids of the units, by their numbers.
    pub(crate) units: Vec<String>,
    pub(crate) sweeps: Cell<u64>,
    pub(crate) script: Script,
}

async fn live(script: &Script) -> Outcome {
    time::begin(Timestamp::from_second(1_795_000_000).expect("a time"));
    let faults = script.items.iter().filter_map(|item| match item {
        Item::Fault(fault) => Some(fault.clone()),
        Item::Act(..) => None,
    });
    let (cloud, mut effects) = Cloud::new(script.seed, faults.collect());
    let cloud = Arc::new(cloud);
    let units = cloud.with(|state| furnish(state, script));
    let lambda = Lambda::new(Arc::clone(&cloud), script);
    let world = Rc::new(World {
        cloud: Arc::clone(&cloud),
        lambda: Rc::clone(&lambda),
        seen: RefCell::default(),
        under_way: Cell::new(0),
        units,
        sweeps: Cell::new(0),
        script: script.clone(),
    });
    for mapping in &stack().mappings {
        spawn_local(Rc::clone(&lambda).feed(mapping));
    }
    let listening = Rc::clone(&world);
    spawn_local(async move {
        while let Some((at, effect)) = effects.recv().await {
            let world = Rc::clone(&listening);
            world.under_way.set(world.under_way.get() + 1);
            spawn_local(async move {
                sleep_until(at).await;
                world.happens(effect).await;
                world.under_way.set(world.under_way.get() - 1);
            });
        }
    });
    for schedule in &stack().schedules {
        if let Some(period) = schedule.period.filter(|_| !(script.skips_idle && is_idle(script, &schedule.target))) {
            let lambda = Rc::clone(&lambda);
            spawn_local(async move {
                loop {
                    sleep(period).await;
                    spawn_local(Rc::clone(&lambda).invoke_for_nobody(schedule.target.clone(), schedule.input.clone()));
                }
            });
        }
    }
    let begun = Instant::now();
    for item in &script.items {
        let Item::Act(second, act) = item.clone() else { continue };
        let world = Rc::clone(&world);
        spawn_local(async move {
            sleep_until(begun + Duration::from_secs(second)).await;
            world.under_way.set(world.under_way.get() + 1);
            world.act(&act).await;
            world.under_way.set(world.under_way.get() - 1);
        });
    }
    let end = script.last_act() + script.cooling_off.unwrap_or_default() * 60 + AFTERWARDS;
    sleep_until(begun + Duration::from_secs(script.calm_from().min(end))).await;
    world.comes_to_rest(begun + Duration::from_secs(end)).await;
    let mut quiet = world.rests(begun + Duration::from_secs(end.max(LONGEST))).await;
    let given_up =
        |state: &mut State| dead_letters(state).first().map(|(queue, letter)| format!("{queue}: {}", letter.body));
    world.seen.borrow_mut().given_up = cloud.with(given_up);
    for _ in 0..REPLAYS {
        if !quiet || cloud.with(given_up).is_none() {
            break;
        }
        world.replay().await;
        sleep(BETWEEN_REPLAYS).await;
        quiet = world.rests(Instant::now() + Duration::from_secs(LONGEST)).await;
    }
    world.seen.borrow_mut().quiet = quiet;
    let lasted = begun.elapsed();
    cloud.with(|state| conclude(script, state, &world.seen.borrow(), (lasted, lambda.made())))
}

/// Whether a function has nothing to do whenever its schedule asks, in all of a run.
fn is_idle(script: &Script, function: &str) -> bool {
    function == "AccountCloser" && script.cooling_off.is_none()
}

fn conclude(script: &Script, state: &mut State, seen: &Seen, (lasted, environments): (Duration, u64)) -> Outcome {
    let broken = invariant::broken(script, state, seen);
    let mut hasher = DefaultHasher::new();
    for line in &state.lines {
        (line.at.as_millisecond(), &line.who, &line.what).hash(&mut hasher);
    }
    Outcome {
        broken,
        lines: std::mem::take(&mut state.lines),
        struck: std::mem::take(&mut state.struck),
        covered: std::mem::take(&mut state.covered),
        trace: hasher.finish(),
        lasted,
        environments,
    }
}

impl World {
    fn is_quiet(&self) -> bool {
        let is_empty = self.cloud.with(|state| {
            state.queues.iter().all(|(name, queue)| {
                let is_fed = stack().mappings.iter().any(|mapping| mapping.queue == *name);
                !is_fed || queue.messages.is_empty()
            })
        });
        is_empty && self.under_way.get() == 0
    }

    /// Waits until nothing has been left to do for a while, in queues and by what the table says, or until the deadline.
    async fn comes_to_rest(&self, deadline: Instant) {
        let mut busy_at = Instant::now();
        while busy_at.elapsed() < AT_REST && Instant::now() < deadline {
            sleep(Duration::from_mins(1)).await;
            if !self.is_quiet() || self.cloud.with(|state| state.table.has_open_work()) {
                busy_at = Instant::now();
            }
        }
    }

    /// Waits until there is nothing left to do; false when that takes too long.
    async fn rests(&self, deadline: Instant) -> bool {
        while !self.is_quiet() {
            if Instant::now() > deadline {
                return false;
            }
            sleep(Duration::from_mins(1)).await;
        }
        true
    }

    /// People whom an alarm has told of dead letters: they correct the document, and send the letters again.
    async fn replay(&self) {
        if self.script.items.iter().any(|item| matches!(item, Item::Act(_, Act::Document { good: false }))) {
            self.act(&Act::Document { good: true }).await;
        }
        let answer = self.lambda.invoke("DeadLetterReplayer", json!({"mode": "apply"})).await;
        self.cloud.with(|state| state.note("people", format_args!("send again what was given up: {answer:?}")));
    }

    async fn happens(&self, effect: Effect) {
        match effect {
            Effect::Event { bus, event } => self.cloud.with(|state| events::deliver(state, bus, &event)),
            Effect::RegionSettles { account, region, bus } => {
                self.cloud.with(|state| regions::settle(state, &account, &region, bus));
            }
            Effect::AddressChanges { account } => self.cloud.with(|state| account::address_changes(state, &account)),
            Effect::StackSetsCome { account } => self.cloud.with(|state| deployed::come(state, &account)),
            Effect::StackSetDeployed { operation } => {
                self.cloud.with(|state| stack_sets::deployed(state, &operation));
            }
            Effect::CreationEnds { call } => self.cloud.with(|state| creations::end(state, &call)),
            Effect::ClosingEnds { account } => self.cloud.with(|state| closings::closing_ends(state, &account)),
            Effect::Invoke { function, payload } => {
                Rc::clone(&self.lambda).invoke_for_nobody(function, payload).await;
            }
        }
    }
}

/// The messages that were given up, by the queue they are in.
pub(crate) fn dead_letters(state: &State) -> Vec<(String, &sqs::Message)> {
    let is_last = |name: &str| name == "Undeliverable" || stack().is_for_dead_letters(name);
    let queues = state.queues.iter().filter(|(name, _)| is_last(name));
    queues.flat_map(|(name, queue)| queue.messages.iter().map(|message| (name.clone(), message))).collect()
}
