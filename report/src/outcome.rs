//! What can come of a control, read leniently: a report of another version must not stop the next one.

use std::fmt;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::Kind;

/// What went wrong, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Failure {
    /// The stable name, as in the error catalogue.
    pub cause: String,
    /// What happened.
    pub message: String,
    /// What a person can do about it.
    pub remedy: String,
    /// Whether trying the same thing again later can help.
    pub retryable: bool,
}

/// What is known of one control in one account. The JSON is that of the rows that Steward's functions answer with. Failures
/// are boxed: a report of ten thousand accounts holds a hundred thousand outcomes, and few of those.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is as it should be.
    Compliant,
    /// Something differs; nothing was changed.
    Drifted {
        /// What would be changed.
        #[serde(default)]
        planned: Vec<String>,
    },
    /// Something differed; it was changed, and read back.
    Fixed {
        /// What was changed.
        #[serde(default)]
        applied: Vec<String>,
    },
    /// The changes went through, and what was read back still differs.
    NotConverged {
        /// What was changed.
        #[serde(default)]
        applied: Vec<String>,
        /// What still differs.
        #[serde(default)]
        remaining: Vec<String>,
    },
    /// It is a matter of time.
    NotReady {
        /// What was changed before the control had to stop.
        #[serde(default)]
        applied: Vec<String>,
        /// Seconds after which a look makes sense.
        #[serde(default)]
        retry_after: u32,
        /// What stands in the way.
        #[serde(default)]
        failure: Box<Failure>,
    },
    /// It could not be found out.
    Unknown {
        /// What was changed before the failure.
        #[serde(default)]
        applied: Vec<String>,
        /// What happened.
        #[serde(default)]
        failure: Box<Failure>,
    },
    /// Somebody has decided that the account need not have it.
    Exempt {
        /// The reason that the document gives.
        #[serde(default)]
        reason: String,
        /// The last day on which that holds.
        until: Date,
    },
    /// It is not looked at.
    Skipped {
        /// The reason, as a sentence.
        #[serde(default)]
        why: String,
    },
    /// An outcome that this version has never heard of. It counts as unknown: nothing is compliant by misunderstanding.
    #[serde(other)]
    Unrecognised,
}

/// The name of an outcome, without what goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Everything is as it should be.
    Compliant,
    /// It differed and was put right.
    Fixed,
    /// It differs.
    Drifted,
    /// It was changed and still differs.
    NotConverged,
    /// It is a matter of time.
    NotReady,
    /// It could not be found out.
    Unknown,
    /// Somebody has decided that it need not be.
    Exempt,
    /// The control is not looked at in this account.
    Skipped,
    /// The account is not looked at.
    NotChecked,
}

impl Status {
    /// Every status, those that need somebody first.
    pub const ALL: [Self; 9] = [
        Self::Drifted,
        Self::NotConverged,
        Self::NotReady,
        Self::Unknown,
        Self::Fixed,
        Self::Exempt,
        Self::Compliant,
        Self::Skipped,
        Self::NotChecked,
    ];

    /// The name, as in `report.json` and `report.csv`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What a person calls it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Compliant => "Compliant",
            Self::Fixed => "Fixed",
            Self::Drifted => "Drifted",
            Self::NotConverged => "Not converged",
            Self::NotReady => "Not ready",
            Self::Unknown => "Unknown",
            Self::Exempt => "Exempt",
            Self::Skipped => "Skipped",
            Self::NotChecked => "Not checked",
        }
    }

    /// The kind of finding that it is, if it is one.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Drifted | Self::NotConverged | Self::NotReady => Some(Kind::NotCompliant),
            Self::Unknown => Some(Kind::Unknown),
            Self::Compliant | Self::Fixed | Self::Exempt | Self::Skipped | Self::NotChecked => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Outcome {
    /// The name of the outcome.
    pub fn status(&self) -> Status {
        match self {
            Self::Compliant => Status::Compliant,
            Self::Drifted { .. } => Status::Drifted,
            Self::Fixed { .. } => Status::Fixed,
            Self::NotConverged { .. } => Status::NotConverged,
            Self::NotReady { .. } => Status::NotReady,
            Self::Unknown { .. } | Self::Unrecognised => Status::Unknown,
            Self::Exempt { .. } => Status::Exempt,
            Self::Skipped { .. } => Status::Skipped,
        }
    }

    /// The failure that goes with the outcome.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::NotReady { failure, .. } | Self::Unknown { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// What was changed.
    pub fn applied(&self) -> &[String] {
        match self {
            Self::Fixed { applied }
            | Self::NotConverged { applied, .. }
            | Self::NotReady { applied, .. }
            | Self::Unknown { applied, .. } => applied,
            _ => &[],
        }
    }

    /// What differs, said as the changes that would put it right.
    pub fn differences(&self) -> &[String] {
        match self {
            Self::Drifted { planned } => planned,
            Self::NotConverged { remaining, .. } => remaining,
            _ => &[],
        }
    }

    /// The outcome in one line.
    pub fn headline(&self) -> String {
        match self {
            Self::Compliant => "as it should be".to_owned(),
            Self::Drifted { planned } => first_of(planned, "something differs"),
            Self::Fixed { applied } => first_of(applied, "put right"),
            Self::NotConverged { remaining, .. } => {
                format!("still differs: {}", first_of(remaining, "something"))
            }
            Self::NotReady { failure, .. } | Self::Unknown { failure, .. } => failure.headline(),
            Self::Exempt { reason, until } => format!("exempt until {until}: {reason}"),
            Self::Skipped { why } => why.clone(),
            Self::Unrecognised => "an outcome that this version does not know".to_owned(),
        }
    }
}

impl Failure {
    /// The failure in one line.
    pub fn headline(&self) -> String {
        match (self.cause.as_str(), self.message.as_str()) {
            ("", "") => "no reason was given".to_owned(),
            ("", message) => message.to_owned(),
            (cause, "") => cause.to_owned(),
            (cause, message) => format!("{cause}: {message}"),
        }
    }
}

fn first_of(texts: &[String], otherwise: &str) -> String {
    match texts {
        [] => otherwise.to_owned(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Row;

    #[test]
    fn every_row_of_steward_is_read_and_written_as_it_was() {
        let failure = json!({"cause": "AccessDenied", "message": "No.", "remedy": "Ask.", "retryable": false});
        for row in [
            json!({"control": "regions", "outcome": "compliant"}),
            json!({"control": "regions", "outcome": "drifted", "planned": ["a"]}),
            json!({"control": "regions", "outcome": "fixed", "applied": ["a"]}),
            json!({"control": "regions", "outcome": "not_converged", "applied": ["a"], "remaining": ["b"]}),
            json!({"control": "regions", "outcome": "not_ready", "applied": [], "retry_after": 60, "failure": failure}),
            json!({"control": "regions", "outcome": "unknown", "applied": [], "failure": failure}),
            json!({"control": "regions", "outcome": "exempt", "reason": "migration", "until": "2027-03-31"}),
            json!({"control": "regions", "outcome": "skipped", "why": "not asked for", "notes": ["n"]}),
        ] {
            let read: Row = serde_json::from_value(row.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), row);
            assert_eq!(read.outcome.status().name(), row["outcome"]);
        }
    }

    #[test]
    fn an_outcome_of_a_later_version_is_unknown_and_fields_may_be_missing_or_new() {
        let later: Row =
            serde_json::from_value(json!({"control": "regions", "outcome": "delegated", "to": "x"})).unwrap();
        assert_eq!(later.outcome.status(), Status::Unknown);
        let sparse: Row = serde_json::from_value(json!({"control": "regions", "outcome": "unknown", "x": 1})).unwrap();
        assert_eq!(sparse.outcome.headline(), "no reason was given");
    }

    #[test]
    fn a_headline_is_the_first_difference_and_the_number_of_the_others() {
        let drifted = |texts: &[&str]| Outcome::Drifted { planned: texts.iter().map(|&t| t.into()).collect() };
        assert_eq!(drifted(&[]).headline(), "something differs");
        assert_eq!(drifted(&["tag it"]).headline(), "tag it");
        assert_eq!(drifted(&["tag it", "b", "c"]).headline(), "tag it (and 2 more)");
    }

    #[test]
    fn every_status_is_listed_once() {
        let listed: std::collections::BTreeSet<_> = Status::ALL.into_iter().collect();
        assert_eq!(listed, Status::VARIANTS.iter().copied().collect());
        assert_eq!(Status::ALL.len(), Status::VARIANTS.len());
    }
}
