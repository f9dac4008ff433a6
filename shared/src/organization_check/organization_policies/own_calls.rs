//! What Steward itself calls in member accounts, so that no policy takes that away.

use std::collections::BTreeSet;

use crate::{
    baseline::{Baseline, Document},
    closed_set::ClosedSet,
    control::{self, AccessPath},
    gateway::TaskPolicy,
    ids::{AccountId, Region, RoleName},
};

/// Stands for any account in the ARNs of what is called.
pub(super) const ANY_ACCOUNT: &str = "000000000000";
/// Stands for a name that nobody has thought of.
const ANY_NAME: &str = "any-name";

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Caller {
    /// A session of the access role.
    AccessRole,
    /// A session of a root user, opened from the management account.
    RootSession,
    /// A function, in the management account. Service control policies do not bind it.
    ManagementAccount,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnCall {
    pub(super) caller: Caller,
    pub(super) action: &'static str,
    /// What it is about: ARNs of [`ANY_ACCOUNT`], or `*` for what has no resource. None where that is not known: then it may
    /// be about anything.
    pub(super) resources: Option<Vec<String>>,
    /// The regions in which it is made.
    pub(super) regions: Vec<String>,
}

/// Every call that Steward makes in member accounts by its document and cannot do without, and who makes it.
#[derive(Clone, Debug)]
pub struct OwnCalls {
    pub(super) access_role: RoleName,
    pub(super) organization_id: String,
    pub(super) management_account: AccountId,
    pub(super) calls: Vec<OwnCall>,
}

impl OwnCalls {
    /// The calls of the controls that a document asks for, through this role, and of every root task.
    pub fn of(document: &Document, access_role: &RoleName, organization_id: &str, management: &AccountId) -> Self {
        let sections: Vec<&Baseline> =
            document.overrides.iter().map(|entry| &entry.sections).chain([&document.defaults]).collect();
        let is_asked_for =
            |control: &&&'static dyn control::AnyControl| sections.iter().any(|sections| control.is_in(sections));
        let mut actions: BTreeSet<&'static str> = BTreeSet::new();
        for control in control::ALL.iter().filter(is_asked_for) {
            if control.looks_through() == AccessPath::AssumedRole {
                actions.extend(control.needed_reads());
            }
            if control.changes_through() == AccessPath::AssumedRole {
                actions.extend(control.writes());
            }
        }
        // Whatever else is asked for: whether the way in is as it should be can be looked at.
        actions.insert("iam:GetRole");
        let names = Names::of(&sections, access_role);
        let mut calls: Vec<OwnCall> =
            actions.into_iter().map(|action| names.call(Caller::AccessRole, action)).collect();
        let tasks: BTreeSet<_> = TaskPolicy::ALL.iter().flat_map(|task| task.allowed_actions()).copied().collect();
        calls.extend(tasks.into_iter().map(|action| names.call(Caller::RootSession, action)));
        calls.push(OwnCall {
            caller: Caller::ManagementAccount,
            action: "sts:AssumeRole",
            resources: Some(vec![role_arn(access_role.as_str())]),
            regions: vec![Region::us_east_1().to_string()],
        });
        Self {
            access_role: access_role.clone(),
            organization_id: organization_id.to_owned(),
            management_account: management.clone(),
            calls,
        }
    }
}

/// The names that the document gives to what Steward keeps.
struct Names {
    access_role: String,
    switch_roles: Vec<String>,
    topics: Vec<String>,
    alarms: Vec<String>,
    budgets: Vec<String>,
    config_regions: Vec<String>,
}

impl Names {
    fn of(sections: &[&Baseline], access_role: &RoleName) -> Self {
        let each = |names: &dyn Fn(&Baseline) -> Vec<String>| -> Vec<String> {
            let all: BTreeSet<_> = sections.iter().flat_map(|sections| names(sections)).collect();
            all.into_iter().collect()
        };
        Self {
            access_role: access_role.to_string(),
            switch_roles: each(&|it| {
                it.switch_roles.iter().flat_map(|it| &it.roles).map(|role| role.name.to_string()).collect()
            }),
            topics: each(&|it| it.billing_alarm.iter().map(|it| it.topic_name.clone()).collect()),
            alarms: each(&|it| it.billing_alarm.iter().map(|it| it.alarm_name.clone()).collect()),
            budgets: each(&|it| it.budget.iter().map(|it| it.name.clone()).collect()),
            config_regions: each(&|it| {
                it.config_recorder.iter().flat_map(|it| &it.regions).map(ToString::to_string).collect()
            }),
        }
    }

    fn call(&self, caller: Caller, action: &'static str) -> OwnCall {
        let regions = if action.starts_with("config:") {
            self.config_regions.clone()
        } else {
            vec![Region::us_east_1().to_string()]
        };
        OwnCall { caller, action, resources: self.resources(caller, action), regions }
    }

    /// What a call is about, as the service authorization reference has it.
    fn resources(&self, caller: Caller, action: &str) -> Option<Vec<String>> {
        let arns = |prefix: &str, names: &[String]| names.iter().map(|name| format!("{prefix}{name}")).collect();
        let (service, name) = action.split_once(':')?;
        let in_region = |service: &str, rest: &str| format!("arn:aws:{service}:us-east-1:{ANY_ACCOUNT}:{rest}");
        Some(match (service, name) {
            _ if caller == Caller::RootSession => match service {
                "s3" if name == "ListAllMyBuckets" => vec!["*".to_owned()],
                "s3" => vec![format!("arn:aws:s3:::{ANY_NAME}")],
                "sqs" => vec![in_region("sqs", ANY_NAME)],
                // The root user is no resource of its own.
                _ => return None,
            },
            ("iam", "GetRole" | "GetRolePolicy" | "ListAttachedRolePolicies" | "ListRolePolicies") => {
                [std::slice::from_ref(&self.access_role), &self.switch_roles]
                    .concat()
                    .iter()
                    .map(|it| role_arn(it))
                    .collect()
            }
            (
                "iam",
                "AttachRolePolicy" | "CreateRole" | "DetachRolePolicy" | "UpdateAssumeRolePolicy" | "UpdateRole",
            ) => self.switch_roles.iter().map(|it| role_arn(it)).collect(),
            ("iam", _) if name.contains("Account") => vec!["*".to_owned()],
            ("sns", _) => arns(&in_region("sns", ""), &self.topics),
            ("cloudwatch", _) => arns(&in_region("cloudwatch", "alarm:"), &self.alarms),
            ("budgets", _) => arns(&format!("arn:aws:budgets::{ANY_ACCOUNT}:budget/"), &self.budgets),
            ("s3" | "config" | "uxc", _) => vec!["*".to_owned()],
            ("events", _) => vec![in_region("events", &format!("rule/{ANY_NAME}"))],
            ("account", _) => vec![format!("arn:aws:account::{ANY_ACCOUNT}:account")],
            _ => return None,
        })
    }
}

pub(super) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ANY_ACCOUNT}:role/{name}")
}
