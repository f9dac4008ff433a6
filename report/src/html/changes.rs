//! What is new and what was resolved, shown once for all accounts in which it is the same.

use std::collections::HashMap;

use jiff::Timestamp;

use super::words;
use crate::{Change, Kind};

/// How many groups a list has in the page, and how many accounts a group.
const MOST_GROUPS: usize = 30;
const MOST_ACCOUNTS: usize = 12;

/// The changes of one list.
pub(super) struct Groups<'a> {
    pub(super) number: usize,
    pub(super) all: Vec<Group<'a>>,
    /// How many groups are left out.
    pub(super) more: usize,
}

/// The same change in some accounts.
pub(super) struct Group<'a> {
    pub(super) control: Option<&'a str>,
    pub(super) is_unknown: bool,
    pub(super) headline: &'a str,
    pub(super) now: Option<&'a str>,
    /// Name, id, and how long it is, or was, so.
    pub(super) accounts: Vec<(&'a str, &'a str, String)>,
    /// How many accounts are left out.
    pub(super) more: usize,
}

/// The groups, those with the most accounts first.
pub(super) fn groups(changes: &[Change], finished_at: Timestamp) -> Groups<'_> {
    let mut places = HashMap::new();
    let mut all: Vec<Group<'_>> = Vec::new();
    for change in changes {
        let key = (&change.control, change.kind, &change.headline, &change.now);
        let place = *places.entry(key).or_insert_with(|| {
            all.push(Group {
                control: change.control.as_deref(),
                is_unknown: change.kind == Kind::Unknown,
                headline: &change.headline,
                now: change.now.as_deref(),
                accounts: Vec::new(),
                more: 0,
            });
            all.len() - 1
        });
        let group = &mut all[place];
        if group.accounts.len() < MOST_ACCOUNTS {
            let age = words::age(change.since, finished_at);
            group.accounts.push((&change.account_name, &change.account_id, age));
        } else {
            group.more += 1;
        }
    }
    all.sort_by_key(|group| std::cmp::Reverse(group.accounts.len() + group.more));
    let more = all.len().saturating_sub(MOST_GROUPS);
    all.truncate(MOST_GROUPS);
    Groups { number: changes.len(), all, more }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Report,
        testing::{account, compliant, day, drifted, sweep},
    };

    #[test]
    fn what_is_the_same_in_many_accounts_is_reported_once() {
        let ids: Vec<String> = (0..20).map(|id| id.to_string()).collect();
        let all = |row: fn() -> crate::Row| ids.iter().map(|id| account(id, vec![row()])).collect::<Vec<_>>();
        let before = Report::new(sweep(1, all(|| compliant("tags"))), None);
        let mut now = all(|| drifted("tags", "tag it"));
        now[3] = account("3", vec![drifted("tags", "something else")]);
        let report = Report::new(sweep(2, now), Some(&before));
        let groups = groups(&report.new, day(2));
        assert_eq!((groups.number, groups.all.len(), groups.more), (20, 2, 0));
        assert_eq!((groups.all[0].headline, groups.all[0].accounts.len(), groups.all[0].more), ("tag it", 12, 7));
        assert_eq!(groups.all[1].accounts[0].0, "Account 3");
    }
}
