//! What changed between two sweeps, and since when each thing is wrong.

use std::collections::HashMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Account, Checked, Failure, LastKnown, Organization, Report, Row, Sweep};

/// What kind of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was seen to differ.
    NotCompliant,
    /// It could not be found out.
    Unknown,
}

/// Something that is new, or was resolved, since the report before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The account; of what is about the organization as a whole, the id of the organization.
    pub account_id: String,
    /// Its name.
    pub account_name: String,
    /// The control. None if it is about the account as a whole, which could not be looked at.
    pub control: Option<String>,
    /// What kind of finding it is, or was.
    pub kind: Kind,
    /// What is wrong, or was.
    pub headline: String,
    /// The end of the first sweep in a row that saw it so.
    pub since: Timestamp,
    /// Where it was resolved: what was found instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

/// An account of the report before that the sweep no longer met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    /// The account.
    pub account_id: String,
    /// Its name, when it was last seen.
    pub account_name: String,
    /// The path of the unit in which it was last seen.
    pub unit: String,
    /// How many findings were open in it.
    pub open: usize,
}

/// What the organization as a whole is called where accounts have names.
pub(crate) const ORGANIZATION: &str = "The organization";

/// What was looked at: an account, or the organization as a whole, whose id is that of the organization.
#[derive(Clone, Copy)]
struct Subject<'a> {
    id: &'a str,
    name: &'a str,
    checked: &'a Checked,
    since: Option<Timestamp>,
    last_known: &'a [LastKnown],
}

/// The organization, then every account.
fn subjects(sweep: &Sweep) -> impl Iterator<Item = Subject<'_>> {
    let organization = sweep.organization.iter().map(|organization| Subject {
        id: &sweep.organization_id,
        name: ORGANIZATION,
        checked: &organization.checked,
        since: organization.since,
        last_known: &organization.last_known,
    });
    let accounts = sweep.accounts.iter().map(|account| Subject {
        id: &account.id,
        name: &account.name,
        checked: &account.checked,
        since: account.since,
        last_known: &account.last_known,
    });
    organization.chain(accounts)
}

/// What was found, from which its headline is made when it is asked for: most of a large report is never shown as a change.
#[derive(Clone, Copy)]
enum Seen<'a> {
    Row(&'a Row),
    Failure(&'a Failure),
    Known(&'a LastKnown),
}

impl Seen<'_> {
    fn headline(self) -> String {
        match self {
            Self::Row(row) => row.outcome.headline(),
            Self::Failure(failure) => failure.headline(),
            Self::Known(known) => known.headline.clone(),
        }
    }
}

/// What a report has open, by account, control and kind. The control is None for an account as a whole.
type Open<'a> = HashMap<(&'a str, Option<&'a str>, Kind), (Timestamp, Seen<'a>)>;

/// The findings of one subject in a finished report, without those that are only remembered.
fn findings(subject: Subject<'_>, finished_at: Timestamp) -> Vec<(Option<&str>, Kind, Timestamp, Seen<'_>)> {
    match subject.checked {
        Checked::Rows(rows) => rows.iter().filter_map(|row| finding(row, finished_at)).collect(),
        Checked::Unknown { failure } => {
            vec![(None, Kind::Unknown, subject.since.unwrap_or(finished_at), Seen::Failure(failure))]
        }
        Checked::NotChecked { .. } => Vec::new(),
    }
}

fn finding(row: &Row, finished_at: Timestamp) -> Option<(Option<&str>, Kind, Timestamp, Seen<'_>)> {
    let kind = row.outcome.status().kind()?;
    Some((Some(&row.control), kind, row.since.unwrap_or(finished_at), Seen::Row(row)))
}

fn open(report: &Report) -> Open<'_> {
    let mut open = Open::new();
    for subject in subjects(&report.sweep) {
        for (control, kind, since, seen) in findings(subject, report.sweep.finished_at) {
            open.insert((subject.id, control, kind), (since, seen));
        }
        for known in subject.last_known {
            let key = (subject.id, Some(known.control.as_str()), Kind::NotCompliant);
            open.entry(key).or_insert((known.since, Seen::Known(known)));
        }
    }
    open
}

/// Writes into every finding since when it is so, and into every account what could not be looked at again.
pub(crate) fn date(sweep: &mut Sweep, previous: Option<&Report>) {
    let before = previous.map(open).unwrap_or_default();
    let seen_before: HashMap<&str, Subject<'_>> =
        previous.iter().flat_map(|report| subjects(&report.sweep)).map(|subject| (subject.id, subject)).collect();
    let remembered = |id: &str| {
        previous.zip(seen_before.get(id)).map_or_else(Vec::new, |(report, subject)| remembered(*subject, report))
    };
    let finished_at = sweep.finished_at;
    let date =
        |id: &str, checked: &mut Checked, open_since: &mut Option<Timestamp>, last_known: &mut Vec<LastKnown>| {
            let since =
                |control: Option<&str>, kind| before.get(&(id, control, kind)).map_or(finished_at, |(since, _)| *since);
            match checked {
                Checked::Rows(rows) => {
                    for row in rows.iter_mut() {
                        row.since = row.outcome.status().kind().map(|kind| since(Some(&row.control), kind));
                    }
                    let is_unknown = |row: &&Row| row.outcome.status().kind() == Some(Kind::Unknown);
                    let unknown: Vec<&str> = rows.iter().filter(is_unknown).map(|row| row.control.as_str()).collect();
                    let known = if unknown.is_empty() { Vec::new() } else { remembered(id) };
                    let is_unknown = |known: &LastKnown| unknown.contains(&known.control.as_str());
                    *last_known = known.into_iter().filter(is_unknown).collect();
                }
                Checked::Unknown { .. } => {
                    *open_since = Some(since(None, Kind::Unknown));
                    *last_known = remembered(id);
                }
                Checked::NotChecked { .. } => *last_known = remembered(id),
            }
        };
    if let Some(organization) = &mut sweep.organization {
        let Organization { checked, since, last_known } = organization;
        date(&sweep.organization_id, checked, since, last_known);
    }
    for Account { id, checked, since, last_known, .. } in &mut sweep.accounts {
        date(id, checked, since, last_known);
    }
}

/// What was last seen not compliant in a subject of a report, in the order of its rows.
fn remembered(subject: Subject<'_>, report: &Report) -> Vec<LastKnown> {
    let seen = findings(subject, report.sweep.finished_at).into_iter().filter_map(|(control, kind, since, seen)| {
        let control = control.filter(|_| kind == Kind::NotCompliant)?.to_owned();
        Some(LastKnown { control, headline: seen.headline(), since })
    });
    seen.chain(subject.last_known.iter().cloned()).collect()
}

/// What the sweep found that the report before did not have. A first report has nothing to compare with.
pub(crate) fn new(sweep: &Sweep, previous: Option<&Report>) -> Vec<Change> {
    let Some(previous) = previous else { return Vec::new() };
    let before = open(previous);
    let mut changes = Vec::new();
    for subject in subjects(sweep) {
        for (control, kind, since, seen) in findings(subject, sweep.finished_at) {
            if !before.contains_key(&(subject.id, control, kind)) {
                changes.push(change(subject, control, (kind, since, seen.headline()), None));
            }
        }
    }
    changes
}

/// What the report before had open and the sweep saw as it should be.
pub(crate) fn resolved(sweep: &Sweep, previous: Option<&Report>) -> Vec<Change> {
    let Some(previous) = previous else { return Vec::new() };
    let before = open(previous);
    let mut changes = Vec::new();
    for subject in subjects(sweep) {
        let Checked::Rows(rows) = subject.checked else { continue };
        if let Some((since, seen)) = before.get(&(subject.id, None, Kind::Unknown)) {
            let now = Some("it can be looked at again".to_owned());
            changes.push(change(subject, None, (Kind::Unknown, *since, seen.headline()), now));
        }
        for row in rows.iter().filter(|row| row.outcome.status().kind().is_none()) {
            let of = |kind| before.get(&(subject.id, Some(row.control.as_str()), kind)).map(|was| (kind, was));
            // What was wrong says more than that it could not be looked at in between.
            if let Some((kind, (since, seen))) = of(Kind::NotCompliant).or_else(|| of(Kind::Unknown)) {
                let now = Some(row.outcome.headline());
                changes.push(change(subject, Some(&row.control), (kind, *since, seen.headline()), now));
            }
        }
    }
    changes
}

fn change(
    subject: Subject<'_>,
    control: Option<&str>,
    (kind, since, headline): (Kind, Timestamp, String),
    now: Option<String>,
) -> Change {
    Change {
        account_id: subject.id.to_owned(),
        account_name: subject.name.to_owned(),
        control: control.map(str::to_owned),
        kind,
        headline,
        since,
        now,
    }
}

/// The accounts that the sweep no longer met.
pub(crate) fn gone(sweep: &Sweep, previous: Option<&Report>) -> Vec<Gone> {
    let Some(previous) = previous else { return Vec::new() };
    let met: std::collections::HashSet<&str> = sweep.accounts.iter().map(|account| account.id.as_str()).collect();
    let mut open = HashMap::new();
    for subject in subjects(&previous.sweep) {
        open.insert(subject.id, findings(subject, previous.sweep.finished_at).len() + subject.last_known.len());
    }
    let gone = |account: &Account| Gone {
        account_id: account.id.clone(),
        account_name: account.name.clone(),
        unit: account.unit.clone(),
        open: open.get(account.id.as_str()).copied().unwrap_or_default(),
    };
    previous.sweep.accounts.iter().filter(|account| !met.contains(account.id.as_str())).map(gone).collect()
}

#[cfg(test)]
mod tests;
