//! Lines of a script about the closing of accounts: people ask for it and call it off, by Steward and past it, and what goes
//! wrong meanwhile.

use super::{Act, Script, Whose, index};
use crate::{draw::Draws, fault::Kind};

/// What people do about the closing of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// A person looks what closing them would do.
    Plan(Vec<Whose>),
    /// A person asks Steward to close them.
    Apply {
        /// Which.
        accounts: Vec<Whose>,
        /// Whether the first one is called by another name.
        misnamed: bool,
    },
    /// A person calls their closing off.
    Keep(Vec<Whose>),
    /// A person looks at everything that is being closed.
    List,
    /// A person closes an account past Steward.
    PastSteward(Whose),
    /// A person moves an account out of the unit for accounts that are to be closed.
    MovesOut(Whose),
    /// A person takes all accounts out of the stack set that Steward leaves to people.
    LeavesStackSet,
    /// AWS has closed so many accounts of other people that it closes only a few more.
    QuotaUsedUp {
        /// How many more.
        but_for: u64,
        /// Until when, in seconds from the beginning of the run.
        until: u64,
    },
}

/// Calls of which each must not be lost or made twice.
const CALLS: [&str; 6] = [
    "account-closer organizations:CloseAccount",
    "account-closer organizations:MoveAccount",
    "account-closer organizations:TagResource",
    "account-closer organizations:UntagResource",
    "account-closer dynamodb:TransactWriteItems",
    "account-closer events:PutEvents",
];

/// A person of whom no other line tells, whose account is closed as soon as it may be.
const CLOSED_SOON: u64 = 90;

impl Script {
    /// A world in which people do nothing but close accounts.
    pub(super) fn closings(seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let accounts = [3, 10, 25][index(&mut draws, "accounts", 3)];
        let mut script = Self::calm(seed, accounts, [0, 2, 5][index(&mut draws, "units", 3)]);
        script.close(&mut draws);
        script
    }

    /// In some runs, people close accounts beside everything else.
    pub(super) fn maybe_close(&mut self, draws: &mut Draws) {
        if draws.happens("closings too", 15) {
            self.close(draws);
        }
    }

    fn close(&mut self, draws: &mut Draws) {
        let cooling_off = [0, 72, 72, 144][index(draws, "cooling-off time", 4)];
        self.cooling_off = Some(cooling_off);
        if draws.happens("quota of closings used up", 12) {
            let (but_for, until) = (draws.below("closings left", 3), draws.between("no more until", 4_000, 14_000));
            self.closing(0, Closing::QuotaUsedUp { but_for, until });
        }
        let mut last = 0;
        for _ in 0..draws.between("askings to close", 1, 3) {
            let second = draws.below("moment of closing", 3_000);
            last = last.max(second);
            let accounts = self.several(draws);
            if draws.happens("planned before closing", 30) {
                self.closing(second.saturating_sub(60), Closing::Plan(accounts.clone()));
            }
            let misnamed = draws.happens("misnamed", 12);
            self.closing(second, Closing::Apply { accounts: accounts.clone(), misnamed });
            self.after_asking(draws, second, cooling_off * 60, &accounts);
        }
        if draws.happens("closed soon", 20) {
            self.act(60, Act::Request { person: CLOSED_SOON, unit: None, by_hand: false });
            let accounts = vec![Whose::Person(CLOSED_SOON)];
            let second = draws.between("how soon", 90, 2_000);
            self.closing(second, Closing::Apply { accounts: accounts.clone(), misnamed: false });
            self.after_asking(draws, second, cooling_off * 60, &accounts);
        }
        if draws.happens("closings listed", 40) {
            self.closing(draws.below("moment of list", 12_000), Closing::List);
        }
        self.closing(draws.between("moment of leaving", 3_000, 9_000), Closing::LeavesStackSet);
        if draws.happens("closings go wrong", 40) {
            self.closings_go_wrong(draws, last, cooling_off * 60);
        }
        self.result_goes_astray(draws);
    }

    fn closing(&mut self, second: u64, closing: Closing) {
        self.act(second, Act::Closing(closing));
    }

    /// Different accounts, few or more than AWS closes at once; seldom the management account among them.
    fn several(&self, draws: &mut Draws) -> Vec<Whose> {
        let count = [1, 1, 2, 3, 7][index(draws, "closed at once", 5)];
        let mut accounts = Vec::new();
        for _ in 0..count {
            let whose = Whose::Old(draws.below("which is closed", self.accounts));
            if !accounts.contains(&whose) {
                accounts.push(whose);
            }
        }
        if draws.happens("management account is to be closed", 6) {
            accounts.push(Whose::Management);
        }
        accounts
    }

    /// What people do once they have asked, and it takes so many seconds until AWS is asked.
    fn after_asking(&mut self, draws: &mut Draws, second: u64, cooling_off: u64, accounts: &[Whose]) {
        let one = accounts[index(draws, "which of them", accounts.len() as u64)];
        if draws.happens("called off", 45) {
            let of_them = if draws.happens("all called off", 30) { accounts.to_vec() } else { vec![one] };
            let at = second + time_within(draws, cooling_off);
            self.closing(at, Closing::Keep(of_them.clone()));
            if draws.happens("called off again", 25) {
                self.closing(at + draws.below("called off again after", 400), Closing::Keep(of_them));
            }
        }
        if draws.happens("asked to close again", 25) {
            let at = second + draws.between("asked to close again after", 1, cooling_off + 4_000);
            self.closing(at, Closing::Apply { accounts: accounts.to_vec(), misnamed: false });
        }
        if draws.happens("asked to close again at once", 20) {
            let at = second + draws.between("again at once after", 1, 15);
            self.closing(at, Closing::Apply { accounts: accounts.to_vec(), misnamed: false });
        }
        if draws.happens("closed past Steward", 15) {
            let at = second + draws.below("past Steward after", cooling_off + 600);
            self.closing(at, Closing::PastSteward(one));
        }
        if draws.happens("moved out", 12) {
            let at = second + draws.between("moved out after", 30, cooling_off + 60);
            self.closing(at, Closing::MovesOut(one));
        }
    }

    fn closings_go_wrong(&mut self, draws: &mut Draws, last: u64, cooling_off: u64) {
        let until = last + cooling_off + 7_200;
        for _ in 0..draws.between("calls of closings aimed at", 1, 3) {
            let target = CALLS[index(draws, "call of closings", CALLS.len() as u64)];
            let kind = Kind::OF_CALLS[index(draws, "kind at a closing", Kind::OF_CALLS.len() as u64)];
            self.aim_at(kind, (0, until), target, draws.between("which call of closings", 1, 6));
        }
        if draws.happens("closings fail for a while", 30) {
            let target = CALLS[index(draws, "what fails for a while", CALLS.len() as u64)];
            let kind = [Kind::ServerError, Kind::ServerErrorAfter, Kind::Throttled, Kind::AnswerLost]
                [index(draws, "how it fails for a while", 4)];
            let from = draws.below("fails from", last + cooling_off + 600);
            self.fault(kind, (from, draws.between("fails for", 200, 900)), target, 100);
        }
        if draws.happens("closers are ended", 25) {
            let from = draws.below("closers are ended from", last + cooling_off + 600);
            self.fault(Kind::Ended, (from, 900), "account-closer", 60);
        }
    }

    /// What AWS tells of an end does not come, or comes twice or late.
    fn result_goes_astray(&mut self, draws: &mut Draws) {
        if draws.happens("result of closing goes astray", 20) {
            let kind = Kind::OF_EVENTS[index(draws, "how it goes astray", 3)];
            self.fault(kind, (0, 40_000), "CloseAccountResult", 70);
        }
    }
}

/// A time after it was asked: at once, before the end of the cooling-off time, at its end, a little later, or too late.
fn time_within(draws: &mut Draws, cooling_off: u64) -> u64 {
    match draws.below("when called off", 5) {
        0 => draws.below("at once", 20),
        1 => draws.between("before the end", 1, cooling_off.max(1)),
        2 => (cooling_off + draws.below("around the end", 11)).saturating_sub(5),
        3 => cooling_off + draws.below("after the end", 330),
        _ => cooling_off + draws.between("too late", 600, 3_000),
    }
}
