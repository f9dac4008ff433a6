//! AWS in memory: what all services share, and what is to happen later.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::Instant,
};

use crate::{
    aws::{
        Answer, Refusal,
        access::Access,
        dynamodb::Table,
        iam::Iam,
        locks,
        member::Member,
        organizations::Organization,
        regions,
        s3::Bucket,
        secrets::Vault,
        settings::{Changed, Past, Settings},
        sqs::Queue,
        stack_sets::StackSets,
        states::Executions,
    },
    call::Call,
    draw::Draws,
    fault::{Fault, Kind},
    history::History,
    invoked::{self, Invoked},
    permissions::Permissions,
    rate::Rates,
    template::{ACCOUNT, Bus, Function, stack},
    time,
};

/// How every secret of a run begins, so that it is found where it must not be.
pub(crate) const SECRET: &str = "wJalrXUtnFEMI";

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) account: String,
    /// The logical id of the function whose role it is; of a session, the function that opened it.
    pub(crate) function: String,
    /// What a session may do at most; None for a function's own role.
    pub(crate) actions: Option<Vec<String>>,
    /// What a session of a role may do, and with what, by its policy.
    pub(crate) bounds: Option<Permissions>,
}

impl Principal {
    /// Whether it is a session as the root user of an account.
    pub(crate) fn is_root(&self) -> bool {
        self.actions.is_some() && self.bounds.is_none()
    }
}

/// What is to happen at some time.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// An event comes to the rules of its bus.
    Event { bus: Bus, event: Value },
    /// AWS has done with a call of `CreateAccount`.
    CreationEnds { call: String },
    /// AWS has closed an account.
    ClosingEnds { account: String },
    /// AWS has done with a change of an account's primary e-mail address.
    AddressChanges { account: String },
    /// AWS has done with a change of a region.
    RegionSettles { account: String, region: String, bus: Bus },
    /// The stack sets of people have come to an account.
    StackSetsCome { account: String },
    /// AWS has done with an operation on the stack set that all accounts are to have.
    StackSetDeployed { operation: String },
    /// A function is invoked, and nobody waits for the answer.
    Invoke { function: String, payload: Value },
}

/// A line of the timeline.
#[derive(Clone, Debug)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What.
    pub what: String,
}

/// An event that was put on the stack's bus.
#[derive(Clone, Debug)]
pub(crate) struct PublishedEvent {
    pub(crate) at: Timestamp,
    pub(crate) kind: String,
    pub(crate) detail: Value,
    pub(crate) event: Value,
}

/// Something that people are to hear of.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) at: Timestamp,
    /// CloudTrail's id of it.
    pub(crate) id: String,
    /// How much it matters.
    pub(crate) severity: &'static str,
}

/// A session as the root user of an account.
#[derive(Clone, Debug)]
pub(crate) struct RootSession {
    pub(crate) account: String,
    /// The name of the task policy.
    pub(crate) task: String,
    /// Who has opened it.
    pub(crate) function: String,
}

/// Everything that there is.
pub(crate) struct State {
    pub(crate) draws: Draws,
    pub(crate) begun: Timestamp,
    pub(crate) faults: Vec<Fault>,
    /// How many calls each fault has met, struck or not.
    met: BTreeMap<usize, u64>,
    /// How often each kind of fault has struck.
    pub(crate) struck: BTreeMap<Kind, u64>,
    pub(crate) rates: Rates,
    pub(crate) table: Table,
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) buckets: BTreeMap<String, Bucket>,
    pub(crate) executions: Executions,
    pub(crate) organization: Organization,
    pub(crate) stack_sets: StackSets,
    pub(crate) members: BTreeMap<String, Member>,
    /// The users and groups of the account that people sign in to.
    pub(crate) iam: Iam,
    /// Who gets in where.
    pub(crate) access: Access,
    pub(crate) secrets: Vault,
    /// What was asked and told of regions.
    pub(crate) regions: regions::News,
    /// What accounts are set to.
    pub(crate) settings: BTreeMap<String, Settings>,
    /// Since when they are as documents ask.
    pub(crate) past: BTreeMap<String, Past>,
    /// Who has changed what of that.
    pub(crate) changed: Vec<Changed>,
    pub(crate) principals: BTreeMap<String, Principal>,
    pub(crate) published: Vec<PublishedEvent>,
    /// What was sent again of what had been given up.
    pub(crate) sent_again: BTreeSet<String>,
    /// What was given up and removed before it was sent again.
    pub(crate) removed_unsent: Vec<String>,
    /// What people were mailed, and when.
    pub(crate) mails: Vec<(Timestamp, Value)>,
    /// How often something of AWS's was changed by the stack, its own table and messages left out.
    pub(crate) writes: u64,
    /// When an account was entered with the power to write in it, which one, and by which function.
    pub(crate) entered: Vec<(Timestamp, String, String)>,
    /// In which accounts sessions were asked for, and by which function.
    pub(crate) asked_in: BTreeSet<(String, String)>,
    /// What people and members have done.
    pub(crate) history: History,
    /// What CloudTrail has recorded that people are to hear of.
    pub(crate) watched: Vec<Watched>,
    /// The sessions as root users.
    pub(crate) root_sessions: Vec<RootSession>,
    /// Calls in such sessions that the table knew nothing of.
    pub(crate) unrecorded: Vec<String>,
    /// What was done against what a control promises, by what it is about.
    pub(crate) breaches: BTreeMap<&'static str, String>,
    /// Whether there are stack sets of people that come to every account.
    pub(crate) has_stack_sets: bool,
    /// What has become of the policies of buckets and queues.
    pub(crate) locks: locks::News,
    /// Calls and throttled calls by function and operation.
    pub(crate) calls: BTreeMap<(String, String), (u64, u64)>,
    /// The invocations of functions that people ask for plans.
    pub(crate) invoked: Vec<Invoked>,
    /// What a call did that no policy allows, and what is not simulated.
    pub(crate) wrong: BTreeSet<String>,
    /// What was passed through: states, operations, causes.
    pub(crate) covered: BTreeSet<String>,
    pub(crate) lines: Vec<Line>,
    later: UnboundedSender<(Instant, Effect)>,
}

/// The state behind a lock that is never held over an await.
pub(crate) struct Cloud(Mutex<State>);

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cloud")
    }
}

impl Cloud {
    pub(crate) fn new(seed: u64, faults: Vec<Fault>) -> (Self, UnboundedReceiver<(Instant, Effect)>) {
        let (later, effects) = unbounded_channel();
        let mut draws = Draws::new(seed);
        let queues = stack().queues.iter().map(|(name, queue)| (name.clone(), Queue::new(name, queue)));
        let principals = stack().functions.iter().map(|(id, function)| {
            (
                key_of(function),
                Principal { account: ACCOUNT.to_owned(), function: id.clone(), actions: None, bounds: None },
            )
        });
        let state = State {
            begun: time::now(),
            faults,
            met: BTreeMap::new(),
            struck: BTreeMap::new(),
            rates: Rates::default(),
            table: Table::default(),
            queues: queues.collect(),
            buckets: BTreeMap::new(),
            executions: Executions::default(),
            organization: Organization::new(&mut draws),
            stack_sets: StackSets::default(),
            members: BTreeMap::new(),
            iam: Iam::default(),
            access: Access::default(),
            secrets: Vault::default(),
            regions: regions::News::default(),
            settings: BTreeMap::new(),
            past: BTreeMap::new(),
            changed: Vec::new(),
            principals: principals.collect(),
            published: Vec::new(),
            sent_again: BTreeSet::new(),
            removed_unsent: Vec::new(),
            mails: Vec::new(),
            writes: 0,
            entered: Vec::new(),
            asked_in: BTreeSet::new(),
            history: History::default(),
            watched: Vec::new(),
            root_sessions: Vec::new(),
            unrecorded: Vec::new(),
            breaches: BTreeMap::new(),
            has_stack_sets: false,
            locks: locks::News::default(),
            calls: BTreeMap::new(),
            invoked: Vec::new(),
            wrong: BTreeSet::new(),
            covered: BTreeSet::new(),
            lines: Vec::new(),
            later,
            draws,
        };
        (Self(Mutex::new(state)), effects)
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The access key of a function's role.
pub(crate) fn key_of(function: &Function) -> String {
    format!("ASIA{}", function.name.to_uppercase().replace('-', ""))
}

impl State {
    /// Seconds since the run began.
    pub(crate) fn second(&self) -> u64 {
        self.second_of(time::now())
    }

    /// Seconds from when the run began to this time.
    pub(crate) fn second_of(&self, at: Timestamp) -> u64 {
        u64::try_from(at.duration_since(self.begun).as_secs()).unwrap_or_default()
    }

    /// When the run was so many seconds old.
    pub(crate) fn at_second(&self, second: u64) -> Timestamp {
        self.begun + SignedDuration::from_secs(i64::try_from(second).unwrap_or(i64::MAX))
    }

    /// What goes wrong with a call of this service and operation by this function, if anything does.
    pub(crate) fn strike(&mut self, function: &str, service: &str, operation: &str) -> Option<Kind> {
        let second = self.second();
        for (number, fault) in self.faults.iter().enumerate() {
            if !Kind::OF_CALLS.contains(&fault.kind) || !fault.concerns_call(function, service, operation, second) {
                continue;
            }
            let met = self.met.entry(number).or_default();
            *met += 1;
            if fault.only.is_some_and(|only| only != *met) {
                continue;
            }
            if self.draws.happens(&format!("fault {number}"), fault.percent) {
                *self.struck.entry(fault.kind).or_default() += 1;
                return Some(fault.kind);
            }
        }
        None
    }

    /// After which time the environment of a function is ended, if it is: often soon, seldom late.
    pub(crate) fn strike_environment(&mut self, function: &str) -> Option<Duration> {
        let second = self.second();
        let (number, _) = self.faults.iter().enumerate().find(|(number, fault)| {
            fault.kind == Kind::Ended
                && fault.concerns(function, second)
                && self.draws.happens(&format!("fault {number}"), fault.percent)
        })?;
        *self.struck.entry(Kind::Ended).or_default() += 1;
        let most = 1 << self.draws.below(&format!("fault {number} ends within"), 15);
        Some(self.draws.millis(&format!("fault {number} ends after"), 0, most))
    }

    /// What goes wrong with an event.
    pub(crate) fn strike_event(&mut self, name: &str) -> Vec<Kind> {
        let second = self.second();
        let mut found = Vec::new();
        for (number, fault) in self.faults.iter().enumerate() {
            if Kind::OF_EVENTS.contains(&fault.kind)
                && fault.concerns(name, second)
                && self.draws.happens(&format!("fault {number}"), fault.percent)
            {
                *self.struck.entry(fault.kind).or_default() += 1;
                found.push(fault.kind);
            }
        }
        found
    }

    /// Whether this call is made from within an account that answers nothing.
    pub(crate) fn is_left_unanswered(&self, call: &Call) -> bool {
        let member = self.principals.get(&call.key).and_then(|who| self.members.get(&who.account));
        member.is_some_and(|member| member.answers_nothing)
    }

    /// Lets something happen after a while.
    pub(crate) fn later(&self, after: Duration, effect: Effect) {
        // Nobody listens when the run is over.
        let _ = self.later.send((Instant::now() + after, effect));
    }

    pub(crate) fn note(&mut self, who: &str, what: impl fmt::Display) {
        self.lines.push(Line { at: time::now(), who: who.to_owned(), what: what.to_string() });
    }

    pub(crate) fn note_call(&mut self, who: &str, call: &Call, answer: &Result<Answer, Refusal>) {
        let function = self.principals.get(&call.key).map_or_else(String::new, |who| who.function.clone());
        let operation = format!("{}:{}", call.service, call.operation);
        let count = self.calls.entry((function, operation.clone())).or_default();
        count.0 += 1;
        let outcome = match answer {
            Ok(_) => {
                invoked::calls(self, who, call);
                "ok"
            }
            Err(refusal) => {
                if refusal.is_throttling() {
                    count.1 += 1;
                }
                &refusal.code
            }
        };
        self.covered.insert(format!("{operation} {outcome}"));
        self.lines.push(Line { at: time::now(), who: who.to_owned(), what: format!("{operation} -> {outcome}") });
    }
}
