//! Lines of a script that make its world larger or rougher: organizations of any size, accounts of any state, people who
//! rearrange what is being worked on, documents that come and go, and members that do harm.

use std::fmt;

use super::{Act, Control, Controls, Item, Script, Whose, index};
use crate::draw::Draws;

/// What kind of world it is beside its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nature {
    /// Whether units lie in each other, up to five deep.
    pub deep: bool,
    /// Whether there are accounts of every state, and the documents ask something of every account that tells where it is.
    pub rough: bool,
    /// What the documents ask for beside tags and alias.
    pub controls: Controls,
    /// Whether the documents say who gets in where.
    pub lets_in: bool,
}

impl fmt::Display for Nature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.deep { ", units up to five deep" } else { "" })?;
        f.write_str(if self.rough { ", accounts of every state" } else { "" })?;
        f.write_str(if self.lets_in { ", documents that say who gets in where" } else { "" })?;
        self.controls.fmt(f)
    }
}

/// What whoever administers an account can do with it, and to others by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// It takes the alias that another account is to get.
    TakesAlias {
        /// The other one.
        of: Whose,
    },
    /// It takes its policy away from the access role.
    TakesPolicy,
    /// It deletes the access role.
    DeletesRole,
    /// It is closed from within.
    ClosesItself,
    /// Its name and its alias are texts that are meant to break whatever shows them.
    OddTexts {
        /// Which of the texts.
        text: u64,
    },
    /// It has the name of another account.
    NamedLike {
        /// The other one.
        other: Whose,
    },
    /// It leaves the organization.
    Leaves,
    /// Calls from within it are not answered.
    AnswersNothing,
    /// Something that the document asks for is taken away.
    Undoes {
        /// What.
        control: Control,
        /// In which way.
        way: u64,
    },
}

/// Texts that are meant to break whatever shows them. Each holds the word by which invariants find it.
pub(crate) const ODD_TEXTS: [&str; 6] = [
    "=HYPERLINK(\"https://hostile.example\",\"hostile\")",
    "hostile {account_id} ${AWS::AccountId} {{hostile}} %s %n",
    "hostile\u{7}\r\nSubject: hostile\u{1b}[2J\n\nBcc: hostile@example.com",
    "<script>hostile('\"')</script><!-- hostile -->&lt;",
    "@hostile,\"hostile\";'hostile'\t\\\u{2028}\u{202e}elitsoh",
    "-hostile\u{0}\u{85}\u{fffd}＝hostile",
];

/// Accounts that join and do harm; no other line tells of them.
const HOSTILE: u64 = 10;
/// The account that joins to be harmed.
const VICTIM: u64 = 20;
/// The numbers of old accounts that a script may take: no account is left alone for its number.
const OLD: [u64; 6] = [0, 2, 3, 5, 6, 7];

impl Script {
    /// A larger world, a very small one, or a rougher one.
    pub(super) fn worlds(&mut self, draws: &mut Draws) {
        if draws.below("a huge organization", 2_000) == 0 {
            self.enlarge(20_000, 2_000, draws);
        } else if draws.below("a larger organization", 200) == 0 {
            let size = index(draws, "how large", 3);
            self.enlarge([1_000, 2_000, 5_000][size], [40, 400, 1_000][size], draws);
        } else if draws.happens("a very small organization", 3) {
            self.accounts = draws.below("how small", 3);
            let accounts = self.accounts;
            self.items.retain(
                |item| !matches!(item, Item::Act(_, Act::DeleteRootCredentials { number }) if *number >= accounts),
            );
        } else if draws.happens("the world is rough", 28) {
            self.roughen(draws);
        }
    }

    /// So many accounts and units, and a sweep of them. What would take hours of a machine's time is left out: a person who
    /// applies to all, and a second sweep of the largest ones.
    fn enlarge(&mut self, accounts: u64, units: u64, draws: &mut Draws) {
        (self.accounts, self.units, self.nature) = (accounts, units, Nature { deep: true, ..Nature::default() });
        let mut sweeps = 0;
        self.items.retain(|item| match item {
            Item::Act(_, Act::ApplyToAll | Act::PlanForAll) => false,
            Item::Act(_, Act::Sweep) => {
                sweeps += 1;
                sweeps == 1
            }
            _ => true,
        });
        if sweeps == 0 {
            self.act(draws.below("moment of a large sweep", 3_000), Act::Sweep);
        }
    }

    fn roughen(&mut self, draws: &mut Draws) {
        self.nature = Nature { deep: draws.happens("deep", 40), rough: true, ..self.nature };
        self.units = self.units.max(if self.nature.deep { draws.between("deep units", 10, 60) } else { 3 });
        self.accounts = self.accounts.max(10);
        if draws.happens("moves by hand", 60) {
            self.move_by_hand(draws);
        }
        if draws.happens("renames", 25) {
            self.rename_units(draws);
        }
        if draws.happens("deletes a unit", 20) {
            let unit = draws.below("which unit is deleted", self.units);
            self.act(draws.below("moment of deleting", 5_000), Act::UnitDeleted { unit });
        }
        if draws.happens("removes", 35) {
            let number = OLD[index(draws, "who is removed", OLD.len() as u64)];
            let second = draws.below("moment of removing", 6_000);
            self.act(second, Act::Removed { number });
            if draws.happens("is invited again", 50) {
                self.act(second + draws.between("away for", 60, 8_000), Act::InvitedAgain { number });
            }
        }
        if draws.happens("harms", 50) {
            self.harm(draws);
        }
        if draws.happens("documents come and go", 30) {
            self.replace_documents(draws);
        }
        if draws.happens("puts right", 40) {
            self.act(0, Act::Remediating);
        }
        // One that everything else may hit, and one after all of it.
        if draws.happens("a sweep in between", 60) {
            self.act(draws.between("moment of the sweep in between", 100, 6_000), Act::Sweep);
        }
        if draws.happens("a sweep at the end", 70) {
            self.act(30_000 + draws.below("moment of the last sweep", 6_000), Act::Sweep);
        }
    }

    /// Accounts are moved while they are being made or worked on, and old ones at any time.
    pub(super) fn move_by_hand(&mut self, draws: &mut Draws) {
        let asked: Vec<(u64, u64)> = self
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Act(second, Act::Request { person, .. }) => Some((*second, *person)),
                _ => None,
            })
            .collect();
        for _ in 0..draws.between("moves", 1, 4) {
            let unit = draws.below("moved to", self.units + 1);
            // Often into the first one, or out of it: that is what the documents tell apart.
            let unit = if draws.happens("moved to the first", 40) { Some(0) } else { Some(unit) };
            let unit = unit.filter(|unit| *unit < self.units);
            if !asked.is_empty() && draws.happens("moves a new one", 60) {
                let (second, person) = asked[index(draws, "moves whose", asked.len() as u64)];
                // In the middle of it, or when it has all that it was to get.
                let most = if draws.happens("moved when it is done", 50) { 8_000 } else { 400 };
                let second = second + draws.below("moved after", most);
                self.act(second, Act::Moved { whose: Whose::Person(person), unit });
            } else {
                let whose = Whose::Old(OLD[index(draws, "moves which", OLD.len() as u64)]);
                self.act(draws.below("moment of a move", 8_000), Act::Moved { whose, unit });
            }
        }
    }

    /// An override by path stops matching, for a while or for good.
    pub(super) fn rename_units(&mut self, draws: &mut Draws) {
        let unit = if draws.happens("renames the first", 70) { 0 } else { draws.below("renames which", self.units) };
        let second = draws.below("moment of renaming", 5_000);
        self.act(second, Act::Renamed { unit, back: false });
        if draws.happens("renames back", 50) {
            self.act(second + draws.between("renamed for", 30, 9_000), Act::Renamed { unit, back: true });
        }
    }

    fn replace_documents(&mut self, draws: &mut Draws) {
        let second = draws.below("moment of another document", 5_000);
        if draws.happens("deletes the document", 40) {
            self.act(second, Act::DocumentDeleted);
            self.act(second + draws.between("without a document", 20, 5_000), Act::Document { good: true });
        } else {
            self.act(second, Act::Overridden { there: false });
            if draws.happens("overrides again", 60) {
                self.act(second + draws.between("without an override", 20, 5_000), Act::Overridden { there: true });
            }
        }
    }

    /// An account that joins does harm while it is being given its baseline, or one that has been there for long does.
    fn harm(&mut self, draws: &mut Draws) {
        for number in HOSTILE..HOSTILE + draws.between("hostile members", 1, 2) {
            let second = draws.below("moment of the hostile one", 3_000);
            let is_new = draws.happens("the hostile one is new", 60);
            let whose = if is_new {
                self.act(second, Act::Joins { number });
                Whose::Joined(number)
            } else {
                Whose::Old(OLD[index(draws, "which one is hostile", OLD.len() as u64)])
            };
            for _ in 0..draws.between("harms of one", 1, 2) {
                let harm = self.a_harm(draws, second);
                self.act(second + draws.below("harm after", 240), Act::Harmed { whose, harm });
            }
        }
    }

    fn a_harm(&mut self, draws: &mut Draws, second: u64) -> Harm {
        match draws.below("which harm", 10) {
            0 => {
                if !self.items.iter().any(|item| matches!(item, Item::Act(_, Act::Joins { number: VICTIM }))) {
                    self.act(second + 600, Act::Joins { number: VICTIM });
                }
                Harm::TakesAlias { of: Whose::Joined(VICTIM) }
            }
            1 => Harm::TakesPolicy,
            2 => Harm::DeletesRole,
            3 => Harm::ClosesItself,
            4..6 => Harm::OddTexts { text: draws.below("which odd text", ODD_TEXTS.len() as u64) },
            6 => Harm::NamedLike { other: Whose::Old(OLD[index(draws, "named like", OLD.len() as u64)]) },
            7 => Harm::NamedLike { other: Whose::Person(draws.below("named like whose", 6)) },
            8 => Harm::Leaves,
            _ => Harm::AnswersNothing,
        }
    }
}
