//! `report.csv`: a line for each account and control, after one for each organization check; safe to open in a spreadsheet.

use jiff::Timestamp;
use sheet::Terminator;

use crate::{Account, Checked, Failure, Outcome, Report, Row, Status, history::ORGANIZATION};

const HEADINGS: [&str; 17] = [
    "account_id",
    "account_name",
    "email",
    "state",
    "unit",
    "tags",
    "control",
    "outcome",
    "since",
    "headline",
    "differences",
    "applied",
    "cause",
    "message",
    "remedy",
    "exempt_until",
    "finished_at",
];

pub(crate) fn write(report: &Report) -> Result<String, sheet::Error> {
    let finished_at = report.sweep.finished_at.to_string();
    let organization = report.sweep.organization.iter().map(|organization| {
        let id = [&report.sweep.organization_id, ORGANIZATION, "", "", ""].map(ToOwned::to_owned);
        (id, String::new(), &organization.checked, organization.since)
    });
    let accounts = report.sweep.accounts.iter().map(|account| {
        let Account { id, name, email, state, unit, .. } = account;
        let tags: Vec<_> = account.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        ([id, name, email, state, unit].map(Clone::clone), tags.join("; "), &account.checked, account.since)
    });
    let rows = organization.chain(accounts).flat_map(|(whose, tags, checked, since)| {
        let finished_at = &finished_at;
        lines(checked, since).into_iter().map(move |line| {
            let cells = whose.iter().cloned().chain([tags.clone()]).chain(line.cells()).chain([finished_at.clone()]);
            cells.collect::<Vec<_>>()
        })
    });
    sheet::table(Terminator::CRLF, HEADINGS, rows)
}

fn lines(checked: &Checked, since: Option<Timestamp>) -> Vec<Line<'_>> {
    match checked {
        Checked::Rows(rows) => rows.iter().map(of_row).collect(),
        // An account that was not looked at has one line, so that no account is ever missing.
        Checked::NotChecked { why } => vec![Line { headline: why.clone(), ..Line::new(Status::NotChecked) }],
        Checked::Unknown { failure } => vec![Line {
            since: since.map(|since| since.to_string()),
            headline: failure.headline(),
            failure: Some(failure),
            ..Line::new(Status::Unknown)
        }],
    }
}

/// What one line says beside its account and the time.
struct Line<'a> {
    control: &'a str,
    status: Status,
    since: Option<String>,
    headline: String,
    differences: &'a [String],
    applied: &'a [String],
    failure: Option<&'a Failure>,
    until: Option<String>,
}

impl Line<'_> {
    fn new(status: Status) -> Self {
        Self {
            control: "",
            status,
            since: None,
            headline: String::new(),
            differences: &[],
            applied: &[],
            failure: None,
            until: None,
        }
    }

    fn cells(&self) -> [String; 10] {
        let failure = |part: fn(&Failure) -> &String| self.failure.map(part).cloned().unwrap_or_default();
        [
            self.control.to_owned(),
            self.status.name().to_owned(),
            self.since.clone().unwrap_or_default(),
            self.headline.clone(),
            self.differences.join("; "),
            self.applied.join("; "),
            failure(|failure| &failure.cause),
            failure(|failure| &failure.message),
            failure(|failure| &failure.remedy),
            self.until.clone().unwrap_or_default(),
        ]
    }
}

fn of_row(row: &Row) -> Line<'_> {
    Line {
        control: &row.control,
        status: row.outcome.status(),
        since: row.since.map(|since| since.to_string()),
        headline: row.outcome.headline(),
        differences: row.outcome.differences(),
        applied: row.outcome.applied(),
        failure: row.outcome.failure(),
        until: match &row.outcome {
            Outcome::Exempt { until, .. } => Some(until.to_string()),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{account, compliant, drifted, exempt, not_checked, sweep, unreachable};

    fn records(report: &Report) -> Vec<Vec<String>> {
        let csv = write(report).unwrap();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_account_has_a_line_for_each_control_or_one_that_says_why_not() {
        let report = Report::new(
            sweep(
                1,
                vec![
                    account("1", vec![compliant("regions"), drifted("tags", "tag it")]),
                    account("2", vec![exempt("regions", "2027-03-31"), compliant("tags")]),
                    not_checked("3"),
                    unreachable("4"),
                ],
            ),
            None,
        );
        let lines: Vec<_> =
            records(&report).into_iter().map(|r| [&r[0], &r[6], &r[7], &r[15]].map(String::from).join(" ")).collect();
        assert_eq!(
            lines,
            [
                "1 regions compliant ",
                "1 tags drifted ",
                "2 regions exempt 2027-03-31",
                "2 tags compliant ",
                "3  not_checked ",
                "4  unknown "
            ]
        );
    }

    #[test]
    fn the_organization_has_a_line_for_each_check_before_the_accounts() {
        let mut sweep = sweep(1, vec![account("1", vec![compliant("regions")])]);
        let rows = vec![drifted("organization-trail", "make it"), compliant("billing-alerts")];
        sweep.organization = Some(Checked::Rows(rows).into());
        let records = records(&Report::new(sweep, None));
        let lines: Vec<_> = records.iter().map(|r| [&r[0], &r[1], &r[6], &r[7], &r[10]].map(String::as_str)).collect();
        assert_eq!(
            lines[..2],
            [
                ["o-exampleorgid", "The organization", "organization-trail", "drifted", "make it"],
                ["o-exampleorgid", "The organization", "billing-alerts", "compliant", ""],
            ]
        );
        assert_eq!(lines[2][2], "regions");
    }

    #[test]
    fn a_name_that_is_a_formula_is_only_text() {
        for name in ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            let named = crate::Account { name: name.into(), ..account("1", vec![compliant("regions")]) };
            assert_eq!(records(&Report::new(sweep(1, vec![named]), None))[0][1], format!("'{name}"));
        }
    }

    #[test]
    fn commas_quotes_and_line_ends_stay_in_their_cell() {
        let name = "a, \"b\"\r\nc";
        let named = crate::Account { name: name.into(), ..account("1", vec![compliant("regions")]) };
        let report = Report::new(sweep(1, vec![named]), None);
        assert!(write(&report).unwrap().contains("\"a, \"\"b\"\"\r\nc\""));
        assert_eq!(records(&report)[0][1], name);
    }

    proptest! {
        #[test]
        fn no_cell_begins_like_a_formula_and_none_is_lost(name in any::<String>(), tag in any::<String>()) {
            let mut hostile = account("1", vec![compliant("regions")]);
            hostile.name.clone_from(&name);
            hostile.tags = [(tag, "x".to_owned())].into();
            let records = records(&Report::new(sweep(1, vec![hostile]), None));
            prop_assert_eq!(records.len(), 1);
            prop_assert_eq!(records[0].len(), HEADINGS.len());
            prop_assert_eq!(records[0][1].trim_start_matches('\''), name.trim_start_matches('\''));
            for cell in &records[0] {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
            }
        }
    }
}
