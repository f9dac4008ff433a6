//! # budget
//!
//! **What it does.** Keeps a monthly budget of AWS Budgets on everything that the account is charged, with mails at
//! percentages of it.
//!
//! **Why.** Like `billing-alarm` it tells of a runaway account, without a mail to confirm for each address and without a
//! charge. It says how near the month is to its limit more than once, and can go by what AWS expects.
//!
//! **Desired state.** `limit_usd`, `emails`, and, if the defaults do not fit, `percentages` (80 and 100),
//! `forecast_percentages` (none) and `name`. A mail is sent when more than a percentage is spent, or expected to be. Other
//! notifications of the budget, other addresses, and which kinds of charges count, such as taxes and credits, are left
//! alone. A budget of that name that has another period, a limit that moves, or that counts a part of the charges is drift.
//!
//! **Limits.** AWS looks at charges up to three times a day, so that a mail may come half a day late. AWS has forecasts for
//! an account once it has been in use for about five weeks. Where AWS refuses an account budgets of its own, the row shows
//! AWS's words. Whether mails arrive cannot be read.
//!
//! **Calls.** A compliant account costs two, `DescribeBudget` and `DescribeNotificationsForBudget`, and one
//! `DescribeSubscribersForNotification` for each percentage.
//!
//! **Source.** AWS Cost Management user guide, "Managing your costs with AWS Budgets" and "Best practices for AWS
//! Budgets". AWS Budgets API reference, "CreateBudget": five notifications for a budget, ten addresses for each.
//! `UpdateBudget` replaces a budget as a whole and leaves whom it tells, so that what is to stay is sent along. All actions
//! are allowed by two permissions (Service authorization reference, "AWS Budget Service").

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use futures_util::future::{join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, MemberScope};
use crate::{
    baseline::{Baseline, Findings, Validate},
    gateway::{Budget as PresentBudget, BudgetRest, CallError, Measure, Threshold},
    ids::MailAddress,
    input::Problem,
};

/// What AWS takes for one budget.
const MOST_NOTIFICATIONS: usize = 5;
const MOST_ADDRESSES: usize = 10;

/// The `budget` section of the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// What the account may cost in a month, in US dollars.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub limit_usd: f64,
    /// Whom AWS sends a mail: 1 to 10 addresses.
    #[schemars(length(min = 1, max = 10))]
    pub emails: Vec<MailAddress>,
    /// At which percentages of the limit, once more than that is spent: 1 to 1000. Together with `forecast_percentages`,
    /// 1 to 5.
    #[serde(default = "default_percentages")]
    #[schemars(inner(range(min = 1, max = 1000)))]
    pub percentages: Vec<u32>,
    /// At which percentages of the limit, once AWS expects more than that by the end of the month: 1 to 1000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = 1, max = 1000)))]
    pub forecast_percentages: Vec<u32>,
    /// The budget's name: 1 to 100 characters, none of them a colon or a backslash.
    #[serde(default = "default_name")]
    pub name: String,
}

impl Budget {
    fn thresholds(&self) -> Vec<Threshold> {
        let of = |measure, percentages: &[u32]| {
            percentages.iter().map(move |&percentage| Threshold { measure, percentage }).collect::<Vec<_>>()
        };
        [of(Measure::Actual, &self.percentages), of(Measure::Forecasted, &self.forecast_percentages)].concat()
    }

    fn addresses(&self) -> Vec<String> {
        self.emails.iter().map(ToString::to_string).collect()
    }
}

impl Validate for Budget {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        // Not `<=`: a limit that is not a number is wrong as well.
        let is_amount = self.limit_usd > 0.0 && self.limit_usd.is_finite();
        findings.expect("limit_usd", is_amount, "must be an amount in US dollars above 0, such as 100");
        let fits = (1..=MOST_ADDRESSES).contains(&self.emails.len());
        findings.expect("emails", fits, "must be 1 to 10 addresses");
        findings.distinct("emails", self.emails.iter().map(MailAddress::normalised));
        let count = self.percentages.len() + self.forecast_percentages.len();
        let fits = (1..=MOST_NOTIFICATIONS).contains(&count);
        findings.expect("percentages", fits, "must be 1 to 5 percentages, those of forecast_percentages included");
        for (field, percentages) in
            [("percentages", &self.percentages), ("forecast_percentages", &self.forecast_percentages)]
        {
            findings.distinct(field, percentages);
            for (position, percentage) in percentages.iter().enumerate() {
                let field = format!("{field}[{position}]");
                findings.expect(&field, (1..=1000).contains(percentage), "must be a percentage from 1 to 1000");
            }
        }
        // The grammar of `CreateBudget`.
        let is_name = !self.name.contains([':', '\\'])
            && !self.name.contains("/action/")
            && !self.name.chars().any(char::is_control)
            && (1..=100).contains(&self.name.chars().count());
        let expected = "must be 1 to 100 characters, without colons, backslashes, control characters and \"/action/\"";
        findings.expect("name", is_name, expected);
        findings.into_problems()
    }
}

fn default_percentages() -> Vec<u32> {
    vec![80, 100]
}

fn default_name() -> String {
    "steward-monthly".to_owned()
}

/// What is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actual {
    /// None when there is no budget.
    budget: Option<PresentBudget>,
    /// Who is told at the thresholds of the section that the budget has.
    addresses: BTreeMap<Threshold, Vec<String>>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make the budget.
    Create(Budget),
    /// Make the budget what it should be.
    Correct {
        /// Its name.
        name: String,
        /// Its limit.
        limit_usd: f64,
        /// What it keeps.
        rest: Box<BudgetRest>,
        /// In what it differs now.
        differs: Vec<String>,
    },
    /// Tell these addresses at one more threshold.
    Notify {
        /// The budget.
        name: String,
        /// At what.
        threshold: Threshold,
        /// Whom.
        addresses: Vec<String>,
    },
    /// Tell one more address at a threshold.
    Subscribe {
        /// The budget.
        name: String,
        /// At what.
        threshold: Threshold,
        /// Whom.
        address: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(budget) => {
                let thresholds: Vec<_> = budget.thresholds().into_iter().map(in_words).collect();
                let (name, limit, addresses) = (&budget.name, budget.limit_usd, budget.addresses().join(", "));
                write!(f, "create the budget {name} of {limit} USD a month, with mails to {addresses} at ")?;
                f.write_str(&thresholds.join(", "))
            }
            Self::Correct { name, differs, .. } => write!(f, "correct the budget {name}: {}", differs.join(", ")),
            Self::Notify { name, threshold, addresses } => {
                let (at, addresses) = (in_words(*threshold), addresses.join(", "));
                write!(f, "have the budget {name} send mails at {at} to {addresses}")
            }
            Self::Subscribe { name, threshold, address } => {
                write!(f, "add {address} to the mails of the budget {name} at {}", in_words(*threshold))
            }
        }
    }
}

fn in_words(threshold: Threshold) -> String {
    match threshold.measure {
        Measure::Actual => format!("{} %", threshold.percentage),
        Measure::Forecasted => format!("{} % expected", threshold.percentage),
    }
}

/// The control `budget`.
#[derive(Clone, Copy, Debug)]
pub struct BudgetControl;

impl Control for BudgetControl {
    const ID: &'static str = "budget";
    const READS: &'static [&'static str] = &["budgets:ViewBudget"];
    const WRITES: &'static [&'static str] = &["budgets:ModifyBudget"];
    type Scope = MemberScope;
    type Desired = Budget;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&Budget> {
        baseline.budget.as_ref()
    }

    async fn inspect(&self, scope: &MemberScope, desired: &Budget) -> Result<Actual, CallError> {
        let (account, name) = (&scope.account_id, desired.name.as_str());
        let (budget, present) =
            join(scope.budgets.find_budget(account, name), scope.budgets.list_thresholds(account, name)).await;
        let (budget, present) = (budget?, present?);
        let wanted = desired.thresholds().into_iter().filter(|threshold| present.contains(threshold));
        let addresses = wanted.map(async |threshold| {
            let addresses = scope.budgets.list_addresses(account, name, threshold).await?;
            Ok::<_, CallError>((threshold, addresses))
        });
        Ok(Actual { budget, addresses: try_join_all(addresses).await?.into_iter().collect() })
    }

    fn plan(&self, _scope: &MemberScope, desired: &Budget, actual: &Actual) -> Vec<Change> {
        plan(desired, actual)
    }

    async fn apply(&self, scope: &MemberScope, change: &Change) -> Result<(), CallError> {
        let (budgets, account) = (&scope.budgets, &scope.account_id);
        match change {
            Change::Create(budget) => {
                let (thresholds, addresses) = (budget.thresholds(), budget.addresses());
                budgets.create_budget(account, &budget.name, budget.limit_usd, &thresholds, &addresses).await
            }
            Change::Correct { name, limit_usd, rest, .. } => {
                budgets.update_budget(account, name, *limit_usd, (**rest).clone()).await
            }
            Change::Notify { name, threshold, addresses } => {
                budgets.create_notification(account, name, *threshold, addresses).await
            }
            Change::Subscribe { name, threshold, address } => {
                budgets.create_subscriber(account, name, *threshold, address).await
            }
        }
    }
}

fn plan(desired: &Budget, actual: &Actual) -> Vec<Change> {
    let Some(present) = &actual.budget else {
        return vec![Change::Create(desired.clone())];
    };
    let name = || desired.name.clone();
    let mut changes = Vec::new();
    let differs = differences(desired, present);
    if !differs.is_empty() {
        let rest = Box::new(present.rest.clone());
        changes.push(Change::Correct { name: name(), limit_usd: desired.limit_usd, rest, differs });
    }
    for threshold in desired.thresholds() {
        let Some(told) = actual.addresses.get(&threshold) else {
            changes.push(Change::Notify { name: name(), threshold, addresses: desired.addresses() });
            continue;
        };
        let told: BTreeSet<_> = told.iter().map(|address| address.to_ascii_lowercase()).collect();
        let missing = desired.emails.iter().filter(|email| !told.contains(&email.normalised()));
        changes.extend(missing.map(|email| Change::Subscribe { name: name(), threshold, address: email.to_string() }));
    }
    changes
}

fn differences(desired: &Budget, present: &PresentBudget) -> Vec<String> {
    let mut differs = Vec::new();
    let limit = match &present.limit {
        Some((amount, unit)) => format!("{amount} {unit}"),
        None => "one for each month".to_owned(),
    };
    let wanted = format!("{} USD", desired.limit_usd);
    if limit != wanted {
        differs.push(format!("limit {limit} -> {wanted}"));
    }
    for (what, is, should) in [("type", &present.kind, "COST"), ("period", &present.time_unit, "MONTHLY")] {
        if is != should {
            differs.push(format!("{what} {is} -> {should}"));
        }
    }
    if present.adjusts_itself {
        differs.push("its limit moves by itself".to_owned());
    }
    if present.is_filtered {
        differs.push("it counts a part of the charges".to_owned());
    }
    differs
}

#[cfg(test)]
mod tests;
