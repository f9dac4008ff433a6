//! The keys of the items in the stack's two tables, kind by kind: the one place that names them.
//!
//! IAM lets a function's role read and write items of some kinds alone (`dynamodb:LeadingKeys`). Whoever makes a key takes
//! it from here, so that tests can compare what the template allows with what the code works with.

use std::fmt::Display;

/// One item, with the key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct One(&'static str);

/// Items of one kind: their keys begin alike, up to and with a `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Many(&'static str);

impl One {
    /// Its key.
    pub const fn key(self) -> &'static str {
        self.0
    }
}

impl Many {
    /// The key of one of them.
    pub fn key(self, id: impl Display) -> String {
        format!("{}{id}", self.0)
    }
}

/// One item, or items of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One item.
    One(One),
    /// Items of one kind.
    Many(Many),
}

impl Kind {
    /// The keys of this kind, as IAM's `StringLike` reads it.
    pub fn pattern(self) -> String {
        match self {
            Self::One(One(key)) => key.to_owned(),
            Self::Many(Many(beginning)) => format!("{beginning}*"),
        }
    }
}

/// The request behind an account.
pub const ACCOUNT: Many = Many("account#");
/// From when on the index of accounts is whole.
pub const ACCOUNT_INDEX: One = One("account-index");
/// A listing of accounts that is under way.
pub const ACCOUNT_INDEX_LISTING: One = One("account-index-listing");
/// What was published of people's work, by the event.
pub const ACTIVITY: Many = Many("activity#");
/// Which version of the baseline document was the last good one.
pub const BASELINE_DOCUMENT: One = One("baseline-document");
/// What the document names of accounts and is not there, as the last sweep has found it.
pub const BASELINE_UNMATCHED: One = One("baseline-unmatched");
/// The same of tags.
pub const BASELINE_UNMATCHED_TAGS: One = One("baseline-unmatched-tags");
/// The request behind a call of `CreateAccount`.
pub const CALL: Many = Many("call#");
/// The accounts that are being closed or were, by the account.
pub const CLOSURE: Many = Many("closure#");
/// That the end of a closure was published, by the account and the closure.
pub const CLOSURE_END: Many = Many("closure-end#");
/// How many requests were admitted, by the day.
pub const DAY: Many = Many("day#");
/// The index of accounts, by address.
pub const EMAIL: Many = Many("email#");
/// The changes of primary e-mail addresses, by the account.
pub const EMAIL_CHANGE: Many = Many("email-change#");
/// The joinings of accounts that are known.
pub const KNOWN_ACCOUNT: Many = Many("known-account#");
/// The requests that AWS is working on.
pub const IN_FLIGHT: One = One("in-flight");
/// When the stack has begun to watch the organization.
pub const INSTALLATION: One = One("installation");
/// Which looks at something were taken, by the function and the chain of its reminders.
pub const LOOK: Many = Many("look#");
/// How many mails an account has caused in an hour.
pub const MAILS: Many = Many("mails#");
/// The days on which the users of the jump account were reviewed.
pub const JUMP_REVIEW: Many = Many("jump-review#");
/// The sweep that may change accounts.
pub const REMEDIATING_SWEEP: One = One("remediating-sweep");
/// The accounts that the document has named, where there is no organization.
pub const NAMED_ACCOUNTS: One = One("named-accounts");
/// The index of accounts, by name.
pub const NAME: Many = Many("name#");
/// What was mailed, by what it is about.
pub const NOTIFICATION: Many = Many("notification#");
/// What was published of regions, by the change.
pub const REGION: Many = Many("region#");
/// What is known of a region: calls, and statuses that were announced.
pub const REGION_MARKS: Many = Many("region-marks#");
/// The requests for accounts.
pub const REQUEST: Many = Many("request#");
/// How many accounts a sweep has changed, and whether it has stopped.
pub const SWEEP_BRAKE: One = One("sweep-brake");
/// The switch that turns every apply into a plan. People put it there; no function may.
pub const SWITCH: One = One("switch");
/// Who works on an account by hand, by the function.
pub const TURN: Many = Many("turn#");
/// Which items that cannot be read were published.
pub const UNREADABLE: Many = Many("unreadable#");

/// The kinds of items in the table that functions work with.
pub const TABLE: &[Kind] = &[
    Kind::Many(ACCOUNT),
    Kind::One(ACCOUNT_INDEX),
    Kind::One(ACCOUNT_INDEX_LISTING),
    Kind::Many(ACTIVITY),
    Kind::One(BASELINE_DOCUMENT),
    Kind::One(BASELINE_UNMATCHED),
    Kind::One(BASELINE_UNMATCHED_TAGS),
    Kind::Many(CALL),
    Kind::Many(CLOSURE),
    Kind::Many(CLOSURE_END),
    Kind::Many(DAY),
    Kind::Many(EMAIL),
    Kind::Many(EMAIL_CHANGE),
    Kind::Many(KNOWN_ACCOUNT),
    Kind::One(IN_FLIGHT),
    Kind::One(INSTALLATION),
    Kind::Many(JUMP_REVIEW),
    Kind::Many(LOOK),
    Kind::Many(MAILS),
    Kind::One(REMEDIATING_SWEEP),
    Kind::Many(NAME),
    Kind::One(NAMED_ACCOUNTS),
    Kind::Many(NOTIFICATION),
    Kind::Many(REGION),
    Kind::Many(REGION_MARKS),
    Kind::Many(REQUEST),
    Kind::One(SWEEP_BRAKE),
    Kind::One(SWITCH),
    Kind::Many(TURN),
    Kind::Many(UNREADABLE),
];

/// The sparse index of what has something left to do, or is to be found together: its name, and the attribute that is its key.
pub const OPEN_INDEX: (&str, &str) = ("open-requests", "open");

/// What was done to close an account, or to call that off.
pub const ACCOUNT_CLOSURE: Many = Many("account-closure#");
/// What was changed of accounts: addresses, names and contacts.
pub const ACCOUNT_UPDATE: Many = Many("account-update#");
/// The version and the SHA-256 of a policy that was backed up.
pub const BACKUP: Many = Many("backup#");
/// What was changed of a user of the jump account.
pub const JUMP_USER: Many = Many("jump-user#");
/// What was changed of the organization.
pub const ORGANIZATION: Many = Many("organization#");
/// The root sessions that were opened.
pub const ROOT_SESSION: Many = Many("root-session#");
/// What was done in root sessions.
pub const ROOT_TASK: Many = Many("root-task#");

/// The kinds of items in the journal.
pub const JOURNAL: &[Kind] = &[
    Kind::Many(ACCOUNT_CLOSURE),
    Kind::Many(ACCOUNT_UPDATE),
    Kind::Many(BACKUP),
    Kind::Many(JUMP_USER),
    Kind::Many(ORGANIZATION),
    Kind::Many(ROOT_SESSION),
    Kind::Many(ROOT_TASK),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_one_kind_are_of_no_other() {
        for kinds in [TABLE, JOURNAL] {
            for (position, kind) in kinds.iter().enumerate() {
                for other in kinds.iter().skip(position + 1) {
                    let (one, two) = (kind.pattern(), other.pattern());
                    let is_within = |key: &str, pattern: &str| match pattern.strip_suffix('*') {
                        Some(beginning) => key.starts_with(beginning),
                        None => key == pattern,
                    };
                    assert!(!is_within(&one, &two) && !is_within(&two, &one), "{one} and {two}");
                }
            }
        }
    }

    #[test]
    fn keys_are_what_tables_of_earlier_versions_hold() {
        assert_eq!(REQUEST.key("req-1"), "request#req-1");
        assert_eq!(SWITCH.key(), "switch");
        assert_eq!(Kind::Many(REGION_MARKS).pattern(), "region-marks#*");
        assert_eq!(Kind::One(REMEDIATING_SWEEP).pattern(), "remediating-sweep");
    }
}
