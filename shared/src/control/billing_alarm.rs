//! # billing-alarm
//!
//! **What it does.** Keeps an SNS topic with e-mail subscriptions and a CloudWatch alarm on the account's estimated
//! charges, both in us-east-1.
//!
//! **Why.** A runaway account is noticed by its owners within hours instead of on the next bill.
//!
//! **Desired state.** `threshold_usd`, `emails`, and, if the defaults do not fit, `topic_name` and `alarm_name`.
//! Other subscriptions of the topic are left alone. A subscription that waits to be confirmed is a note, not drift:
//! only the owner of the mailbox can confirm it.
//!
//! **Calls.** A compliant account costs three: `GetTopicAttributes`, `ListSubscriptionsByTopic` and `DescribeAlarms`.
//!
//! **Source.** AWS publishes `EstimatedCharges` in us-east-1 alone, several times a day, once "Receive CloudWatch
//! Billing Alerts" is on in the management account (CloudWatch user guide, "Create a billing alarm to monitor your
//! estimated AWS charges"). `PutMetricAlarm` replaces an alarm of the same name as a whole.

use std::{collections::BTreeSet, fmt};

use futures_util::future::try_join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, MemberScope};
use crate::{
    baseline::{Baseline, Validate, inner},
    gateway::{CallError, EmailSubscription, MetricAlarm},
    ids::{AccountId, MailAddress, Region},
    input::Problem,
};

/// The `billing-alarm` section of the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BillingAlarm {
    /// Estimated charges of the month, in US dollars, at which the alarm goes off.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub threshold_usd: f64,
    /// Who is told.
    #[schemars(length(min = 1))]
    pub emails: Vec<MailAddress>,
    /// The topic's name.
    #[serde(default = "default_topic_name")]
    pub topic_name: String,
    /// The alarm's name.
    #[serde(default = "default_alarm_name")]
    pub alarm_name: String,
}

impl BillingAlarm {
    /// A billing alarm with the usual names.
    pub fn new(threshold_usd: f64, emails: Vec<MailAddress>) -> Self {
        Self { threshold_usd, emails, topic_name: default_topic_name(), alarm_name: default_alarm_name() }
    }

    fn topic_arn(&self, account: &AccountId) -> String {
        format!("arn:aws:sns:{}:{account}:{}", Region::us_east_1(), self.topic_name)
    }

    fn alarm(&self, account: &AccountId) -> MetricAlarm {
        MetricAlarm {
            name: self.alarm_name.clone(),
            namespace: "AWS/Billing".to_owned(),
            metric: "EstimatedCharges".to_owned(),
            dimensions: vec![("Currency".to_owned(), "USD".to_owned())],
            statistic: "Maximum".to_owned(),
            period: 6 * 60 * 60,
            evaluation_periods: 1,
            comparison: "GreaterThanOrEqualToThreshold".to_owned(),
            threshold: self.threshold_usd,
            actions: vec![self.topic_arn(account)],
            actions_enabled: true,
        }
    }
}

impl Validate for BillingAlarm {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut note = |field: &str, problem: &str| problems.push(Problem::new(inner(path, field), problem));
        // Not `<=`: a threshold that is not a number is wrong as well.
        if !(self.threshold_usd > 0.0 && self.threshold_usd.is_finite()) {
            note("threshold_usd", "is not above 0; an amount in US dollars such as 100 is expected");
        }
        if self.emails.is_empty() {
            note("emails", "is empty; at least one address is expected");
        }
        let mut seen = BTreeSet::new();
        for (position, email) in self.emails.iter().enumerate() {
            if !seen.insert(email.normalised()) {
                note(&format!("emails[{position}]"), "is in the list twice");
            }
        }
        // The grammar of `CreateTopic`. A FIFO topic, whose name has a dot, cannot send mail.
        let in_topic_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if !(1..=256).contains(&self.topic_name.len()) || !self.topic_name.bytes().all(in_topic_name) {
            note("topic_name", "is no topic name; 1 to 256 ASCII letters, digits, hyphens or underscores are expected");
        }
        // The grammar of `PutMetricAlarm`.
        if !(1..=255).contains(&self.alarm_name.chars().count())
            || self.alarm_name.chars().any(|c| c.is_ascii_control())
        {
            note("alarm_name", "is no alarm name; 1 to 255 characters, none of them a control character, are expected");
        }
        problems
    }
}

fn default_topic_name() -> String {
    "DefaultBillingAlertTopic".to_owned()
}

fn default_alarm_name() -> String {
    "DefaultBillingAlarm".to_owned()
}

/// What is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Actual {
    /// The topic's e-mail subscriptions; None when there is no topic.
    subscriptions: Option<Vec<EmailSubscription>>,
    alarm: Option<MetricAlarm>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make the topic.
    CreateTopic {
        /// Its name.
        name: String,
    },
    /// Subscribe an address to it.
    Subscribe {
        /// The topic.
        topic_arn: String,
        /// The address.
        address: String,
    },
    /// Write the alarm.
    PutAlarm {
        /// The alarm as it will be.
        alarm: MetricAlarm,
        /// In what it differs now; None when there is none.
        differs: Option<Vec<String>>,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTopic { name } => write!(f, "create the SNS topic {name}"),
            Self::Subscribe { address, .. } => write!(f, "subscribe {address} to it (a confirmation mail is sent)"),
            Self::PutAlarm { alarm, differs: None } => {
                write!(f, "create the alarm {} at {} USD", alarm.name, alarm.threshold)
            }
            Self::PutAlarm { alarm, differs: Some(differs) } => {
                write!(f, "correct the alarm {}: {}", alarm.name, differs.join(", "))
            }
        }
    }
}

/// The control `billing-alarm`.
#[derive(Clone, Copy, Debug)]
pub struct BillingAlarmControl;

impl Control for BillingAlarmControl {
    const ID: &'static str = "billing-alarm";
    const READS: &'static [&'static str] =
        &["cloudwatch:DescribeAlarms", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"];
    const WRITES: &'static [&'static str] = &["cloudwatch:PutMetricAlarm", "sns:CreateTopic", "sns:Subscribe"];
    type Scope = MemberScope;
    type Desired = BillingAlarm;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&BillingAlarm> {
        baseline.billing_alarm.as_ref()
    }

    async fn inspect(&self, scope: &MemberScope, desired: &BillingAlarm) -> Result<Actual, CallError> {
        let topic_arn = desired.topic_arn(&scope.account_id);
        let subscriptions = async {
            if scope.sns.topic_exists(&topic_arn).await? {
                scope.sns.list_email_subscriptions(&topic_arn).await.map(Some)
            } else {
                Ok(None)
            }
        };
        let alarm = scope.cloudwatch.find_metric_alarm(&desired.alarm_name);
        let (subscriptions, alarm) = try_join(subscriptions, alarm).await?;
        Ok(Actual { subscriptions, alarm })
    }

    fn plan(&self, scope: &MemberScope, desired: &BillingAlarm, actual: &Actual) -> Vec<Change> {
        plan(&scope.account_id, desired, actual)
    }

    async fn apply(&self, scope: &MemberScope, change: &Change) -> Result<(), CallError> {
        match change {
            Change::CreateTopic { name } => scope.sns.create_topic(name).await,
            Change::Subscribe { topic_arn, address } => scope.sns.subscribe_email(topic_arn, address).await,
            Change::PutAlarm { alarm, .. } => scope.cloudwatch.put_metric_alarm(alarm).await,
        }
    }

    fn notes(&self, _desired: &BillingAlarm, actual: &Actual) -> Vec<String> {
        let pending = actual.subscriptions.iter().flatten().filter(|subscription| subscription.pending);
        pending.map(|s| format!("{} has not confirmed the subscription yet", s.endpoint)).collect()
    }

    fn go_together(&self, one: &Change, _next: &Change) -> bool {
        // Everything else needs the topic.
        !matches!(one, Change::CreateTopic { .. })
    }
}

fn plan(account: &AccountId, desired: &BillingAlarm, actual: &Actual) -> Vec<Change> {
    let mut changes = Vec::new();
    let topic_arn = desired.topic_arn(account);
    if actual.subscriptions.is_none() {
        changes.push(Change::CreateTopic { name: desired.topic_name.clone() });
    }
    for email in &desired.emails {
        let is_subscribed = |s: &EmailSubscription| s.endpoint.eq_ignore_ascii_case(email.as_str());
        if !actual.subscriptions.iter().flatten().any(is_subscribed) {
            changes.push(Change::Subscribe { topic_arn: topic_arn.clone(), address: email.to_string() });
        }
    }
    let alarm = desired.alarm(account);
    match &actual.alarm {
        None => changes.push(Change::PutAlarm { alarm, differs: None }),
        Some(present) if *present != alarm => {
            let differs = Some(differences(present, &alarm));
            changes.push(Change::PutAlarm { alarm, differs });
        }
        Some(_) => {}
    }
    changes
}

fn differences(present: &MetricAlarm, wanted: &MetricAlarm) -> Vec<String> {
    let dimensions = |alarm: &MetricAlarm| {
        alarm.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    [
        ("namespace", present.namespace.clone(), wanted.namespace.clone()),
        ("metric", present.metric.clone(), wanted.metric.clone()),
        ("dimensions", dimensions(present), dimensions(wanted)),
        ("statistic", present.statistic.clone(), wanted.statistic.clone()),
        ("period", present.period.to_string(), wanted.period.to_string()),
        ("evaluation periods", present.evaluation_periods.to_string(), wanted.evaluation_periods.to_string()),
        ("comparison", present.comparison.clone(), wanted.comparison.clone()),
        ("threshold", present.threshold.to_string(), wanted.threshold.to_string()),
        ("actions", present.actions.join(" "), wanted.actions.join(" ")),
        ("actions enabled", present.actions_enabled.to_string(), wanted.actions_enabled.to_string()),
    ]
    .into_iter()
    .filter(|(_, is, should)| is != should)
    .map(|(what, is, should)| format!("{what} {} -> {should}", if is.is_empty() { "none" } else { &is }))
    .collect()
}

#[cfg(test)]
mod tests;
