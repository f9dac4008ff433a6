//! # member-events
//!
//! **What it does.** Checks whether the account still forwards its own events to Steward: the rules of
//! [stacks/member-events.yaml](../stacks/member-events.yaml), and the role that they forward by.
//!
//! **Why.** What root users and others change in an account is recorded in the account alone, and Steward hears of it by
//! these rules. Whoever owns the account can delete them, and then the account is silent, which looks like peace.
//!
//! **Desired state.** The section itself, `{}`: in us-east-1, where IAM and most sign-ins tell, the account's default bus
//! has rules that are on, that hear all that the rules of the stack hear, and whose target is Steward's bus for members,
//! by a role of the account that EventBridge may assume and that may put events there. `other_regions` names the other
//! regions in which the stack is deployed. Rules are found by their target, not by their names; what they hear beside does
//! not matter.
//!
//! Nothing is remediated: the rules and the role are a stack set's, and what Steward would write, CloudFormation would not
//! know of. Every difference is left to people, with the region in which the stack is to be deployed again. A new account
//! has its baseline once the stack set has come to it.
//!
//! **Limits.** A pattern that matches as much as the stack's in another way of writing than fewer conditions or more values
//! is drift. What the policy of Steward's bus, a service control policy or the queue for what could not be delivered does
//! is not seen. A policy that is attached to the role is never read: the stack's role has one of its own and no other.
//!
//! **Calls.** A compliant account costs nine, and five more for each other region: `ListRuleNamesByTarget`, then
//! `DescribeRule` and `ListTargetsByRule` for each of two rules, and once `GetRole`, `ListAttachedRolePolicies`,
//! `ListRolePolicies` and `GetRolePolicy` of each role.
//!
//! **Source.** Amazon EventBridge user guide, "Sending and receiving events between AWS accounts in Amazon EventBridge"
//! and "Creating Amazon EventBridge event patterns".

mod pattern;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Control, MemberScope, role::PresentRole};
use crate::{
    baseline::{Baseline, Findings, Validate},
    error::Cause,
    gateway::{CallError, EventRule, EventTarget},
    ids::{AccountId, Region, RoleName},
    input::Problem,
    policy_document::one_or_many,
    shown,
};

/// How many rules of one region are read. The stack has two; whoever owns the account can make some hundred.
const MOST_RULES: usize = 20;
/// The state of a rule that matches reading calls as well.
const ALL_CALLS: &str = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";

/// The `member-events` section of the baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberEvents {
    /// The regions beside us-east-1 in which the account must forward its events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_regions: Vec<Region>,
}

impl Validate for MemberEvents {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.distinct("other_regions", &self.other_regions);
        for (position, region) in self.other_regions.iter().enumerate() {
            let field = format!("other_regions[{position}]");
            findings.expect(&field, *region != Region::us_east_1(), "is looked at in any case; take it out");
        }
        findings.into_problems()
    }
}

/// What is to be forwarded.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What it is, in words.
    what: &'static str,
    /// The events, as the stack's rule has them.
    pub pattern: Value,
    /// Whether they may be records of calls that only read.
    pub all_calls: bool,
}

/// What the rules of `stacks/member-events.yaml` hear in an account that is entered through this role, in the order of the
/// template. A test compares it with the template.
pub fn wanted(access_role: &RoleName) -> [Wanted; 2] {
    let changes = json!({
        "source": [{"prefix": "aws."}],
        "$or": [
            {"detail-type": ["Region Opt-In Status Change"]},
            {"detail": {"eventSource": ["signin.amazonaws.com"], "userIdentity": {"type": ["Root"]}}},
            {"detail": {"userIdentity": {"type": ["Root"]}, "readOnly": [false]}},
            {"detail": {"eventSource": ["account.amazonaws.com", "organizations.amazonaws.com"], "readOnly": [false]}},
            {"detail": {"eventSource": ["iam.amazonaws.com"], "requestParameters": {"roleName": [access_role]},
                "readOnly": [false]}},
        ],
    });
    let sessions = json!({"source": ["aws.sts"], "detail": {"eventName": ["AssumeRoot"]}});
    [
        Wanted { what: "what root users and others change", pattern: changes, all_calls: false },
        Wanted { what: "root sessions", pattern: sessions, all_calls: true },
    ]
}

/// A rule whose target is Steward's bus.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Forwarder {
    name: String,
    rule: EventRule,
    target: EventTarget,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    account: AccountId,
    access_role: RoleName,
    bus: String,
    regions: Vec<(Region, Vec<Forwarder>)>,
    /// The roles that rules forward by; None for one that is not there.
    roles: BTreeMap<RoleName, Option<PresentRole>>,
}

/// The control `member-events`.
#[derive(Clone, Copy, Debug)]
pub struct MemberEventsControl;

impl Control for MemberEventsControl {
    const ID: &'static str = "member-events";
    const READS: &'static [&'static str] = &[
        "events:DescribeRule",
        "events:ListRuleNamesByTarget",
        "events:ListTargetsByRule",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
    ];
    const WRITES: &'static [&'static str] = &[];
    type Scope = MemberScope;
    type Desired = MemberEvents;
    type Actual = Actual;
    type Change = Infallible;

    fn desired(baseline: &Baseline) -> Option<&MemberEvents> {
        baseline.member_events.as_ref()
    }

    fn not_in(&self, scope: &MemberScope) -> Option<&'static str> {
        scope.is_own().then_some("the management account hears its own events, and forwards none")
    }

    async fn inspect(&self, scope: &MemberScope, desired: &MemberEvents) -> Result<Actual, CallError> {
        let Some(bus) = &scope.member_bus else {
            let detail = "this function does not know the bus that members forward to";
            return Err(CallError::not_sent("events:ListRuleNamesByTarget", Cause::CallFailed, detail));
        };
        let regions = std::iter::once(Region::us_east_1()).chain(desired.other_regions.iter().cloned());
        let regions = regions.map(async |region| {
            let found = forwarders(scope, &region, bus).await?;
            Ok::<_, CallError>((region, found))
        });
        let regions = try_join_all(regions).await?;
        let targets = regions.iter().flat_map(|(_, found)| found).map(|forwarder| &forwarder.target);
        let names: BTreeSet<_> = targets.filter_map(|target| role_of(target, &scope.account_id)).collect();
        let roles = names.into_iter().map(async |name| {
            let role = PresentRole::find(&scope.iam, &name).await?;
            Ok::<_, CallError>((name, role))
        });
        let roles = try_join_all(roles).await?.into_iter().collect();
        let (account, access_role) = (scope.account_id.clone(), scope.access_role.clone());
        Ok(Actual { account, access_role, bus: bus.clone(), regions, roles })
    }

    fn plan(&self, _scope: &MemberScope, _desired: &MemberEvents, _actual: &Actual) -> Vec<Infallible> {
        Vec::new()
    }

    async fn apply(&self, _scope: &MemberScope, change: &Infallible) -> Result<(), CallError> {
        match *change {}
    }

    fn by_hand(&self, _desired: &MemberEvents, actual: &Actual) -> Vec<String> {
        let wanted = wanted(&actual.access_role);
        let mut lines = Vec::new();
        for (region, found) in &actual.regions {
            lines.extend(wanted.iter().filter_map(|wanted| difference(actual, region, found, wanted)));
        }
        // Two rules forward by one role.
        let roles = actual.roles.iter().filter_map(|(name, role)| Some((name, role.as_ref()?)));
        lines.extend(roles.flat_map(|(name, role)| role.limits(name.as_str(), None)));
        lines
    }
}

/// The rules of one region that have the bus as a target. One that goes while they are read is none.
async fn forwarders(scope: &MemberScope, region: &Region, bus: &str) -> Result<Vec<Forwarder>, CallError> {
    let rules = scope.rules.of(region);
    let names = rules.list_rules_with_target(bus).await?;
    if names.len() > MOST_RULES {
        let detail = format!("{} rules in {region} have the target; {MOST_RULES} are read", names.len());
        return Err(CallError::unusable("events:ListRuleNamesByTarget", Cause::TooMuchToRead, detail));
    }
    let read = async |name: String| {
        let (rule, targets) = try_join(rules.find_rule(&name), rules.list_targets(&name)).await?;
        let target = targets.into_iter().find(|target| target.arn == bus);
        Ok::<_, CallError>(rule.zip(target).map(|(rule, target)| Forwarder { name, rule, target }))
    };
    Ok(try_join_all(names.into_iter().map(read)).await?.into_iter().flatten().collect())
}

/// The name of the role that a target is sent to by, when it is one of this account.
fn role_of(target: &EventTarget, account: &AccountId) -> Option<RoleName> {
    let rest = target.role_arn.as_deref()?.strip_prefix("arn:aws:iam::")?;
    let path = rest.strip_prefix(account.as_str())?.strip_prefix(":role/")?;
    path.rsplit('/').next()?.parse().ok()
}

/// What keeps one kind of events from being forwarded from a region; None when a rule forwards it.
fn difference(actual: &Actual, region: &Region, found: &[Forwarder], wanted: &Wanted) -> Option<String> {
    let is_matching = |forwarder: &&Forwarder| {
        let pattern = forwarder.rule.pattern.as_deref().and_then(|pattern| serde_json::from_str(pattern).ok());
        pattern.is_some_and(|found| pattern::covers(&found, &wanted.pattern))
    };
    let flaws: Vec<_> = found.iter().filter(is_matching).map(|forwarder| flaws(actual, forwarder, wanted)).collect();
    let why = match flaws.into_iter().min_by_key(Vec::len) {
        Some(flaws) if flaws.is_empty() => return None,
        Some(flaws) => flaws.join(", "),
        None => {
            let names: Vec<_> = found.iter().map(|forwarder| shown::name(&forwarder.name)).collect();
            let others = if names.is_empty() {
                String::new()
            } else {
                format!("; less or something else is heard by {}", names.join(", "))
            };
            format!("no rule forwards {} to {}{others}", wanted.what, actual.bus)
        }
    };
    Some(format!("deploy stacks/member-events.yaml again in {region}: {why}"))
}

/// What keeps a rule that matches the events from forwarding them.
fn flaws(actual: &Actual, forwarder: &Forwarder, wanted: &Wanted) -> Vec<String> {
    let (rule, target, name) = (&forwarder.rule, &forwarder.target, shown::name(&forwarder.name));
    let mut flaws = Vec::new();
    let is_on = rule.state == ALL_CALLS || (rule.state == "ENABLED" && !wanted.all_calls);
    if !is_on {
        let expected = if wanted.all_calls { ALL_CALLS } else { "ENABLED" };
        flaws.push(format!("the rule {name} is {}, not {expected}", shown::name(&rule.state)));
    }
    if !target.is_whole {
        flaws.push(format!("the rule {name} forwards something else than the event"));
    }
    match (role_of(target, &actual.account), &target.role_arn) {
        (None, None) => flaws.push(format!("the rule {name} has no role to forward by")),
        (None, Some(arn)) => {
            flaws.push(format!("the rule {name} forwards by {}, which is no role of the account", shown::arn(arn)));
        }
        (Some(by), _) => match actual.roles.get(&by) {
            Some(Some(found)) => flaws.extend(role_flaws(actual, &by, found)),
            _ => flaws.push(format!("the role {by} of the rule {name} is not there")),
        },
    }
    flaws
}

/// What keeps EventBridge from putting events on the bus by a role.
fn role_flaws(actual: &Actual, name: &RoleName, role: &PresentRole) -> Vec<String> {
    let mut flaws: Vec<_> =
        role.trust.denials().map(|denial| format!("the role {name} is kept from EventBridge by [{denial}]")).collect();
    if !role.trust.statements().any(|(statement, _)| admits_eventbridge(statement, &actual.account)) {
        flaws.push(format!("the role {name} cannot be assumed by events.amazonaws.com"));
    }
    if !role.allows("events:PutEvents", &actual.bus) {
        flaws.push(format!("the role {name} has no policy of its own by which it may put events on {}", actual.bus));
    }
    flaws
}

/// Whether a statement lets EventBridge assume a role for rules of this account.
fn admits_eventbridge(statement: &Value, account: &AccountId) -> bool {
    let is = |member: &Value, expected: &str| {
        one_or_many(member).iter().filter_map(Value::as_str).any(|text| text.eq_ignore_ascii_case(expected))
    };
    let is_met = match statement.get("Condition") {
        None => true,
        Some(condition) => {
            let only = |value: &Value| value.as_object().filter(|members| members.len() == 1).cloned();
            let keys = only(condition).and_then(|operators| only(operators.get("StringEquals")?));
            let source = keys.and_then(|keys| keys.into_iter().next());
            source.is_some_and(|(key, value)| {
                key.eq_ignore_ascii_case("aws:SourceAccount") && is(&value, account.as_str())
            })
        }
    };
    statement["Effect"] == "Allow"
        && is_met
        && is(&statement["Principal"]["Service"], "events.amazonaws.com")
        && is(&statement["Action"], "sts:AssumeRole")
}

#[cfg(test)]
mod tests;
