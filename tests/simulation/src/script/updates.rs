//! What people ask of account-updater: other names and other primary e-mail addresses for accounts.

use super::{Act, Item, Script, Whose, index};
use crate::{draw::Draws, fault::Kind};

/// Which name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// One that nobody has, unless it was given before.
    New(u64),
    /// That which an old account had when the run began.
    Of(u64),
}

/// Which address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// One that nobody has, unless it was given before; every second one in capitals.
    New(u64),
    /// That which an old account had when the run began.
    Of(u64),
    /// That of a person, who asks for an account with it, or did.
    OfPerson(u64),
    /// One that an account elsewhere has.
    Elsewhere,
}

/// Which code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// That of the last mail.
    Mailed,
    /// That of the mail before, which is good for nothing.
    Before,
    /// One that nobody was mailed.
    Wrong,
}

/// Something that somebody asks of account-updater.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// Other names for accounts.
    Rename {
        /// Whose, and which.
        names: Vec<(Whose, Name)>,
        /// Whether it is done, rather than planned.
        applies: bool,
    },
    /// Another address for one account.
    Start {
        /// Whose.
        whose: Whose,
        /// Which.
        address: Address,
        /// Whether it is done, rather than planned.
        applies: bool,
    },
    /// The code out of the mailbox.
    Accept {
        /// Whose.
        whose: Whose,
        /// Which.
        code: Code,
        /// Whether somebody waits for the answer.
        waits: bool,
    },
    /// Another code.
    Resend {
        /// Whose.
        whose: Whose,
    },
    /// The record is closed.
    Forget {
        /// Whose.
        whose: Whose,
    },
    /// Another domain for the addresses of old accounts.
    ChangeDomain {
        /// The numbers of the accounts; all of them where there are none.
        accounts: Vec<u64>,
        /// Whether the new addresses follow a pattern.
        by_pattern: bool,
        /// Whether it is done, rather than planned.
        applies: bool,
    },
    /// So many of a hundred codes that were mailed for old accounts are given, one after the other.
    GiveCodes {
        /// How many.
        percent: u64,
    },
    /// The changes that are under way are shown.
    Show,
    /// What the schedule asks for, asked for by hand.
    Follow {
        /// Whether it is done, rather than planned.
        applies: bool,
    },
}

/// Calls of account-updater of which each must not be lost or made twice.
const CALLS: [&str; 8] = [
    "account-updater account:AcceptPrimaryEmailUpdate",
    "account-updater account:GetPrimaryEmail",
    "account-updater account:GetPrimaryEmailUpdateStatus",
    "account-updater account:PutAccountName",
    "account-updater account:StartPrimaryEmailUpdate",
    "account-updater dynamodb:TransactWriteItems",
    "account-updater events:PutEvents",
    "account-updater sqs:SendMessage",
];

/// What is not made good within the same invocation.
const KINDS: [Kind; 4] = [Kind::Killed, Kind::KilledAfter, Kind::AnswerLost, Kind::ServerErrorAfter];

/// People of whom no other line tells: one who asks for an account, whose address is changed, and asks again; and one who asks
/// for an account with an address that another one is to have.
const GIVES_UP: u64 = 90;
const IN_THE_WAY: u64 = 91;

/// How long a code is good for, in seconds.
const DAY: u64 = 86_400;

impl Script {
    /// Names and addresses are changed beside everything else.
    pub(super) fn update_accounts(&mut self, draws: &mut Draws) {
        if !draws.happens("changes of names", 25) {
            return;
        }
        let from = self.items.len();
        for _ in 0..draws.between("changes of names and addresses", 1, 3) {
            match draws.below("what is changed", 6) {
                0 => self.rename(draws),
                1 | 2 => self.change_one_address(draws),
                3 => self.give_an_address_up(draws),
                4 => self.race_for_an_address(draws),
                _ => self.change_a_domain(draws),
            }
        }
        if draws.happens("updates fail", 35) {
            self.let_updates_fail(draws, from);
        }
    }

    fn update(&mut self, second: u64, update: Update) {
        self.act(second, Act::UpdateAccount(update));
    }

    /// An account of a run: mostly one of those that are there, seldom one that is not to be changed.
    fn whose(&self, draws: &mut Draws) -> Whose {
        match draws.below("whose name or address", 12) {
            0 => Whose::Management,
            1 => Whose::Nobody,
            // Those that the stack and the document protect are among the first.
            2..=5 => Whose::Old(draws.below("which of the first", self.accounts.min(6))),
            _ => Whose::Old(draws.below("which account", self.accounts)),
        }
    }

    fn rename(&mut self, draws: &mut Draws) {
        let second = draws.between("moment of renaming", 100, 5_000);
        let names = (0..draws.between("names at once", 1, 5)).map(|_| {
            let taken = draws.happens("a name that is taken", 15);
            let name =
                if taken { Name::Of(draws.below("whose name", 3)) } else { Name::New(draws.below("new name", 1_000)) };
            (self.whose(draws), name)
        });
        let names: Vec<_> = names.collect();
        if draws.happens("renaming planned before", 50) {
            self.update(second - 50, Update::Rename { names: names.clone(), applies: false });
        }
        self.update(second, Update::Rename { names: names.clone(), applies: true });
        let again = second + draws.between("moment of renaming again", 1, 600);
        match draws.below("renamed again", 4) {
            0 => self.update(again, Update::Rename { names, applies: true }),
            // It was a mistake: the names that they had.
            1 => {
                let back = names.into_iter().filter_map(|(whose, _)| match whose {
                    Whose::Old(number) => Some((whose, Name::Of(number))),
                    _ => None,
                });
                self.update(again, Update::Rename { names: back.collect(), applies: true });
            }
            _ => {}
        }
    }

    fn change_one_address(&mut self, draws: &mut Draws) {
        let (mut second, whose) = (draws.between("moment of a change", 100, 5_000), self.whose(draws));
        let address = match draws.below("which address", 8) {
            0 => Address::Of(draws.below("whose address", self.accounts)),
            1 => Address::Elsewhere,
            _ => Address::New(draws.below("new address", 1_000)),
        };
        if draws.happens("change planned before", 40) {
            self.update(second - 50, Update::Start { whose, address, applies: false });
        }
        self.update(second, Update::Start { whose, address, applies: true });
        if draws.happens("started twice", 20) {
            let again = second + draws.below("moment of the second start", 300);
            self.update(again, Update::Start { whose, address, applies: true });
        }
        let accept = |script: &mut Self, second: u64, code: Code, draws: &mut Draws| {
            let waits = !draws.happens("code given to nobody", 15);
            script.update(second, Update::Accept { whose, code, waits });
        };
        second += draws.between("code after", 20, 1_200);
        if draws.happens("wrong code", 30) {
            accept(self, second, Code::Wrong, draws);
            second += 30;
        }
        if draws.happens("another code", 30) {
            self.update(second, Update::Resend { whose });
            second += draws.between("code after another", 20, 900);
            if draws.happens("code before", 50) {
                accept(self, second, Code::Before, draws);
                second += 30;
            }
        }
        match draws.below("how it ends", 8) {
            0 => self.update(second, Update::Forget { whose }),
            1 => {}
            2 => accept(self, second + DAY, Code::Mailed, draws),
            3 => {
                // Nobody gives it in time, and people hear of that.
                self.update(second + DAY, Update::Resend { whose });
                accept(self, second + DAY + 600, Code::Mailed, draws);
            }
            _ => {
                accept(self, second, Code::Mailed, draws);
                if draws.happens("code given twice", 30) {
                    accept(self, second + draws.below("moment of the second code", 60), Code::Mailed, draws);
                }
            }
        }
        if draws.happens("changes are shown", 40) {
            self.update(second + 10, Update::Show);
        }
        if draws.happens("followed by hand", 30) {
            let applies = !draws.happens("followed in a plan", 30);
            self.update(second + draws.between("followed after", 1, 3_000), Update::Follow { applies });
        }
        match draws.below("changed once more", 6) {
            0 => {
                // It was a mistake: the address that it had.
                if let Whose::Old(number) = whose {
                    let start = Update::Start { whose, address: Address::Of(number), applies: true };
                    self.update(second + draws.between("changed back after", 30, 900), start);
                    accept(self, second + 2_000, Code::Mailed, draws);
                }
            }
            1 => {
                let address = Address::New(draws.below("new address", 1_000));
                self.update(
                    second + draws.between("changed again after", 60, 6_000),
                    Update::Start { whose, address, applies: true },
                );
                accept(self, second + 7_000, Code::Mailed, draws);
            }
            _ => {}
        }
    }

    /// The account of a person gets another address, and the person asks again for an account with the first one.
    fn give_an_address_up(&mut self, draws: &mut Draws) {
        let (person, whose) = (GIVES_UP, Whose::Person(GIVES_UP));
        let by_hand = draws.happens("asked again by hand", 60);
        self.act(60, Act::Request { person, unit: None, by_hand: true });
        let second = draws.between("moment of giving up", 2_000, 4_000);
        self.update(second, Update::Start { whose, address: Address::New(person), applies: true });
        let accepted = second + draws.between("code after", 320, 900);
        self.update(accepted, Update::Accept { whose, code: Code::Mailed, waits: true });
        // At once, soon, or when Organizations has shown it for long.
        let after = [30, 900, 5 * 3_600][index(draws, "asked again after", 3)];
        self.act(accepted + after, Act::Request { person, unit: None, by_hand });
    }

    /// Somebody asks for an account with an address while another account is about to get it.
    fn race_for_an_address(&mut self, draws: &mut Draws) {
        let person = IN_THE_WAY;
        let whose = Whose::Old(draws.below("who is in the way", self.accounts.min(3)));
        let second = draws.between("moment of the race", 600, 2_000);
        self.update(second, Update::Start { whose, address: Address::OfPerson(person), applies: true });
        let accepted = second + draws.between("code after", 60, 600);
        self.update(accepted, Update::Accept { whose, code: Code::Mailed, waits: true });
        let asked = accepted.saturating_sub(300) + draws.below("asked in between", 900);
        self.act(asked, Act::Request { person, unit: None, by_hand: draws.happens("races by hand", 50) });
    }

    fn change_a_domain(&mut self, draws: &mut Draws) {
        let by_pattern = draws.happens("by a pattern", 40);
        let mut accounts: Vec<u64> = Vec::new();
        for _ in 0..draws.between("accounts of a domain", 1, 12) {
            let number = draws.below("account of a domain", self.accounts);
            if !accounts.contains(&number) {
                accounts.push(number);
            }
        }
        let second = draws.between("moment of a domain", 200, 5_000);
        if draws.happens("domain planned before", 60) {
            let of_all = draws.happens("planned for all", 50);
            let accounts = if of_all { Vec::new() } else { accounts.clone() };
            self.update(second - 100, Update::ChangeDomain { accounts, by_pattern, applies: false });
        }
        self.update(second, Update::ChangeDomain { accounts: accounts.clone(), by_pattern, applies: true });
        if draws.happens("domain asked for again", 40) {
            let again = second + draws.between("domain again after", 1, 1_200);
            self.update(again, Update::ChangeDomain { accounts, by_pattern, applies: true });
        }
        let percent = [0, 50, 100][index(draws, "codes given", 3)];
        let mut given = second + draws.between("codes after", 400, 1_500);
        self.update(given, Update::GiveCodes { percent });
        if draws.happens("codes late", 25) {
            given += DAY;
            self.update(given, Update::GiveCodes { percent: 100 });
        }
        if draws.happens("changes are shown", 40) {
            self.update(given + 10, Update::Show);
        }
    }

    /// Whoever finds that a change has ended is ended itself, while telling it or writing it down.
    fn lose_an_end(&mut self, draws: &mut Draws, from: usize) {
        let given = self.items[from..].iter().filter_map(|item| match item {
            Item::Act(second, Act::UpdateAccount(Update::Accept { code: Code::Mailed, .. })) => Some(*second),
            _ => None,
        });
        let Some(last) = given.max() else { return };
        let target = ["account-updater dynamodb:TransactWriteItems", "account-updater events:PutEvents"];
        let target = target[index(draws, "where an end is lost", 2)];
        let kind = [Kind::Killed, Kind::KilledAfter][index(draws, "how an end is lost", 2)];
        // The run of the next hour looks first.
        self.aim_at(kind, (last + 10, 15_000), target, draws.between("which end is lost", 1, 3));
    }

    /// What people have asked for meets something that goes wrong.
    fn let_updates_fail(&mut self, draws: &mut Draws, from: usize) {
        let moments = self.items[from..].iter().filter_map(|item| match item {
            Item::Act(second, Act::UpdateAccount(_)) => Some(*second),
            _ => None,
        });
        let moments: Vec<u64> = moments.collect();
        for _ in 0..draws.between("updates that fail", 1, 3) {
            let moment = moments[index(draws, "which update fails", moments.len() as u64)];
            let target = CALLS[index(draws, "which call of it fails", CALLS.len() as u64)];
            if draws.happens("fails for a while", 25) {
                let kind = Kind::OF_CALLS[index(draws, "how it fails for a while", 8)];
                let percent = [30, 100][index(draws, "how many of it fail", 2)];
                self.fault(kind, (moment, draws.between("it fails for", 20, 4_000)), target, percent);
            } else {
                let kind = KINDS[index(draws, "how it fails", KINDS.len() as u64)];
                self.aim_at(kind, (moment, 7_200), target, draws.between("which time it fails", 1, 4));
            }
        }
        if draws.happens("an end is lost", 30) {
            self.lose_an_end(draws, from);
        }
        if draws.happens("updater ended", 25) {
            let moment = moments[index(draws, "which update is ended", moments.len() as u64)];
            self.fault(Kind::Ended, (moment, 30), "account-updater", 60);
        }
    }
}
