use proptest::prelude::*;

use super::*;
use crate::{
    Standing, TREND_LENGTH,
    testing::{account, compliant, day, drifted, exempt, fixed, not_checked, sweep, unknown, unreachable},
};

/// The reports of sweeps of the same account, each compared with the one before, day by day.
fn days(found: impl IntoIterator<Item = Account>) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    for (number, account) in (1..).zip(found) {
        let report = Report::new(sweep(number, vec![account]), reports.last());
        // What the next report is compared with has been a file in between.
        reports.push(Report::from_json(&report.to_json().unwrap()).unwrap());
    }
    reports
}

fn rows(row: Row) -> Account {
    account("1", vec![row])
}

fn since(report: &Report) -> Option<Timestamp> {
    let Checked::Rows(rows) = &report.sweep.accounts[0].checked else { panic!("no rows") };
    rows[0].since
}

fn entries(changes: &[Change]) -> Vec<(Option<&str>, Kind, &str)> {
    changes.iter().map(|change| (change.control.as_deref(), change.kind, change.headline.as_str())).collect()
}

#[test]
fn a_finding_keeps_the_day_of_the_first_sweep_in_a_row_that_saw_it() {
    let reports = days([
        rows(drifted("tags", "a")),
        rows(drifted("tags", "b")),
        rows(compliant("tags")),
        rows(drifted("tags", "b")),
        rows(drifted("tags", "b")),
    ]);
    let seen: Vec<_> = reports.iter().map(since).collect();
    assert_eq!(seen, [Some(day(1)), Some(day(1)), None, Some(day(4)), Some(day(4))]);
}

#[test]
fn a_first_report_calls_nothing_new_or_resolved() {
    let report = &days([rows(drifted("tags", "a"))])[0];
    assert!(report.new.is_empty() && report.resolved.is_empty() && report.gone.is_empty());
    assert_eq!(report.compared_with, None);
}

#[test]
fn new_is_what_was_not_there_before_and_resolved_what_is_now_as_it_should_be() {
    let reports = days([
        rows(compliant("tags")),
        rows(drifted("tags", "a")),
        rows(drifted("tags", "a")),
        rows(fixed("tags", "a")),
    ]);
    assert_eq!(entries(&reports[1].new), [(Some("tags"), Kind::NotCompliant, "a")]);
    assert!(reports[2].new.is_empty() && reports[2].resolved.is_empty());
    assert_eq!(entries(&reports[3].resolved), [(Some("tags"), Kind::NotCompliant, "a")]);
    assert_eq!((reports[3].resolved[0].since, reports[3].resolved[0].now.as_deref()), (day(2), Some("a")));
}

#[test]
fn an_exemption_resolves_and_says_so() {
    let reports = days([rows(drifted("tags", "a")), rows(exempt("tags", "2027-03-31"))]);
    assert_eq!(reports[1].resolved[0].now.as_deref(), Some("exempt until 2027-03-31: migration"));
    assert_eq!(reports[1].exemptions.len(), 1);
}

#[test]
fn a_sweep_that_could_not_look_neither_resolves_a_finding_nor_forgets_its_day() {
    for blind in [rows(unknown("tags")), unreachable("1"), not_checked("1")] {
        let reports = days([rows(drifted("tags", "a")), blind.clone(), blind, rows(drifted("tags", "a"))]);
        for report in &reports[1..3] {
            assert!(report.resolved.is_empty());
            let known = &report.sweep.accounts[0].last_known;
            assert_eq!((known.len(), known[0].headline.as_str(), known[0].since), (1, "a", day(1)));
        }
        assert!(reports[3].new.is_empty(), "{:?}", reports[3].new);
        assert_eq!(since(&reports[3]), Some(day(1)));
        assert!(reports[3].sweep.accounts[0].last_known.is_empty());
    }
}

#[test]
fn what_was_unknown_and_is_now_seen_to_differ_is_new() {
    let reports = days([rows(unknown("tags")), rows(drifted("tags", "a"))]);
    assert_eq!(entries(&reports[1].new), [(Some("tags"), Kind::NotCompliant, "a")]);
    assert_eq!(since(&reports[1]), Some(day(2)));
    assert!(reports[1].resolved.is_empty());
}

#[test]
fn an_account_that_cannot_be_looked_at_is_one_finding_and_not_one_for_each_control() {
    let reports = days([rows(compliant("tags")), unreachable("1"), unreachable("1"), rows(compliant("tags"))]);
    assert_eq!(
        entries(&reports[1].new),
        [(None, Kind::Unknown, "DeadlineExceeded: It took longer than Steward waits.")]
    );
    assert_eq!(reports[2].sweep.accounts[0].since, Some(day(2)));
    assert!(reports[2].new.is_empty());
    assert_eq!(reports[3].resolved[0].now.as_deref(), Some("it can be looked at again"));
}

#[test]
fn an_account_that_vanished_is_gone_and_its_findings_are_not_resolved() {
    let before = Report::new(sweep(1, vec![account("1", vec![drifted("tags", "a")]), account("2", vec![])]), None);
    let report = Report::new(sweep(2, vec![account("2", vec![])]), Some(&before));
    assert_eq!(report.gone.iter().map(|gone| (gone.account_id.as_str(), gone.open)).collect::<Vec<_>>(), [("1", 1)]);
    assert!(report.resolved.is_empty());
}

#[test]
fn the_trend_holds_the_last_sweeps_and_each_of_them_once() {
    let mut report = Report::new(sweep(1, vec![rows(compliant("tags"))]), None);
    for number in 2..=31 {
        report = Report::new(sweep(number, vec![rows(drifted("tags", "a"))]), Some(&report));
    }
    assert_eq!(report.trend.len(), TREND_LENGTH);
    assert_eq!((report.trend[0].sweep_id.as_str(), report.trend[29].sweep_id.as_str()), ("sweep-2", "sweep-31"));
    let again = Report::new(sweep(31, vec![rows(compliant("tags"))]), Some(&report));
    assert_eq!((again.trend.len(), again.trend[29].accounts.compliant), (TREND_LENGTH, 1));
}

#[test]
fn the_report_of_another_organization_is_not_compared_with() {
    let before = Report::new(sweep(1, vec![rows(compliant("tags"))]), None);
    let mut other = sweep(2, vec![rows(drifted("tags", "a"))]);
    other.organization_id = "o-anotherone".into();
    let report = Report::new(other, Some(&before));
    assert!(report.new.is_empty() && report.gone.is_empty() && report.trend.len() == 1);
}

#[test]
fn a_report_with_fields_that_nobody_knows_is_read() {
    let report = Report::new(sweep(1, vec![rows(drifted("tags", "a"))]), None);
    let mut json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    json["later"] = 1.into();
    json["sweep"]["later"] = 1.into();
    json["sweep"]["accounts"][0]["later"] = 1.into();
    json["sweep"]["accounts"][0]["checked"]["rows"][0]["later"] = 1.into();
    assert_eq!(Report::from_json(&json.to_string()).unwrap(), report);
}

/// Whatever can be found in an account.
fn any_account() -> impl Strategy<Value = Account> {
    let row = prop_oneof![
        Just(compliant("tags")),
        Just(drifted("tags", "a")),
        Just(unknown("tags")),
        Just(fixed("tags", "a")),
        Just(exempt("tags", "2027-03-31"))
    ];
    (0..6_u8, prop_oneof![row.prop_map(Some), Just(None)], any::<bool>()).prop_map(|(id, row, asleep)| {
        let id = id.to_string();
        match (row, asleep) {
            (Some(row), _) => account(&id, vec![row]),
            (None, true) => not_checked(&id),
            (None, false) => unreachable(&id),
        }
    })
}

proptest! {
    #[test]
    fn every_account_is_there_once_and_the_numbers_add_up(
        first in proptest::collection::vec(any_account(), 0..12),
        second in proptest::collection::vec(any_account(), 0..12),
    ) {
        let ids: std::collections::BTreeSet<String> = second.iter().map(|account| account.id.clone()).collect();
        let before = Report::new(sweep(1, first), None);
        let report = Report::new(sweep(2, second), Some(&before));
        let accounts = &report.sweep.accounts;
        prop_assert_eq!(accounts.len(), ids.len());
        prop_assert!(accounts.iter().all(|account| ids.contains(&account.id)));
        let totals = report.totals.accounts;
        prop_assert_eq!(totals.compliant + totals.not_compliant + totals.unknown + totals.not_checked, accounts.len());
        // Nothing is both new and resolved, and what is resolved stands in an account that was looked at.
        for change in &report.resolved {
            let of = |new: &&Change| (&new.account_id, &new.control) == (&change.account_id, &change.control);
            prop_assert!(!report.new.iter().any(|new| of(&new)));
            let account = accounts.iter().find(|account| account.id == change.account_id).unwrap();
            prop_assert_ne!(account.standing(), Standing::NotChecked);
        }
        prop_assert_eq!(Report::from_json(&report.to_json().unwrap()).unwrap(), report);
    }
}
