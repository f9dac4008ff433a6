//! What is fixed when the report of a sweep is first made, so that the same report is made when it is published again.

use compliance_report::Report;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward::sweep::{Listing, SweepId};

use crate::gather::BatchEnd;

/// What the report of one sweep is made of, beside what the batches have found. It lies beside the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Publication {
    /// The end of the sweep.
    pub(crate) finished_at: Timestamp,
    /// The batches that have failed, as the state machine has seen it.
    pub(crate) results: Vec<BatchEnd>,
    /// The key of the report that it is compared with; None when there is none.
    pub(crate) compared_with: Option<String>,
    /// What people are to know of the comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// What lies at the key of a report.
#[derive(Debug)]
pub(crate) enum Stored {
    /// Nothing.
    Nothing,
    /// Something that cannot be parsed.
    Unreadable,
    /// A report.
    Report(Box<Report>),
}

/// Where the report of a sweep is.
pub(crate) fn folder(sweep: &SweepId, started_at: Timestamp) -> String {
    format!("reports/{}/{sweep}", started_at.strftime("%Y-%m-%d"))
}

impl Publication {
    /// What is fixed now, with this as the newest report. A sweep is compared with the newest report of an earlier one.
    pub(crate) fn first(listing: &Listing, latest: &Stored, results: Vec<BatchEnd>, now: Timestamp) -> Self {
        let left_out = |why: &str| (None, Some(why.to_owned()));
        let (compared_with, note) = match latest {
            Stored::Nothing => (None, None),
            Stored::Unreadable => left_out("The report before cannot be parsed, so nothing is compared with it."),
            // Published already, by hand or by a version that did not keep this.
            Stored::Report(latest) if latest.sweep.sweep_id == listing.sweep_id.as_str() => {
                (latest.compared_with.as_deref().and_then(key_of), None)
            }
            Stored::Report(latest) if latest.sweep.started_at > listing.started_at => {
                left_out("A later sweep was reported before this one, so nothing is compared.")
            }
            Stored::Report(latest) => (key_of(&latest.sweep.sweep_id), None),
        };
        Self { finished_at: now, results, compared_with, note }
    }
}

/// The key of the report of a sweep, whose name begins with the day on which it began.
fn key_of(sweep_id: &str) -> Option<String> {
    let sweep: SweepId = sweep_id.parse().ok()?;
    let (day, _) = sweep_id.split_once('T')?;
    Some(format!("reports/{day}/{sweep}/report.json"))
}

/// Whether the report of a sweep takes the place of the newest one: never of one of a later sweep.
pub(crate) fn is_newest(listing: &Listing, latest: &Stored) -> bool {
    match latest {
        Stored::Nothing | Stored::Unreadable => true,
        Stored::Report(latest) => latest.sweep.started_at <= listing.started_at,
    }
}

/// The report that a sweep is compared with, and what people are to know when it cannot be.
pub(crate) fn predecessor(publication: &Publication, stored: Stored) -> (Option<Report>, Option<String>) {
    match (stored, &publication.compared_with) {
        (Stored::Report(report), _) => (Some(*report), publication.note.clone()),
        (_, None) => (None, publication.note.clone()),
        (Stored::Nothing, Some(key)) => {
            (None, Some(format!("The report before, {key}, is gone, so nothing is compared.")))
        }
        (Stored::Unreadable, Some(key)) => {
            (None, Some(format!("The report before, {key}, cannot be parsed, so nothing is compared with it.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use compliance_report::{Sweep, Trigger};
    use jiff::SignedDuration;

    use super::*;

    fn noon(day: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap() + SignedDuration::from_hours(24 * day)
    }

    fn listing(day: i64) -> Listing {
        Listing {
            sweep_id: SweepId::of_execution("execution", noon(day)),
            trigger: "schedule".to_owned(),
            organization_id: "o-exampleorgid".to_owned(),
            started_at: noon(day),
            controls: Vec::new(),
            note: "Nothing was changed.".to_owned(),
            account_arns: "arn:aws:organizations::111111111111:account/o-exampleorgid/".to_owned(),
            by_tag: None,
            checks_organization: true,
            accounts: Vec::new(),
            batches: 0,
            remediates: false,
        }
    }

    fn report(day: i64, previous: Option<&Report>) -> Report {
        let sweep = Sweep {
            sweep_id: listing(day).sweep_id.to_string(),
            trigger: Trigger::Schedule,
            organization_id: "o-exampleorgid".to_owned(),
            started_at: noon(day),
            finished_at: noon(day) + SignedDuration::from_mins(5),
            note: None,
            controls: Vec::new(),
            organization: None,
            accounts: Vec::new(),
        };
        Report::new(sweep, previous)
    }

    fn stored(report: Report) -> Stored {
        Stored::Report(Box::new(report))
    }

    fn first(day: i64, latest: &Stored) -> Publication {
        Publication::first(&listing(day), latest, Vec::new(), noon(day))
    }

    fn key(day: i64) -> String {
        format!("{}/report.json", folder(&listing(day).sweep_id, noon(day)))
    }

    #[test]
    fn a_sweep_is_compared_with_the_report_before_also_when_it_was_published_already() {
        let before = report(1, None);
        assert_eq!(first(2, &stored(before.clone())).compared_with, Some(key(1)));
        let again = first(2, &stored(report(2, Some(&before))));
        assert_eq!((again.compared_with, again.note), (Some(key(1)), None));
        assert_eq!(first(2, &stored(report(2, None))).compared_with, None, "it was the first");
    }

    #[test]
    fn what_was_fixed_is_read_back_as_it_was() {
        let mut fixed = first(2, &stored(report(1, None)));
        fixed.results = serde_json::from_str(r#"[{"batch": 3, "error": "States.Timeout"}, {"batch": 4}]"#).unwrap();
        let text = serde_json::to_string(&fixed).unwrap();
        assert_eq!(serde_json::from_str::<Publication>(&text).unwrap(), fixed);
    }

    #[test]
    fn an_older_sweep_never_takes_the_place_of_the_newest_report() {
        let latest = stored(report(3, None));
        assert!(!is_newest(&listing(2), &latest) && is_newest(&listing(3), &latest) && is_newest(&listing(4), &latest));
        let older = first(2, &latest);
        assert_eq!(older.compared_with, None);
        assert!(older.note.unwrap().contains("later sweep"));
    }

    #[test]
    fn a_report_before_that_cannot_be_parsed_or_is_gone_is_left_out_and_that_is_said() {
        let unreadable = first(2, &Stored::Unreadable);
        assert!(unreadable.note.as_deref().unwrap().contains("cannot be parsed"));
        assert!(predecessor(&unreadable, Stored::Nothing).1.unwrap().contains("cannot be parsed"));
        let fixed = first(2, &stored(report(1, None)));
        for lost in [Stored::Nothing, Stored::Unreadable] {
            let (report, note) = predecessor(&fixed, lost);
            assert!(report.is_none() && note.unwrap().contains(&key(1)));
        }
        assert_eq!(predecessor(&fixed, stored(report(1, None))), (Some(report(1, None)), None));
    }
}
