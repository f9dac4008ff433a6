//! # billing-alarm
//!
//! **What it does.** Keeps an SNS topic with e-mail subscriptions and a CloudWatch alarm on the account's estimated
//! charges, both in us-east-1.
//!
//! **Why.** A runaway account is noticed by its owners within hours instead of on the next bill.
//!
//! **Desired state.** `threshold_usd`, `emails`, and, if the defaults do not fit, `topic_name` and `alarm_name`.
//! Other subscriptions of the topic, other actions of the alarm and its description are left alone. A subscription that
//! waits to be confirmed is a note, not drift: only the owner of the mailbox can confirm it. What keeps the alarm from
//! reaching anybody is drift. A topic whose policy does not let CloudWatch publish gets a statement that does. What
//! somebody has decided is left to people, and named as long as it stands: a statement that denies it, and encryption
//! with the key of AWS, `alias/aws/sns`, which CloudWatch cannot use. A policy that is missing, or that has a statement of
//! which it cannot be told whether it denies it, makes the control unknown.
//!
//! **Limits.** A key of the account's own is a note: its policy decides, and is not read. A key that the topic names by
//! id counts as one, because the topic does not show whose it is. The filter policy of a subscription is not looked at.
//!
//! **Calls.** A compliant account costs three: `GetTopicAttributes`, `ListSubscriptionsByTopic` and `DescribeAlarms`.
//!
//! **Source.** AWS publishes `EstimatedCharges` in us-east-1 alone, several times a day, once "Receive CloudWatch
//! Billing Alerts" is on in the management account (CloudWatch user guide, "Create a billing alarm to monitor your
//! estimated AWS charges"). `PutMetricAlarm` replaces an alarm of the same name as a whole, so that what is to stay is sent
//! along. Amazon SNS developer guide, "Encrypting an Amazon SNS topic", says which services need a key of one's own. IAM
//! user guide, "Policy evaluation logic", says which statement of a policy wins.

mod topic_policy;

use std::{collections::BTreeSet, fmt};

use futures_util::future::try_join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, MemberScope};
use crate::{
    baseline::{Baseline, Validate},
    error::{Cause, Failure},
    gateway::{AlarmRest, CallError, EmailSubscription, MetricAlarm},
    ids::{AccountId, MailAddress, Region},
    input::{Problem, inner},
};
use topic_policy::{CLOUDWATCH, Publication, Verdict};

/// The key with which AWS encrypts topics by itself. Its policy, which nobody can change, does not let CloudWatch use it.
const KEY_OF_AWS: &str = "alias/aws/sns";

/// The `billing-alarm` section of the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BillingAlarm {
    /// Estimated charges of the month, in US dollars, at which the alarm goes off.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub threshold_usd: f64,
    /// Who is notified.
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

    /// AWS publishes estimated charges in no other partition.
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
            unit: None,
            rest: AlarmRest::default(),
        }
    }
}

impl Validate for BillingAlarm {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut note = |field: &str, problem: &str| problems.push(Problem::new(inner(path, field), problem));
        // Not `<=`: a threshold that is not a number is wrong as well.
        if !(self.threshold_usd > 0.0 && self.threshold_usd.is_finite()) {
            note("threshold_usd", "must be an amount in US dollars above 0, such as 100");
        }
        if self.emails.is_empty() {
            note("emails", "must have at least one address");
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
            note("topic_name", "must be 1 to 256 ASCII letters, digits, hyphens or underscores");
        }
        // The grammar of `PutMetricAlarm`.
        if !(1..=255).contains(&self.alarm_name.chars().count())
            || self.alarm_name.chars().any(|c| c.is_ascii_control())
        {
            note("alarm_name", "must be 1 to 255 characters, none of them a control character");
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
    /// None when there is no topic.
    topic: Option<PresentTopic>,
    alarm: Option<MetricAlarm>,
}

/// A topic, as far as it decides whether the alarm reaches anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PresentTopic {
    /// What its policy means for the alarm.
    verdict: Verdict,
    /// The key that encrypts it.
    kms_key: Option<String>,
    subscriptions: Vec<EmailSubscription>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make the topic.
    CreateTopic {
        /// Its name.
        name: String,
    },
    /// Let CloudWatch publish to it.
    AllowCloudWatch {
        /// The topic.
        topic_arn: String,
        /// Its policy as it will be.
        policy: String,
    },
    /// Subscribe an address to it.
    Subscribe {
        /// The topic.
        topic_arn: String,
        /// The address.
        address: String,
        /// Whether the topic is made a moment before.
        to_new_topic: bool,
    },
    /// Write the alarm.
    PutAlarm {
        /// The alarm as it will be.
        alarm: Box<MetricAlarm>,
        /// In what it differs now; None when there is none.
        differs: Option<Vec<String>>,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTopic { name } => write!(f, "create the SNS topic {name}"),
            Self::AllowCloudWatch { topic_arn, .. } => {
                write!(f, "let CloudWatch publish to {topic_arn} by one more statement in its policy")
            }
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
    const WRITES: &'static [&'static str] =
        &["cloudwatch:PutMetricAlarm", "sns:CreateTopic", "sns:SetTopicAttributes", "sns:Subscribe"];
    type Scope = MemberScope;
    type Desired = BillingAlarm;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&BillingAlarm> {
        baseline.billing_alarm.as_ref()
    }

    async fn inspect(&self, scope: &MemberScope, desired: &BillingAlarm) -> Result<Actual, CallError> {
        let topic_arn = desired.topic_arn(&scope.account_id);
        let topic = async {
            let Some(topic) = scope.sns.find_topic(&topic_arn).await? else { return Ok(None) };
            let subscriptions = scope.sns.list_email_subscriptions(&topic_arn).await.map_err(not_known_everywhere)?;
            let (account, alarm_name) = (&scope.account_id, desired.alarm_name.as_str());
            let publication = Publication { account, topic_arn: &topic_arn, alarm_name };
            let verdict = topic_policy::judge(topic.policy.as_deref(), publication);
            Ok(Some(PresentTopic { verdict, kms_key: topic.kms_key, subscriptions }))
        };
        let alarm = scope.cloudwatch.find_metric_alarm(&desired.alarm_name);
        let (topic, alarm) = try_join(topic, alarm).await?;
        Ok(Actual { topic, alarm })
    }

    fn plan(&self, scope: &MemberScope, desired: &BillingAlarm, actual: &Actual) -> Vec<Change> {
        plan(&scope.account_id, desired, actual)
    }

    async fn apply(&self, scope: &MemberScope, change: &Change) -> Result<(), CallError> {
        match change {
            Change::CreateTopic { name } => scope.sns.create_topic(name).await,
            Change::AllowCloudWatch { topic_arn, policy } => scope.sns.set_topic_policy(topic_arn, policy).await,
            Change::Subscribe { topic_arn, address, to_new_topic } => {
                let answer = scope.sns.subscribe_email(topic_arn, address).await;
                answer.map_err(|error| if *to_new_topic { not_known_everywhere(error) } else { error })
            }
            Change::PutAlarm { alarm, .. } => scope.cloudwatch.put_metric_alarm(alarm).await,
        }
    }

    fn notes(&self, _desired: &BillingAlarm, actual: &Actual) -> Vec<String> {
        let Some(topic) = &actual.topic else { return Vec::new() };
        let pending = topic.subscriptions.iter().filter(|subscription| subscription.pending);
        let pending = pending.map(|s| format!("{} has not confirmed the subscription yet", s.endpoint));
        let key = topic.kms_key.as_ref().filter(|key| !is_key_of_aws(key));
        let key = key.map(|key| format!("the topic is encrypted: the policy of {key} must let CloudWatch use it"));
        let unreadable = topic.unreadable().map(|why| format!("whether CloudWatch may publish is unknown: {why}"));
        pending.chain(key).chain(unreadable).collect()
    }

    fn by_hand(&self, _desired: &BillingAlarm, actual: &Actual) -> Vec<String> {
        actual.topic.as_ref().map(PresentTopic::manual_work).unwrap_or_default()
    }

    fn pending(&self, _desired: &BillingAlarm, actual: &Actual) -> Option<Failure> {
        let why = actual.topic.as_ref()?.unreadable()?;
        Some(Failure::with_detail(Cause::TopicPolicyUnclear, format_args!("{why}.")))
    }

    fn are_concurrent(&self, one: &Change, _next: &Change) -> bool {
        // Everything else needs the topic.
        !matches!(one, Change::CreateTopic { .. })
    }
}

impl PresentTopic {
    /// What keeps CloudWatch from publishing because somebody has decided so.
    fn manual_work(&self) -> Vec<String> {
        let mut manual_work = Vec::new();
        if let Verdict::DeniedBy(statements) = &self.verdict {
            let statements = statements.join(" and ");
            manual_work.push(format!(
                "make {statements} of the topic's policy except {CLOUDWATCH}, which it forbids to publish, \
                 or take it away"
            ));
        }
        if let Some(key) = self.kms_key.as_ref().filter(|key| is_key_of_aws(key)) {
            manual_work.push(format!(
                "encrypt the topic with a key of the account's own whose policy lets {CLOUDWATCH} use it, or \
                 not at all: CloudWatch cannot use {key}"
            ));
        }
        manual_work
    }

    /// Why it cannot be told whether CloudWatch may publish.
    fn unreadable(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Unreadable(why) => Some(why),
            Verdict::Allowed | Verdict::Missing { .. } | Verdict::DeniedBy(_) => None,
        }
    }
}

/// What an error is of a topic that was made or seen a moment ago: such a one is not known everywhere in Amazon SNS.
fn not_known_everywhere(mut error: CallError) -> CallError {
    if error.cause == Cause::NotFound {
        error.cause = Cause::NotVisibleYet;
    }
    error
}

/// Whether a topic's key is the one of AWS, by its alias or the ARN of its alias.
fn is_key_of_aws(key: &str) -> bool {
    key.rsplit(':').next() == Some(KEY_OF_AWS)
}

fn plan(account: &AccountId, desired: &BillingAlarm, actual: &Actual) -> Vec<Change> {
    let mut changes = Vec::new();
    let topic_arn = desired.topic_arn(account);
    let subscriptions = match &actual.topic {
        None => {
            changes.push(Change::CreateTopic { name: desired.topic_name.clone() });
            &[][..]
        }
        Some(topic) => {
            if let Verdict::Missing { policy } = &topic.verdict {
                changes.push(Change::AllowCloudWatch { topic_arn: topic_arn.clone(), policy: policy.clone() });
            }
            &topic.subscriptions
        }
    };
    for email in &desired.emails {
        let is_subscribed = |s: &EmailSubscription| s.endpoint.eq_ignore_ascii_case(email.as_str());
        if !subscriptions.iter().any(is_subscribed) {
            let (address, to_new_topic) = (email.to_string(), actual.topic.is_none());
            changes.push(Change::Subscribe { topic_arn: topic_arn.clone(), address, to_new_topic });
        }
    }
    let alarm = desired.alarm(account);
    match &actual.alarm {
        None => changes.push(Change::PutAlarm { alarm: Box::new(alarm), differs: None }),
        Some(present) => {
            let alarm = corrected(present, alarm);
            if *present != alarm {
                let differs = Some(differences(present, &alarm));
                changes.push(Change::PutAlarm { alarm: Box::new(alarm), differs });
            }
        }
    }
    changes
}

/// The present alarm with what the section speaks of as it should be, and everything else as it is.
fn corrected(present: &MetricAlarm, wanted: MetricAlarm) -> MetricAlarm {
    let mut actions: Vec<String> = present.actions.iter().cloned().chain(wanted.actions).collect();
    actions.sort();
    actions.dedup();
    MetricAlarm { actions, rest: present.rest.clone(), ..wanted }
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
        ("unit", present.unit.clone().unwrap_or_default(), wanted.unit.clone().unwrap_or_default()),
        ("actions enabled", present.actions_enabled.to_string(), wanted.actions_enabled.to_string()),
    ]
    .into_iter()
    .filter(|(_, is, should)| is != should)
    .map(|(what, is, should)| format!("{what} {} -> {}", shown(&is), shown(&should)))
    .collect()
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

#[cfg(test)]
mod tests;
