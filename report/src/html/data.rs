//! What the page's script works on: every account, in few bytes.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::words;
use crate::{Account, Change, Checked, Failure, LastKnown, Outcome, Report, Row, Standing, Status};

/// The data of the page. Whatever repeats is written once and named by its place.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    controls: &'a [String],
    units: Vec<String>,
    texts: Vec<String>,
    /// A moment in words, and how long before the end of the sweep that was.
    times: Vec<(String, String)>,
    /// Cause, message, remedy, and whether trying again can help.
    failures: Vec<(usize, usize, usize, bool)>,
    accounts: Vec<Entry<'a>>,
}

/// One account.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(rename = "i")]
    id: &'a str,
    #[serde(rename = "n")]
    name: &'a str,
    #[serde(rename = "e")]
    email: &'a str,
    #[serde(rename = "s")]
    state: usize,
    #[serde(rename = "u")]
    unit: usize,
    #[serde(rename = "g")]
    standing: char,
    #[serde(rename = "t", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<usize>,
    /// A letter for each control; empty if the account was not looked at.
    #[serde(rename = "c")]
    cells: String,
    #[serde(rename = "d", skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail>,
    #[serde(rename = "w", skip_serializing_if = "Option::is_none")]
    why: Option<usize>,
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    failure: Option<usize>,
    #[serde(rename = "b", skip_serializing_if = "Option::is_none")]
    since: Option<usize>,
    #[serde(rename = "k", skip_serializing_if = "is_false")]
    is_new: bool,
    /// Control, what was wrong, since when.
    #[serde(rename = "l", skip_serializing_if = "Vec::is_empty")]
    last_known: Vec<(usize, usize, usize)>,
}

/// What is to be said of one cell beside its letter.
#[derive(Serialize)]
struct Detail {
    /// The place of the control.
    #[serde(rename = "c")]
    control: usize,
    #[serde(rename = "b", skip_serializing_if = "Option::is_none")]
    since: Option<usize>,
    #[serde(rename = "k", skip_serializing_if = "is_false")]
    is_new: bool,
    #[serde(rename = "p", skip_serializing_if = "Vec::is_empty")]
    differences: Vec<usize>,
    #[serde(rename = "a", skip_serializing_if = "Vec::is_empty")]
    applied: Vec<usize>,
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    failure: Option<usize>,
    /// The reason of an exemption, or why the control is skipped.
    #[serde(rename = "w", skip_serializing_if = "Option::is_none")]
    why: Option<usize>,
    /// The last day of an exemption.
    #[serde(rename = "x", skip_serializing_if = "Option::is_none")]
    until: Option<usize>,
    #[serde(rename = "o", skip_serializing_if = "Vec::is_empty")]
    notes: Vec<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The places of things that repeat.
struct Places<T> {
    of: HashMap<T, usize>,
    all: Vec<T>,
}

impl<T: Clone + Eq + std::hash::Hash> Places<T> {
    fn new() -> Self {
        Self { of: HashMap::new(), all: Vec::new() }
    }

    fn put(&mut self, item: T) -> usize {
        if let Some(&place) = self.of.get(&item) {
            return place;
        }
        self.of.insert(item.clone(), self.all.len());
        self.all.push(item);
        self.all.len() - 1
    }
}

struct Writer<'a> {
    units: Places<String>,
    texts: Places<String>,
    times: Places<Timestamp>,
    failures: Places<Failure>,
    new: std::collections::HashSet<(&'a str, Option<&'a str>)>,
}

/// The letter of a cell.
pub(super) fn letter(status: Status) -> char {
    match status {
        Status::Compliant => 'c',
        Status::Fixed => 'f',
        Status::Drifted => 'd',
        Status::NotConverged => 'v',
        Status::NotReady => 'r',
        Status::Unknown => 'u',
        Status::Exempt => 'e',
        Status::Skipped => 's',
        Status::NotChecked => 'n',
    }
}

pub(super) fn of(report: &Report) -> Data<'_> {
    fn key(change: &Change) -> (&str, Option<&str>) {
        (&change.account_id, change.control.as_deref())
    }
    let mut writer = Writer {
        units: Places::new(),
        texts: Places::new(),
        times: Places::new(),
        failures: Places::new(),
        new: report.new.iter().map(key).collect(),
    };
    let mut accounts: Vec<&Account> = report.sweep.accounts.iter().collect();
    accounts.sort_by_cached_key(|account| (&account.unit, account.name.to_lowercase(), &account.id));
    let accounts = accounts.into_iter().map(|account| writer.entry(account)).collect();
    let failures = std::mem::take(&mut writer.failures.all);
    let failures = failures
        .into_iter()
        .map(|failure| {
            (
                writer.text(&failure.cause),
                writer.text(&failure.message),
                writer.text(&failure.remedy),
                failure.retryable,
            )
        })
        .collect();
    let finished_at = report.sweep.finished_at;
    Data {
        controls: &report.sweep.controls,
        units: writer.units.all,
        texts: writer.texts.all,
        times: writer.times.all.iter().map(|&time| (words::moment(time), words::age(time, finished_at))).collect(),
        failures,
        accounts,
    }
}

impl<'a> Writer<'a> {
    fn text(&mut self, text: &str) -> usize {
        self.texts.put(text.to_owned())
    }

    fn all(&mut self, texts: &[String]) -> Vec<usize> {
        texts.iter().map(|text| self.text(text)).collect()
    }

    fn failure(&mut self, failure: &Failure) -> usize {
        self.failures.put(failure.clone())
    }

    fn entry(&mut self, account: &'a Account) -> Entry<'a> {
        let tags: Vec<_> = account.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let (cells, details) = match &account.checked {
            Checked::Rows(rows) => (
                rows.iter().map(|row| letter(row.outcome.status())).collect(),
                rows.iter().enumerate().filter_map(|(place, row)| self.detail(account, place, row)).collect(),
            ),
            _ => (String::new(), Vec::new()),
        };
        Entry {
            id: &account.id,
            name: &account.name,
            email: &account.email,
            state: self.text(&account.state),
            unit: self.units.put(account.unit.clone()),
            standing: match account.standing() {
                Standing::Compliant => 'c',
                Standing::NotCompliant => 'd',
                Standing::Unknown => 'u',
                Standing::NotChecked => 'n',
            },
            tags: self.all(&tags),
            cells,
            details,
            why: match &account.checked {
                Checked::NotChecked { why } => Some(self.text(why)),
                _ => None,
            },
            failure: match &account.checked {
                Checked::Unknown { failure } => Some(self.failure(failure)),
                _ => None,
            },
            since: account.since.map(|since| self.times.put(since)),
            is_new: self.new.contains(&(account.id.as_str(), None)),
            last_known: account.last_known.iter().map(|known| self.last_known(known)).collect(),
        }
    }

    fn last_known(&mut self, known: &LastKnown) -> (usize, usize, usize) {
        (self.text(&known.control), self.text(&known.headline), self.times.put(known.since))
    }

    /// None for a cell of which there is nothing more to say.
    fn detail(&mut self, account: &Account, place: usize, row: &Row) -> Option<Detail> {
        if matches!(row.outcome, Outcome::Compliant) && row.notes.is_empty() {
            return None;
        }
        Some(Detail {
            control: place,
            since: row.since.map(|since| self.times.put(since)),
            is_new: self.new.contains(&(account.id.as_str(), Some(row.control.as_str()))),
            differences: self.all(row.outcome.differences()),
            applied: self.all(row.outcome.applied()),
            failure: row.outcome.failure().map(|failure| self.failure(failure)),
            why: match &row.outcome {
                Outcome::Exempt { reason: why, .. } | Outcome::Skipped { why } => Some(self.text(why)),
                Outcome::Unrecognised => Some(self.text(&row.outcome.headline())),
                _ => None,
            },
            until: match &row.outcome {
                Outcome::Exempt { until, .. } => Some(self.text(&words::day(*until))),
                _ => None,
            },
            notes: self.all(&row.notes),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::testing::{account, compliant, drifted, not_checked, sweep, unreachable};

    #[test]
    fn every_status_has_a_letter_of_its_own() {
        let letters: BTreeSet<_> = Status::ALL.iter().map(|&status| letter(status)).collect();
        assert_eq!(letters.len(), Status::ALL.len());
    }

    #[test]
    fn an_account_is_one_letter_for_each_control_and_what_is_wrong_is_written_once() {
        let rows = |id| account(id, vec![compliant("regions"), drifted("tags", "tag it")]);
        let report = Report::new(sweep(1, vec![rows("1"), rows("2"), not_checked("3"), unreachable("4")]), None);
        let data: Value = serde_json::to_value(of(&report)).unwrap();
        let cells: Vec<_> = data["accounts"].as_array().unwrap().iter().map(|a| a["c"].as_str().unwrap()).collect();
        assert_eq!(cells, ["cd", "cd", "", ""]);
        assert_eq!(data["texts"].as_array().unwrap().iter().filter(|text| *text == "tag it").count(), 1);
        assert_eq!(data["accounts"][0]["d"], data["accounts"][1]["d"]);
    }

    proptest! {
        #[test]
        fn whatever_a_name_holds_cannot_leave_the_script_element_and_is_read_back_as_it_was(
            name in "(.|</script>|<!--|&amp;|\u{2028})*",
        ) {
            let named = Account { name: name.clone(), ..account("1", vec![compliant("regions")]) };
            let page = Report::new(sweep(1, vec![named]), None).to_html().unwrap();
            let (_, element) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap();
            let (json, _) = element.split_once("</script>").unwrap();
            prop_assert!(!json.contains(['<', '>', '&']));
            let data: Value = serde_json::from_str(json).unwrap();
            prop_assert_eq!(data["accounts"][0]["n"].as_str(), Some(name.as_str()));
        }
    }
}
