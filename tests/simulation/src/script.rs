//! What a run is about: a world and what happens in it, drawn from a seed. Every line of it can be left out, so that a
//! failing run can be cut down to what it needs.

mod access;
mod act;
mod aimed;
mod closings;
mod controls;
mod family;
mod locks;
mod people;
mod regions;
mod small;
mod updates;
mod whose;
mod worlds;

use std::fmt;

use crate::{
    draw::Draws,
    fault::{Fault, Kind},
};

pub use act::{Act, Item};
pub use closings::Closing;
pub use controls::{Control, Controls};
pub use family::Family;
pub use locks::{LockAct, LockDeed};
pub use people::{Deed, How, UserAct};
pub(crate) use people::{GROUPS, USERS};
pub use regions::RegionAct;
pub use updates::{Address, Code, Name, Update};
pub use whose::Whose;
pub(crate) use worlds::ODD_TEXTS;
pub use worlds::{Harm, Nature};

/// A world, and what happens in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What chance answers by.
    pub seed: u64,
    /// Accounts that are there when the run begins.
    pub accounts: u64,
    /// Units below the root.
    pub units: u64,
    /// Environments that may be at work at once.
    pub concurrency: usize,
    /// Account requests that are admitted in a day.
    pub daily_cap: u64,
    /// Minutes that an account may take.
    pub deadline: u64,
    /// Minutes that an account cools off before it is closed; None where no accounts are closed, and there is no unit for
    /// those that are to be.
    pub cooling_off: Option<u64>,
    /// What kind of world it is beside its size.
    pub nature: Nature,
    /// Whether the schedule of a function that has nothing to do in all of the run is left out: a third of the calls of a
    /// small one.
    pub skips_idle: bool,
    /// What happens, in no order.
    pub items: Vec<Item>,
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, accounts, units, concurrency, daily_cap, deadline, cooling_off, nature, skips_idle: _, items } =
            self;
        writeln!(
            f,
            "seed {seed}: {accounts} accounts, {units} units, {concurrency} environments at once, {daily_cap} requests a day, {deadline} minutes for each{nature}"
        )?;
        if let Some(minutes) = cooling_off {
            writeln!(f, "  accounts that are to be closed cool off for {minutes} minutes")?;
        }
        items.iter().try_for_each(|item| writeln!(f, "  {item}"))
    }
}

/// Events that people are to hear of, among the samples of the activity auditor, and how much they matter. None is about an
/// account of a run.
pub(crate) const WATCHED: [(&str, &str); 9] = [
    ("close-account-denied", "warning"),
    ("member-closes-itself", "critical"),
    ("move-account", "notice"),
    ("password-recovery", "critical"),
    ("policy-emptied", "critical"),
    ("put-alternate-contact", "notice"),
    ("root-sessions-disabled", "critical"),
    ("root-sign-in", "critical"),
    ("trail-stopped", "critical"),
];

/// Operations of which each is the one that must not be lost in some place.
const OPERATIONS: [&str; 10] = [
    "organizations:CreateAccount",
    "organizations:MoveAccount",
    "organizations:TagResource",
    "dynamodb:TransactWriteItems",
    "sqs:SendMessage",
    "events:PutEvents",
    "sns:Publish",
    "sts:AssumeRole",
    "iam:CreateAccountAlias",
    "s3:GetObject",
];

/// Functions whose environments are ended at any moment.
const FUNCTIONS: [&str; 5] =
    ["account-requester", "create-account-poller", "baseline-applier", "notifier", "activity-auditor"];

/// What a run is mostly about.
const MOODS: u64 = 8;

impl Script {
    /// A world in which nothing happens, and nothing is scarce.
    fn calm(seed: u64, accounts: u64, units: u64) -> Self {
        Self {
            seed,
            accounts,
            units,
            concurrency: 1_000,
            daily_cap: 1_000,
            deadline: 120,
            cooling_off: None,
            nature: Nature::default(),
            skips_idle: false,
            items: Vec::new(),
        }
    }

    /// Everything beside everything else.
    fn mixed(seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let accounts = [3, 3, 10, 25, 60, 200][index(&mut draws, "accounts", 6)];
        let units = [0, 2, 5, 12][index(&mut draws, "units", 4)];
        let concurrency = [10, 50, 1_000][index(&mut draws, "concurrency", 3)];
        let mut script = Self { concurrency, ..Self::calm(seed, accounts, units) };
        match draws.below("mood", MOODS) {
            0 => script.crowd(&mut draws),
            1 | 2 => script.requests_with_faults(&mut draws),
            3 => script.odd_events(&mut draws),
            4 => script.lives(&mut draws),
            5 => script.documents(&mut draws),
            6 => script.by_hand(&mut draws),
            _ => script.sweeps(&mut draws),
        }
        script.beside(&mut draws);
        script.aim(&mut draws);
        script.maybe_close(&mut draws);
        script.update_accounts(&mut draws);
        let is_of_its_own =
            script.items.iter().any(|item| matches!(item, Item::Act(_, Act::Closing(_) | Act::UpdateAccount(_))));
        // What people rearrange beside that is told apart nowhere.
        if !is_of_its_own {
            script.worlds(&mut draws);
        }
        script.maybe_people(&mut draws);
        script.maybe_ask_for_controls(&mut draws);
        script
    }

    /// A line of more people than AWS makes accounts for before the deadline: one in ten seconds. They come slowly enough
    /// for each to be admitted.
    fn long_line(seed: u64) -> Self {
        let items = (0..90).map(|person| Item::Act(person * 3, Act::Request { person, unit: None, by_hand: false }));
        let items = items.collect();
        Self { deadline: 10, items, ..Self::calm(seed, 3, 0) }
    }

    /// A sweep of an organization with many units.
    fn many_units(seed: u64) -> Self {
        let items = vec![Item::Act(60, Act::Sweep)];
        Self { items, ..Self::calm(seed, 10_000, 2_000) }
    }

    /// A week of a large organization: 100 requests a day, spread over the working day.
    fn week(seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let mut script = Self::calm(seed, 10_000, 40);
        for day in 0..7 {
            for person in 0..100 {
                let second = day * 86_400 + 28_800 + draws.below("time of day", 36_000);
                let unit = Some(draws.below("unit", 40));
                let act = Act::Request { person: day * 100 + person, unit, by_hand: person % 10 == 0 };
                script.items.push(Item::Act(second, act));
            }
        }
        script
    }

    /// The second of the last thing that somebody does.
    pub(crate) fn last_act(&self) -> u64 {
        let acts = self.items.iter().filter_map(|item| match item {
            Item::Act(second, _) => Some(*second),
            Item::Fault(_) => None,
        });
        acts.max().unwrap_or_default()
    }

    /// The second from which on nobody does anything and the work of functions is not struck any more.
    pub(crate) fn calm_from(&self) -> u64 {
        let faults = self.items.iter().filter_map(|item| match item {
            Item::Fault(fault) if fault.kind.is_of_work() => Some(fault.until()),
            _ => None,
        });
        faults.max().unwrap_or_default().max(self.last_act())
    }

    fn act(&mut self, second: u64, act: Act) {
        self.items.push(Item::Act(second, act));
    }

    /// Something goes wrong with so many of a hundred calls or events, from a second on for so many seconds.
    fn fault(&mut self, kind: Kind, (from, lasts): (u64, u64), target: &str, percent: u64) {
        let target = target.to_owned();
        self.items.push(Item::Fault(Fault { kind, from, lasts, target, percent, only: None }));
    }

    fn request(&mut self, draws: &mut Draws, second: u64, person: u64) {
        let unit = (self.units > 0 && draws.happens("named unit", 60)).then(|| draws.below("unit", self.units));
        let by_hand = draws.happens("by hand", 25);
        self.act(second, Act::Request { person, unit, by_hand });
    }

    /// Many at once; on some days more than may be.
    fn crowd(&mut self, draws: &mut Draws) {
        if draws.happens("small cap", 25) {
            self.daily_cap = draws.between("cap", 3, 12);
        }
        for person in 0..draws.between("people", 10, 24) {
            let second = draws.below("moment", 3);
            self.request(draws, second, person);
        }
    }

    fn requests_with_faults(&mut self, draws: &mut Draws) {
        for person in 0..draws.between("people", 1, 6) {
            let second = draws.below("moment", 600);
            self.request(draws, second, person);
        }
        let services = ["*", "organizations", "dynamodb", "sqs", "events", "organizations:CreateAccount", "sts", "sns"];
        for _ in 0..draws.between("faults", 1, 4) {
            let kind = Kind::OF_CALLS[index(draws, "kind", 8)];
            let target = services[index(draws, "service", 8)];
            let time = (draws.below("fault from", 900), draws.between("fault lasts", 1, 240));
            self.fault(kind, time, target, [5, 20, 50, 100][index(draws, "percent", 4)]);
        }
    }

    fn odd_events(&mut self, draws: &mut Draws) {
        for person in 0..draws.between("people", 1, 8) {
            let second = draws.below("moment", 600);
            self.request(draws, second, person);
        }
        let events = ["*", "AccountRequested", "AccountCreated", "CreateAccountResult", "AccountJoinedOrganization"];
        for _ in 0..draws.between("faults", 1, 3) {
            let kind = Kind::OF_EVENTS[index(draws, "kind", 3)];
            self.fault(kind, (0, 7_200), events[index(draws, "event", 5)], 70);
        }
    }

    /// Accounts that fail, are closed, come again; requests that are repeated, and old copies of them.
    fn lives(&mut self, draws: &mut Draws) {
        for person in 0..draws.between("people", 1, 4) {
            if draws.happens("taken", 50) {
                self.act(0, Act::Taken { person });
                self.request(draws, 60, person);
                self.act(4_000, Act::Freed { person });
                if draws.happens("copy", 60) {
                    self.act(draws.between("moment of copy", 4_100, 40_000), Act::Copy { person });
                }
                if draws.happens("again", 60) {
                    let second = draws.between("moment of again", 4_100, 40_000);
                    self.request(draws, second, person);
                }
            } else {
                self.request(draws, 60, person);
                self.act(7_000, Act::Closed { person });
                let second = draws.between("moment of again", 7_100, 40_000);
                self.request(draws, second, person);
            }
        }
        for number in 0..draws.below("joining", 3) {
            self.act(draws.below("moment of joining", 4_000), Act::Joins { number });
        }
        if draws.happens("no mails", 30) {
            self.fault(Kind::ServerError, (0, 500), "sns", 100);
        }
    }

    /// What goes on beside everything else.
    fn beside(&mut self, draws: &mut Draws) {
        if draws.happens("watched", 30) {
            for _ in 0..draws.between("watched events", 1, 4) {
                let sample = draws.below("sample", WATCHED.len() as u64);
                self.act(draws.below("moment of watched", 3_000), Act::Watched { sample });
            }
        }
        let moments: Vec<u64> = self
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Act(second, Act::Request { .. } | Act::Joins { .. } | Act::ApplyToAll) => Some(*second),
                _ => None,
            })
            .collect();
        if !moments.is_empty() && draws.happens("fault at one operation", 20) {
            let moment = moments[index(draws, "at whose moment", moments.len() as u64)];
            let kind = Kind::OF_CALLS[index(draws, "kind at one operation", 8)];
            let target = OPERATIONS[index(draws, "operation", OPERATIONS.len() as u64)];
            let time = (moment + draws.below("fault after", 150), draws.between("it lasts", 20, 300));
            self.fault(kind, time, target, [50, 100][index(draws, "percent at one operation", 2)]);
        }
        if !moments.is_empty() && draws.happens("ended environments", 15) {
            let target = FUNCTIONS[index(draws, "whose environment", FUNCTIONS.len() as u64)];
            let from = moments[index(draws, "at whose moment", moments.len() as u64)];
            let (lasts, percent) = (draws.between("ends last", 20, 600), [20, 60][index(draws, "ends percent", 2)]);
            self.fault(Kind::Ended, (from, lasts), target, percent);
        }
        if draws.happens("a policy locks", 6) {
            let (number, moment) = (draws.below("whose policy locks", 3), draws.below("moment of locking", 3_000));
            self.unlock(draws, number, moment);
        }
        if draws.happens("everything doubled", 8) {
            self.fault(Kind::Doubled, (0, 7_200), "*", 40);
        }
        if draws.happens("root tasks", 20) {
            self.act(draws.below("moment of audit", 2_000), Act::AuditRootCredentials);
            for _ in 0..draws.between("deletions", 1, 3) {
                let number = draws.below("whose credentials", self.accounts);
                self.act(draws.below("moment of deletion", 3_000), Act::DeleteRootCredentials { number });
            }
        }
    }

    fn documents(&mut self, draws: &mut Draws) {
        if draws.happens("planned before", 60) {
            self.act(30, Act::PlanForAll);
        }
        self.act(300, Act::Document { good: false });
        if draws.happens("update", 70) {
            self.act(400, Act::Update);
        }
        for person in 0..draws.between("people", 1, 4) {
            let second = draws.below("moment", 1_200);
            self.request(draws, second, person);
        }
        if draws.happens("mended", 50) {
            self.act(draws.between("moment of mending", 2_000, 9_000), Act::Document { good: true });
        }
    }

    fn by_hand(&mut self, draws: &mut Draws) {
        self.act(draws.below("moment", 100), Act::PlanForAll);
        self.act(1_000, Act::ApplyToAll);
    }

    fn sweeps(&mut self, draws: &mut Draws) {
        for number in 0..draws.between("sweeps", 2, 4) {
            self.act(600 + number * 20_000, Act::Sweep);
            if draws.happens("again", 50) {
                self.act(600 + number * 20_000 + draws.between("moment of again", 2_000, 15_000), Act::ReportAgain);
            }
        }
        if draws.happens("joined between", 60) {
            self.act(600 + draws.between("moment between", 1_500, 15_000), Act::Joins { number: 1 });
        }
        if draws.happens("unheard", 50) {
            self.act(0, Act::Remediating);
            self.fault(Kind::Lost, (0, 30_000), "AccountJoinedOrganization", 100);
            // Half an hour and a little before a sweep: it is the first that hears of it.
            self.act(20_600 - draws.between("age of joining", 1_801, 16_000), Act::Joins { number: 0 });
            if draws.happens("held up", 70) {
                // Whoever gives it its baseline is still at it while the sweep changes what it has found.
                self.hold_up_baselines(20_600);
            }
            if draws.happens("heard", 60) {
                self.act(20_600 - draws.between("heard before", 60, 200), Act::Known { number: 0 });
            }
        }
        if draws.happens("faults", 50) {
            let kind = [Kind::ServerError, Kind::AnswerLost, Kind::Throttled][index(draws, "kind", 3)];
            let target = ["events", "s3", "dynamodb", "lambda"][index(draws, "service", 4)];
            self.fault(kind, (draws.below("fault from", 60_000), 20), target, 60);
        }
    }
}

fn index(draws: &mut Draws, question: &str, bound: u64) -> usize {
    usize::try_from(draws.below(question, bound)).expect("small")
}
