//! The brake: what is done to many accounts stops by itself, when most of the first changes fail, and before more accounts
//! are changed than a person has said. Pure, but for its counters.

use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use crate::{
    control::{Mode, Outcome, Row},
    digest::sha256,
    error::{Cause, Failure},
    ids::NotValid,
    organization::Selection,
};

/// So many accounts may be changed without a word, however few there are: a share of a handful says nothing.
const AT_LEAST: usize = 10;
/// So many accounts must have failed before it is said that changes fail: one or two have reasons of their own.
const FAILURES: usize = 5;

/// How many of these accounts may be changed without a word: this share of them.
pub fn may_change(accounts: usize, percent: u32) -> usize {
    (accounts.saturating_mul(percent as usize) / 100).max(AT_LEAST)
}

/// Whether most changes fail, so that the next ones are better not begun.
pub fn is_failing(ended: usize, failed: usize) -> bool {
    failed >= FAILURES && failed * 2 > ended
}

/// What became of one account; what matters more comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Came {
    /// There was nothing to change.
    Nothing,
    /// It differs, and was not changed.
    WouldChange,
    /// It was changed.
    Changed,
    /// It could not be changed, or not be looked at.
    Failed,
}

impl Came {
    /// By the rows of an account: the worst of what became of its controls.
    pub fn of_rows(rows: &[Row]) -> Self {
        rows.iter().map(|row| Self::of_outcome(&row.outcome)).max().unwrap_or(Self::Nothing)
    }

    /// What is left to people is no change of Steward's, and no failure of one.
    fn of_outcome(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Unknown { .. } => Self::Failed,
            Outcome::NotConverged { .. } if !outcome.is_left_to_people() => Self::Failed,
            Outcome::Fixed { applied } | Outcome::NotConverged { applied, .. } | Outcome::NotReady { applied, .. }
                if !applied.is_empty() =>
            {
                Self::Changed
            }
            Outcome::Drifted { .. } if !outcome.is_left_to_people() => Self::WouldChange,
            _ => Self::Nothing,
        }
    }
}

/// What a person says to let go on what the brake has stopped: it stands for one plan alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confirmation(String);

impl Confirmation {
    /// For the change of these accounts by this version of the baseline document; `what` is all else that matters of it.
    pub fn of(selection: &Selection, etag: &str, what: &str) -> Self {
        Self(sha256(&format!("{selection:?}\n{etag}\n{what}"))[..12].to_owned())
    }
}

impl FromStr for Confirmation {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let fits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotValid::expected("the `continue` of a plan: 12 hexadecimal digits"))
        }
    }
}

impl fmt::Display for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// That the brake has stopped a change, or would stop it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Braked {
    /// Why, and how it goes on.
    pub why: String,
    /// How many accounts were changed.
    pub changed: usize,
    /// How many could not be.
    pub failed: usize,
    /// How many more would have been changed, of those that were looked at.
    pub would_change: usize,
    /// How many may be without a word; left out where a person has named each or has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_change: Option<usize>,
    /// What to say so that it goes on.
    #[serde(rename = "continue")]
    pub confirmation: Confirmation,
}

/// The brake of what one person asks for.
#[derive(Debug)]
pub struct Brake {
    /// None when every account was named, or the plan was confirmed.
    may_change: Option<usize>,
    is_confirmed: bool,
    confirmation: Confirmation,
    counted: Mutex<Counted>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    ended: usize,
    changed: usize,
    failed: usize,
    would_change: usize,
    stopped: Option<Stopped>,
}

/// Why it has stopped. It stays so: what is planned from then on says nothing of what an apply would come to.
#[derive(Clone, Copy, Debug)]
enum Stopped {
    /// So many accounts of so many had failed.
    Failing { failed: usize, ended: usize },
    /// As many were changed as may be.
    Full,
}

impl Brake {
    /// For so many accounts. Whoever names each of them, or gives the confirmation of their plan, has said how many. One
    /// that is of another plan is [`Cause::InvalidRequest`].
    pub fn new(
        selection: &Selection,
        accounts: usize,
        percent: u32,
        plan: Confirmation,
        said: Option<&Confirmation>,
    ) -> Result<Self, Failure> {
        if said.is_some_and(|said| *said != plan) {
            let detail =
                "$.continue: is of another plan: of other accounts, another document or another change; plan again";
            return Err(Failure::with_detail(Cause::InvalidRequest, detail));
        }
        let is_confirmed = said.is_some();
        let is_said = is_confirmed || matches!(selection, Selection::Accounts(_));
        let may_change = (!is_said).then(|| may_change(accounts, percent));
        Ok(Self { may_change, is_confirmed, confirmation: plan, counted: Mutex::default() })
    }

    /// What is done to the next account when this is asked for: a plan once it has stopped.
    pub fn mode(&self, asked: Mode) -> Mode {
        if asked == Mode::Plan {
            return asked;
        }
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.stopped = counted.stopped.or_else(|| self.stops(*counted));
        if counted.stopped.is_some() { Mode::Plan } else { asked }
    }

    /// Counts what became of an account.
    pub fn count(&self, came: Came) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.ended += 1;
        match came {
            Came::Nothing => {}
            Came::WouldChange => counted.would_change += 1,
            Came::Changed => counted.changed += 1,
            Came::Failed => counted.failed += 1,
        }
    }

    /// What there is to say at the end, when it has stopped; of a plan, when it would stop what is planned.
    pub fn summary(&self, asked: Mode) -> Option<Braked> {
        let counted = self.counted();
        let Counted { changed, failed, would_change, stopped, .. } = counted;
        let confirmation = self.confirmation.clone();
        let may = self.may_change.unwrap_or(usize::MAX);
        let why = match (asked, stopped.filter(|_| would_change > 0)) {
            (Mode::Plan, _) if would_change > may => format!(
                "An apply stops after {may} of these accounts: that many may be changed without a word (the stack \
                 parameter MaxChangedPercent). If all are meant to be, say \"continue\": \"{confirmation}\" with it."
            ),
            (Mode::Apply, Some(Stopped::Failing { failed, ended })) => format!(
                "Most changes failed ({failed} of {ended} accounts), so nothing more was changed, and the rest planned. \
                 Remove the cause and apply again; to go on all the same, say \"continue\": \"{confirmation}\" with it."
            ),
            (Mode::Apply, Some(Stopped::Full)) => format!(
                "{changed} accounts were changed, as many as may be without a word (the stack parameter \
                 MaxChangedPercent), and the rest planned. If they are meant to be changed, say \"continue\": \
                 \"{confirmation}\" with it."
            ),
            _ => return None,
        };
        Some(Braked { why, changed, failed, would_change, may_change: self.may_change, confirmation })
    }

    /// Whether the next account is better not changed, and why.
    fn stops(&self, counted: Counted) -> Option<Stopped> {
        let Counted { ended, changed, failed, .. } = counted;
        if !self.is_confirmed && is_failing(ended, failed) {
            return Some(Stopped::Failing { failed, ended });
        }
        self.may_change.is_some_and(|may| changed >= may).then_some(Stopped::Full)
    }

    fn counted(&self) -> Counted {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Confirmation {
        Confirmation::of(&Selection::All, "\"1\"", "regions")
    }

    fn brake(selection: &Selection, said: Option<&Confirmation>) -> Brake {
        Brake::new(selection, 100, 25, plan(), said).unwrap()
    }

    #[test]
    fn a_share_of_the_accounts_may_be_changed_without_a_word_and_of_few_accounts_all() {
        assert_eq!([0, 9, 40, 100, 10_000].map(|accounts| may_change(accounts, 25)), [10, 10, 10, 25, 2500]);
        assert_eq!(may_change(10_000, 100), 10_000);
    }

    #[test]
    fn what_is_left_to_people_is_neither_a_change_nor_a_failure() {
        let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        let drifted = |planned: &[&str]| Came::of_outcome(&Outcome::Drifted { planned: lines(planned) });
        assert_eq!(drifted(&["by hand: detach it"]), Came::Nothing);
        assert_eq!(drifted(&["attach it", "by hand: detach it"]), Came::WouldChange);
        let ended = |applied: &[&str], remaining: &[&str]| {
            Came::of_outcome(&Outcome::NotConverged { applied: lines(applied), remaining: lines(remaining) })
        };
        assert_eq!(ended(&[], &["by hand: detach it"]), Came::Nothing);
        assert_eq!(ended(&["attach it"], &["by hand: detach it"]), Came::Changed);
        assert_eq!(ended(&["attach it"], &["attach it", "by hand: detach it"]), Came::Failed);
    }

    #[test]
    fn what_was_changed_before_a_wait_is_a_change() {
        let waiting = |applied: Vec<String>| Outcome::NotReady {
            applied,
            retry_after: 30,
            failure: Failure::new(Cause::RegionInTransition),
        };
        assert_eq!(Came::of_outcome(&waiting(vec!["enable ap-east-1".to_owned()])), Came::Changed);
        assert_eq!(Came::of_outcome(&waiting(Vec::new())), Came::Nothing);
    }

    #[test]
    fn it_stops_when_most_of_the_first_changes_fail_and_not_for_a_few() {
        assert!(!is_failing(4, 4) && is_failing(5, 5) && is_failing(9, 5));
        assert!(!is_failing(10, 5) && !is_failing(1000, 400));
    }

    #[test]
    fn what_is_applied_to_all_stops_at_its_share_and_the_rest_is_planned() {
        let brake = brake(&Selection::All, None);
        for n in 0..100 {
            let applies = brake.mode(Mode::Apply) == Mode::Apply;
            assert_eq!(applies, n < 25, "{n}");
            brake.count(if applies { Came::Changed } else { Came::WouldChange });
        }
        let summary = brake.summary(Mode::Apply).unwrap();
        assert_eq!((summary.changed, summary.would_change, summary.may_change), (25, 75, Some(25)));
        assert!(summary.why.contains(&format!("\"continue\": \"{}\"", plan())), "{}", summary.why);
    }

    #[test]
    fn whoever_names_each_account_or_confirms_the_plan_has_said_how_many() {
        let named = Selection::Accounts(Vec::new());
        for brake in [brake(&named, None), brake(&Selection::All, Some(&plan()))] {
            for _ in 0..100 {
                assert_eq!(brake.mode(Mode::Apply), Mode::Apply);
                brake.count(Came::Changed);
            }
            assert_eq!(brake.summary(Mode::Apply), None);
        }
    }

    #[test]
    fn even_accounts_that_are_named_are_left_when_most_of_the_first_fail() {
        let named = Selection::Accounts(Vec::new());
        let brake = brake(&named, None);
        for _ in 0..5 {
            assert_eq!(brake.mode(Mode::Apply), Mode::Apply);
            brake.count(Came::Failed);
        }
        assert_eq!(brake.mode(Mode::Apply), Mode::Plan);
        brake.count(Came::WouldChange);
        assert!(brake.summary(Mode::Apply).unwrap().why.contains("5 of 5 accounts"));
    }

    #[test]
    fn what_is_planned_after_it_has_stopped_does_not_let_it_go_on() {
        let brake = brake(&Selection::All, None);
        for _ in 0..5 {
            brake.count(Came::Failed);
        }
        for _ in 0..20 {
            assert_eq!(brake.mode(Mode::Apply), Mode::Plan);
            brake.count(Came::WouldChange);
        }
        let summary = brake.summary(Mode::Apply).unwrap();
        assert_eq!((summary.failed, summary.would_change), (5, 20));
        assert!(summary.why.contains("Most changes failed (5 of 5 accounts)"), "{}", summary.why);
    }

    #[test]
    fn who_fails_after_the_last_account_was_begun_stops_nothing() {
        let brake = brake(&Selection::All, None);
        assert_eq!(brake.mode(Mode::Apply), Mode::Apply);
        brake.count(Came::WouldChange);
        for _ in 0..9 {
            brake.count(Came::Failed);
        }
        assert_eq!(brake.summary(Mode::Apply), None);
    }

    #[test]
    fn a_plan_says_beforehand_that_it_would_stop() {
        let brake = brake(&Selection::All, None);
        for _ in 0..25 {
            brake.count(Came::WouldChange);
        }
        assert_eq!(brake.summary(Mode::Plan), None);
        brake.count(Came::WouldChange);
        assert_eq!(brake.summary(Mode::Plan).unwrap().confirmation, plan());
    }

    #[test]
    fn a_confirmation_is_of_one_plan() {
        let unit = Selection::Accounts(Vec::new());
        for other in [
            Confirmation::of(&unit, "\"1\"", "regions"),
            Confirmation::of(&Selection::All, "\"2\"", "regions"),
            Confirmation::of(&Selection::All, "\"1\"", "account-tags"),
        ] {
            let refused = Brake::new(&Selection::All, 100, 25, plan(), Some(&other)).unwrap_err();
            assert_eq!(refused.cause, Cause::InvalidRequest);
        }
        assert_eq!(plan().to_string().parse(), Ok(plan()));
        assert!("yes".parse::<Confirmation>().is_err());
    }
}
