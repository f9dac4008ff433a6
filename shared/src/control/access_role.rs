//! # access-role
//!
//! **What it does.** Compares the role through which Steward enters the account with what it must be: who may assume it,
//! that it may do everything, and that nothing takes that away.
//!
//! **Why.** Everything that Steward does in an account goes through this role, and whoever else may assume it owns the
//! account. It is noticed when it is gone; that somebody was let in beside Steward, or that it can do half of what it
//! could, is not.
//!
//! **Desired state.** The section itself, `{}`: the management account may assume the role without a condition, nobody
//! else may, and it has `AdministratorAccess`. `also_trusted` names whom people have let in beside: an account, or the ARN
//! of a role or user in one. Principals of the management account are always welcome. A role of another name is the
//! stack's parameter `AccessRoleName`.
//!
//! Where neither `AdministratorAccess` nor a policy that is written into the role allows everything, `AdministratorAccess`
//! is attached, as far as the session still may do that. Whoever is let in beside is taken out of who may assume the role,
//! and every other word of it is left as it is; but only where a statement that stays lets the management account in
//! without a condition, because a mistake there locks Steward out for good. Where none does, and for all else, people are
//! told what to do: what lets the management account in is named before what is to be taken out, in the order in which it
//! is safe. A policy of the account that is attached beside can only take something away; of AWS's own policies, those
//! that deny everything are known by name.
//!
//! **Limits.** Service control policies are not seen. A statement that lets everybody in under a condition is drift,
//! whatever the condition says. How long its sessions may last is not looked at: IAM allows no less than an hour, and
//! Steward's last a quarter of one. A role that cannot be assumed at all, or that may not read itself any more, makes the
//! control unknown.
//!
//! **Calls.** A compliant account costs three, `GetRole`, `ListAttachedRolePolicies` and `ListRolePolicies`, and one
//! `GetRolePolicy` for each policy that is written into the role.
//!
//! **Source.** AWS Organizations user guide, "Accessing member accounts in an organization": the role that AWS makes in
//! a new account trusts the management account and has `AdministratorAccess`. IAM user guide, "Policy evaluation
//! logic", says which statement of a policy wins.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Control, MemberScope,
    role::{self, ADMINISTRATOR_ACCESS, PresentRole},
    trust::{TrustPolicy, account_or_arn},
};
use crate::{
    baseline::{Baseline, Findings, Validate},
    gateway::CallError,
    ids::{AccountId, RoleName},
    input::Problem,
    policy_document::one_or_many,
};

/// The `access-role` section of the baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRole {
    /// Who may assume the role beside the management account: ids of accounts, or ARNs of roles and users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_trusted: Vec<String>,
}

impl Validate for AccessRole {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.distinct("also_trusted", self.also_trusted.iter().map(|who| account_or_arn(who)));
        for (position, who) in self.also_trusted.iter().enumerate() {
            findings.expect(
                &format!("also_trusted[{position}]"),
                is_somebody(who),
                "must be the id of an account, or an ARN such as arn:aws:iam::111122223333:role/audit",
            );
        }
        findings.into_problems()
    }
}

/// Whether a text names one account, role or user. A wildcard names everybody.
fn is_somebody(text: &str) -> bool {
    let who = account_or_arn(text);
    let in_account = who.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(':'));
    let is_name = |name: &str| {
        let name = name.strip_prefix("role/").or_else(|| name.strip_prefix("user/")).unwrap_or_default();
        let is_in_name = |letter: u8| letter.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&letter);
        !name.is_empty() && !name.ends_with('/') && name.len() <= 576 && name.bytes().all(is_in_name)
    };
    who.parse::<AccountId>().is_ok()
        || in_account.is_some_and(|(account, name)| account.parse::<AccountId>().is_ok() && is_name(name))
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    name: RoleName,
    management_account: AccountId,
    /// None when no role has the name.
    role: Option<PresentRole>,
}

/// A change of the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    role: RoleName,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// `AdministratorAccess` is attached.
    Attach,
    /// Whoever is let in beside is taken out.
    Narrow { trust: TrustPolicy, differs: String },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = &self.role;
        match &self.what {
            What::Attach => write!(f, "attach {ADMINISTRATOR_ACCESS} to {role}"),
            What::Narrow { differs, .. } => write!(f, "correct who may assume {role}: {differs}"),
        }
    }
}

/// The control `access-role`.
#[derive(Clone, Copy, Debug)]
pub struct AccessRoleControl;

impl Control for AccessRoleControl {
    const ID: &'static str = "access-role";
    const READS: &'static [&'static str] = role::READS;
    const WRITES: &'static [&'static str] = &["iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"];
    type Scope = MemberScope;
    type Desired = AccessRole;
    type Actual = Actual;
    type Change = Change;

    fn desired(baseline: &Baseline) -> Option<&AccessRole> {
        baseline.access_role.as_ref()
    }

    fn not_in(&self, scope: &MemberScope) -> Option<&'static str> {
        scope.leaves_roles_alone()
    }

    async fn inspect(&self, scope: &MemberScope, _desired: &AccessRole) -> Result<Actual, CallError> {
        let (name, management_account) = (scope.access_role.clone(), scope.management_account.clone());
        PresentRole::find(&scope.iam, &name).await.map(|role| Actual { name, management_account, role })
    }

    fn plan(&self, _scope: &MemberScope, desired: &AccessRole, actual: &Actual) -> Vec<Change> {
        let Some(role) = &actual.role else { return Vec::new() };
        let change = |what| Change { role: actual.name.clone(), what };
        let attach = (!role.allows_everything()).then_some(What::Attach);
        let narrow = Judged::new(desired, actual, role).narrowed();
        attach.into_iter().chain(narrow).map(change).collect()
    }

    async fn apply(&self, scope: &MemberScope, Change { role, what }: &Change) -> Result<(), CallError> {
        match what {
            What::Attach => scope.iam.attach_policy(role, ADMINISTRATOR_ACCESS).await,
            What::Narrow { trust, .. } => scope.iam.put_trust_policy(role, &trust.to_json()).await,
        }
    }

    fn by_hand(&self, desired: &AccessRole, actual: &Actual) -> Vec<String> {
        let Actual { name, management_account, role } = actual;
        let Some(role) = role else {
            return vec![format!("make the role {name} with {ADMINISTRATOR_ACCESS}, for {management_account}")];
        };
        let mut lines = Judged::new(desired, actual, role).by_hand(actual);
        lines.extend(role.limits(name.as_str(), Some(ADMINISTRATOR_ACCESS)));
        lines
    }
}

/// Who may assume the role, judged.
struct Judged<'a> {
    present: &'a TrustPolicy,
    /// The same without whom nobody has named.
    narrow: TrustPolicy,
    /// Whether a statement of the narrow one lets the management account in, whatever it comes with.
    is_open: bool,
}

impl<'a> Judged<'a> {
    fn new(desired: &AccessRole, actual: &Actual, role: &'a PresentRole) -> Self {
        let management_account = actual.management_account.as_str();
        let is_welcome = |id: &Value| {
            id.as_str().map(account_or_arn).is_some_and(|id| {
                is_within(&id, management_account) || desired.also_trusted.iter().any(|who| is_within(&id, who))
            })
        };
        let narrow = role.trust.edited(|statement| narrowed(statement, is_welcome));
        let opens = |statement: &Value| {
            let is_management = |id: &Value| id.as_str().map(account_or_arn).as_deref() == Some(management_account);
            let let_in = one_or_many(&statement["Principal"]["AWS"]).iter().any(is_management);
            statement["Effect"] == "Allow" && let_in && lets_in(statement)
        };
        let is_open = narrow.statements().any(|(statement, _)| opens(statement));
        Self { present: &role.trust, narrow, is_open }
    }

    /// The trust policy to write: one by which the management account still comes in.
    fn narrowed(self) -> Option<What> {
        let differs = self.present.differences(&self.narrow).filter(|_| self.is_open)?;
        Some(What::Narrow { trust: self.narrow, differs })
    }

    /// What is left to people. Who is to be let in comes before who is to be kept out.
    fn by_hand(&self, Actual { name, management_account, .. }: &Actual) -> Vec<String> {
        let denials = self.present.denials();
        let denials = denials.map(|words| format!("take [{words}] out of who may assume {name}, which it keeps out"));
        let denials: Vec<_> = denials.collect();
        let differs = self.present.differences(&self.narrow).filter(|_| !self.is_open);
        let opening = (!self.is_open).then(|| {
            let statement = format!("[Allow sts:AssumeRole to AWS {management_account}]");
            let is_last = denials.is_empty() && differs.is_none();
            let first = if is_last { "" } else { " before anything is taken out" };
            format!("add {statement} to who may assume {name}{first}; without it Steward may be locked out")
        });
        let others = differs.as_ref().map(|differs| {
            format!("correct who may assume {name}, or name whom it lets in as also_trusted: {differs}")
        });
        opening.into_iter().chain(denials).chain(others).collect()
    }
}

/// A statement without whom it lets in and nobody has named; None where nobody is left.
fn narrowed(statement: &Value, is_welcome: impl Fn(&Value) -> bool) -> Option<Value> {
    if statement["Effect"] != "Allow" {
        return Some(statement.clone());
    }
    let kinds = statement.get("Principal")?.as_object()?;
    let all = one_or_many(kinds.get("AWS")?);
    let welcome: Vec<_> = all.iter().filter(|id| is_welcome(id)).cloned().collect();
    if welcome.is_empty() || statement.get("NotPrincipal").is_some() {
        return None;
    }
    let mut statement = statement.clone();
    if kinds.len() > 1 || welcome.len() < all.len() {
        statement["Principal"] = json!({"AWS": welcome});
    }
    Some(statement)
}

/// Whether a statement that allows lets in whom it names, whatever they come with.
fn lets_in(statement: &Value) -> bool {
    let is_assume = |action: &Value| action.as_str().is_some_and(|action| role::fits(action, "sts:AssumeRole"));
    statement.get("Condition").is_none() && one_or_many(&statement["Action"]).iter().any(is_assume)
}

/// Whether a principal is this one, or belongs to this account.
fn is_within(id: &str, who: &str) -> bool {
    let who = account_or_arn(who);
    let is_in_account = || {
        let belongs = |service| id.strip_prefix(service).and_then(|rest| rest.strip_prefix(who.as_str()));
        ["arn:aws:iam::", "arn:aws:sts::"].into_iter().filter_map(belongs).any(|rest| rest.starts_with(':'))
    };
    id == who || (who.parse::<AccountId>().is_ok() && is_in_account())
}

#[cfg(test)]
mod tests;
