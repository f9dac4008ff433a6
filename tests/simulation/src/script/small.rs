//! Small scripts: few accounts, one thing that people do, and at most two that go wrong, at any call. They are soon played, so
//! that their number finds which moment of which call matters.

use super::{Act, Address, Closing, Code, FUNCTIONS, Harm, Name, Nature, Script, Update, WATCHED, Whose, index};
use crate::{draw::Draws, fault::Kind};

/// The second in which people begin.
const BEGINS: u64 = 60;
/// Calls of all functions that follow from one thing that people do, at most, of those that a fault is aimed at.
const CALLS: u64 = 160;
/// The old accounts of which there is each in every small world.
const OLD: [u64; 2] = [0, 2];
/// Queues whose messages may come twice.
const QUEUES: [&str; 5] =
    ["AccountRequestQueue", "AccountCreationQueue", "BaselineQueue", "NotificationQueue", "AccountUpdateQueue"];
/// How many kinds of things people do.
const OCCASIONS: u64 = 16;

impl Script {
    /// The small script of a seed.
    pub(super) fn small(seed: u64) -> Self {
        Self::of_few(seed, |script, draws| match draws.below("occasion", OCCASIONS) {
            0..=3 => script.ask_once_or_twice(draws),
            4 => script.ask_together(draws),
            5 | 6 => script.join(draws),
            7 => script.ask_for_what_is_taken(draws),
            8 => script.mistake_a_document(draws),
            9 => script.apply_to_few(draws),
            10 => script.sweep_few(draws),
            11 => script.close_one(draws),
            12 => script.rename_one(draws),
            13 => script.change_address_of_one(draws),
            14 => script.work_as_root(draws),
            _ => script.move_what_is_made(draws),
        })
    }

    /// A small script in which a policy locks everybody out.
    pub(super) fn locks(seed: u64) -> Self {
        Self::of_few(seed, Self::unlock_one)
    }

    /// A small world, in which this happens, and what goes wrong.
    fn of_few(seed: u64, act: impl FnOnce(&mut Self, &mut Draws)) -> Self {
        let mut draws = Draws::new(seed);
        let accounts = draws.between("how few accounts", 3, 5);
        let mut script = Self::calm(seed, accounts, draws.below("how few units", 3));
        script.skips_idle = true;
        script.concurrency = [3, 1_000, 1_000][index(&mut draws, "how little room", 3)];
        act(&mut script, &mut draws);
        for _ in 0..[0, 1, 1, 2][index(&mut draws, "how few faults", 4)] {
            script.small_fault(&mut draws);
        }
        script
    }

    fn ask_once_or_twice(&mut self, draws: &mut Draws) {
        self.request(draws, BEGINS, 0);
        match draws.below("asks again", 4) {
            0 => self.request_after(draws, (BEGINS, 20), "again within seconds", 0),
            1 => self.request_after(draws, (BEGINS, 3_600), "again within the hour", 0),
            _ => {}
        }
        if draws.happens("the stack is updated meanwhile", 10) {
            self.act(BEGINS + draws.below("updated after", 200), Act::Update);
        }
    }

    /// A request some seconds after a moment, at most so many.
    fn request_after(&mut self, draws: &mut Draws, (moment, most): (u64, u64), question: &str, person: u64) {
        let second = moment + draws.below(question, most);
        self.request(draws, second, person);
    }

    fn ask_together(&mut self, draws: &mut Draws) {
        self.daily_cap = [1, 2, 1_000][index(draws, "how small a cap", 3)];
        for person in 0..draws.between("how few people", 2, 3) {
            self.request_after(draws, (BEGINS, 3), "how close together", person);
        }
    }

    fn join(&mut self, draws: &mut Draws) {
        self.act(BEGINS, Act::Joins { number: 0 });
        self.nature = Nature { rough: true, ..Nature::default() };
        if draws.happens("it is hostile", 60) {
            let harm = match draws.below("which small harm", 7) {
                0 => Harm::TakesPolicy,
                1 => Harm::DeletesRole,
                2 => Harm::ClosesItself,
                3 => Harm::OddTexts { text: draws.below("which small text", super::ODD_TEXTS.len() as u64) },
                4 => Harm::NamedLike { other: Whose::Old(OLD[index(draws, "like which", 2)]) },
                5 => Harm::Leaves,
                _ => Harm::AnswersNothing,
            };
            let second = BEGINS + draws.below("hostile after", 240);
            self.act(second, Act::Harmed { whose: Whose::Joined(0), harm });
        }
        if draws.happens("something is seen", 40) {
            let sample = draws.below("what is seen", WATCHED.len() as u64);
            self.act(BEGINS + draws.below("seen after", 60), Act::Watched { sample });
        }
    }

    /// An address that somebody elsewhere has, or whose account is closed, and that is asked for once more.
    fn ask_for_what_is_taken(&mut self, draws: &mut Draws) {
        if draws.happens("taken elsewhere", 50) {
            self.act(0, Act::Taken { person: 0 });
            self.request(draws, BEGINS, 0);
            self.act(900, Act::Freed { person: 0 });
        } else {
            self.request(draws, BEGINS, 0);
            let keeps = draws.happens("keeps its address", 50);
            self.act(1_500, if keeps { Act::ClosedAsItIs { person: 0 } } else { Act::Closed { person: 0 } });
        }
        if draws.happens("an old copy", 30) {
            self.act(1_600 + draws.below("copied after", 600), Act::Copy { person: 0 });
        }
        self.request_after(draws, (1_600, 1_000), "asked once more after", 0);
    }

    fn mistake_a_document(&mut self, draws: &mut Draws) {
        self.act(BEGINS, Act::Document { good: false });
        if draws.happens("then an update", 50) {
            self.act(BEGINS + 30, Act::Update);
        }
        self.request_after(draws, (BEGINS, 60), "asked beside the mistake", 0);
        if draws.happens("soon mended", 60) {
            self.act(BEGINS + draws.between("mended after", 30, 1_200), Act::Document { good: true });
        }
    }

    fn apply_to_few(&mut self, draws: &mut Draws) {
        if draws.happens("planned first", 50) {
            self.act(BEGINS, Act::PlanForAll);
        }
        self.act(BEGINS + 120, Act::ApplyToAll);
    }

    fn sweep_few(&mut self, draws: &mut Draws) {
        if draws.happens("sweeps put right", 50) {
            self.act(0, Act::Remediating);
        }
        self.act(BEGINS, Act::Sweep);
        if draws.happens("published again", 40) {
            self.act(BEGINS + draws.between("published again after", 1_000, 3_000), Act::ReportAgain);
        }
    }

    fn close_one(&mut self, draws: &mut Draws) {
        self.cooling_off = Some([0, 10][index(draws, "how short a cooling-off time", 2)]);
        let accounts = vec![Whose::Old(OLD[index(draws, "closes which", 2)])];
        let apply = Closing::Apply { accounts: accounts.clone(), misnamed: false };
        self.act(BEGINS, Act::Closing(apply.clone()));
        match draws.below("after a closing", 5) {
            0 => self.act(BEGINS + draws.below("kept at once", 60), Act::Closing(Closing::Keep(accounts))),
            1 => self.act(BEGINS + draws.below("kept later", 1_200), Act::Closing(Closing::Keep(accounts))),
            2 => self.act(BEGINS + draws.below("closed twice within", 900), Act::Closing(apply)),
            _ => {}
        }
    }

    fn rename_one(&mut self, draws: &mut Draws) {
        let whose = Whose::Old(OLD[index(draws, "renames which", 2)]);
        let names = vec![(whose, Name::New(draws.below("new name", 1_000)))];
        let rename = |names| Act::UpdateAccount(Update::Rename { names, applies: true });
        self.act(BEGINS, rename(names.clone()));
        if draws.happens("renames twice", 40) {
            self.act(BEGINS + draws.below("renames again after", 400), rename(names));
        }
    }

    fn change_address_of_one(&mut self, draws: &mut Draws) {
        let whose = Whose::Old(OLD[index(draws, "changes which", 2)]);
        let address = Address::New(draws.below("new address", 1_000));
        let mut second = BEGINS;
        self.act(second, Act::UpdateAccount(Update::Start { whose, address, applies: true }));
        if draws.happens("resent", 30) {
            second += draws.between("resent after", 10, 600);
            self.act(second, Act::UpdateAccount(Update::Resend { whose }));
        }
        second += draws.between("code after", 20, 900);
        let waits = !draws.happens("nobody waits", 20);
        self.act(second, Act::UpdateAccount(Update::Accept { whose, code: Code::Mailed, waits }));
        if draws.happens("forgotten", 10) {
            let second = BEGINS + draws.below("forgotten after", 1_200);
            self.act(second, Act::UpdateAccount(Update::Forget { whose }));
        }
    }

    fn work_as_root(&mut self, draws: &mut Draws) {
        if draws.happens("a policy instead", 50) {
            return self.unlock_one(draws);
        }
        if draws.happens("audited first", 40) {
            self.act(BEGINS, Act::AuditRootCredentials);
        }
        let number = OLD[index(draws, "whose credentials", 2)];
        self.act(BEGINS + 60, Act::DeleteRootCredentials { number });
    }

    fn unlock_one(&mut self, draws: &mut Draws) {
        let number = OLD[index(draws, "whose credentials", 2)];
        self.unlock(draws, number, BEGINS);
    }

    /// A new account is moved while it is being made or given its baseline.
    fn move_what_is_made(&mut self, draws: &mut Draws) {
        self.nature = Nature { rough: true, ..Nature::default() };
        self.units = self.units.max(2);
        self.request(draws, BEGINS, 0);
        let second = BEGINS + draws.below("moved after", 400);
        let unit = [None, Some(0), Some(1)][index(draws, "moved to", 3)];
        self.act(second, Act::Moved { whose: Whose::Person(0), unit });
    }

    fn small_fault(&mut self, draws: &mut Draws) {
        match draws.below("which small fault", 20) {
            0..=11 => {
                let kind = Kind::OF_CALLS[index(draws, "what becomes of one call", Kind::OF_CALLS.len() as u64)];
                self.aim_at(kind, (0, 1_800), "*", draws.between("which call of all", 1, CALLS));
            }
            12..=14 => {
                let function = FUNCTIONS[index(draws, "which function is ended", FUNCTIONS.len() as u64)];
                let from = draws.below("ended from", 600);
                self.fault(Kind::Ended, (from, draws.between("ended for", 20, 300)), function, 60);
            }
            15 | 16 => {
                let kind = Kind::OF_EVENTS[index(draws, "what becomes of events", 3)];
                let lasts = draws.between("events go astray for", 100, 3_000);
                let percent = [30, 100][index(draws, "how many events", 2)];
                self.fault(kind, (0, lasts), "*", percent);
            }
            17 => {
                let target = QUEUES[index(draws, "whose messages", QUEUES.len() as u64)];
                self.fault(Kind::Doubled, (0, 3_000), target, 60);
            }
            _ => {
                let services = ["organizations", "dynamodb", "sqs", "events", "sts", "sns", "account", "s3"];
                let target = services[index(draws, "which service fails", 8)];
                let kind = Kind::OF_CALLS[index(draws, "how a service fails", 8)];
                let time = (draws.below("fails from", 400), draws.between("fails for", 5, 300));
                self.fault(kind, time, target, [50, 100][index(draws, "how much of it fails", 2)]);
            }
        }
    }
}
