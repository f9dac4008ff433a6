//! Families of scripts: what the runs that are drawn alike have in common.

use std::{fmt, str::FromStr};

use super::Script;

/// What kind of script a seed is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A few accounts, one thing that people do, and at most two that go wrong.
    Small,
    /// Everything beside everything else.
    Mixed,
    /// People do nothing but close accounts.
    Closings,
    /// People come into the jump account and go, and change regions.
    People,
    /// Documents ask for more than tags and aliases, and little else happens than that they are followed.
    Controls,
    /// Documents say who gets in where, and accounts come and go.
    Access,
    /// A policy locks everybody out of a bucket or a queue.
    Locks,
    /// More people ask for an account than AWS makes before the deadline.
    LongLine,
    /// A sweep of 10,000 accounts in 2,000 units.
    ManyUnits,
    /// A week of 10,000 accounts, with a hundred requests a day.
    Week,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 10] = [
        Self::Small,
        Self::Mixed,
        Self::Closings,
        Self::People,
        Self::Controls,
        Self::Access,
        Self::Locks,
        Self::LongLine,
        Self::ManyUnits,
        Self::Week,
    ];

    /// The family that a seed is drawn for where many are played: mostly small ones, since a machine plays twelve of them
    /// in the time of a mixed one.
    pub fn of(seed: u64) -> Self {
        match seed % 128 {
            0 => Self::Mixed,
            32 => Self::Closings,
            64 => Self::People,
            96 => Self::Controls,
            112 => Self::Access,
            _ => Self::Small,
        }
    }

    /// The script of a seed.
    pub fn script(self, seed: u64) -> Script {
        match self {
            Self::Small => Script::small(seed),
            Self::Mixed => Script::mixed(seed),
            Self::Closings => Script::closings(seed),
            Self::People => Script::people(seed),
            Self::Controls => Script::controls(seed),
            Self::Access => Script::access(seed),
            Self::Locks => Script::locks(seed),
            Self::LongLine => Script::long_line(seed),
            Self::ManyUnits => Script::many_units(seed),
            Self::Week => Script::week(seed),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => "small",
            Self::Mixed => "mixed",
            Self::Closings => "closings",
            Self::People => "people",
            Self::Controls => "controls",
            Self::Access => "access",
            Self::Locks => "locks",
            Self::LongLine => "long-line",
            Self::ManyUnits => "many-units",
            Self::Week => "week",
        })
    }
}

impl FromStr for Family {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(|family| family.to_string()).join(", ");
        let found = Self::ALL.into_iter().find(|family| family.to_string() == name);
        found.ok_or_else(|| format!("{name} is no family of scripts. There are {}.", names()))
    }
}
