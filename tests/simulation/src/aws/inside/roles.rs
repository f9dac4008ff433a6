//! AWS IAM: the roles of an account.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    aws::{
        Answer, Refusal,
        settings::{self, Role},
    },
    call::Call,
    cloud::{Principal, State},
    document::controls,
    script::Control,
};

pub(super) fn knows(call: &Call) -> bool {
    matches!(
        call.operation.as_str(),
        "GetRole"
            | "GetRolePolicy"
            | "ListAttachedRolePolicies"
            | "ListRolePolicies"
            | "CreateRole"
            | "UpdateAssumeRolePolicy"
            | "UpdateRole"
            | "AttachRolePolicy"
            | "DetachRolePolicy"
    )
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let name = call.text("RoleName").to_owned();
    let missing = || Refusal::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."));
    settings::of(state, &who.account);
    let settings = state.settings.get_mut(&who.account).expect("it is there");
    let entry = settings.roles.entry(name.clone()).or_default();
    // What a call that changes something does not see yet, it does not change.
    let seen = entry.seen(&mut state.draws).clone();
    let operation = call.operation.as_str();
    match operation {
        "GetRole" => return Ok(Answer::query("GetRole", &shown(&who.account, &name, &seen.ok_or_else(missing)?))),
        "ListAttachedRolePolicies" => {
            let attached = seen.ok_or_else(missing)?.attached;
            let rows = attached.iter().map(|arn| {
                let name = arn.rsplit('/').next().unwrap_or_default();
                format!("<member><PolicyName>{name}</PolicyName><PolicyArn>{arn}</PolicyArn></member>")
            });
            let rows = rows.collect::<String>();
            let rows = format!("<AttachedPolicies>{rows}</AttachedPolicies><IsTruncated>false</IsTruncated>");
            return Ok(Answer::query("ListAttachedRolePolicies", &rows));
        }
        "ListRolePolicies" => {
            let rows = seen.ok_or_else(missing)?.inline.into_keys().map(|name| format!("<member>{name}</member>"));
            let rows = rows.collect::<String>();
            let rows = format!("<PolicyNames>{rows}</PolicyNames><IsTruncated>false</IsTruncated>");
            return Ok(Answer::query("ListRolePolicies", &rows));
        }
        "GetRolePolicy" => {
            let policy = call.text("PolicyName");
            let document = seen.ok_or_else(missing)?.inline.remove(policy);
            let none = || Refusal::new(404, "NoSuchEntity", format!("The role policy {policy} cannot be found."));
            let document = utf8_percent_encode(&document.ok_or_else(none)?, NON_ALPHANUMERIC).to_string();
            let shown = format!(
                "<RoleName>{name}</RoleName><PolicyName>{policy}</PolicyName><PolicyDocument>{document}</PolicyDocument>"
            );
            return Ok(Answer::query("GetRolePolicy", &shown));
        }
        "CreateRole" if entry.now().is_some() => {
            return Err(Refusal::new(409, "EntityAlreadyExists", format!("Role with name {name} already exists.")));
        }
        "CreateRole" => {
            let seconds = call.text("MaxSessionDuration");
            let role = Role {
                path: Some(call.text("Path")).filter(|path| !path.is_empty()).unwrap_or("/").to_owned(),
                trust: call.text("AssumeRolePolicyDocument").to_owned(),
                session_seconds: if seconds.is_empty() { "3600" } else { seconds }.to_owned(),
                description: call.text("Description").to_owned(),
                attached: BTreeSet::new(),
                inline: BTreeMap::new(),
            };
            let answer = Answer::query("CreateRole", &shown(&who.account, &name, &role));
            entry.set(Some(role), &mut state.draws);
            settings::changed(state, &who.account, control_of(&name), Some(&who.function));
            return Ok(answer);
        }
        _ => {}
    }
    let (Some(mut role), Some(_)) = (entry.now().clone(), seen) else { return Err(missing()) };
    let policy = call.text("PolicyArn");
    match operation {
        "UpdateAssumeRolePolicy" => call.text("PolicyDocument").clone_into(&mut role.trust),
        "UpdateRole" => {
            // What is left out stays.
            let given = |name: &str| Some(call.text(name)).filter(|value| !value.is_empty()).map(ToOwned::to_owned);
            role.session_seconds = given("MaxSessionDuration").unwrap_or(role.session_seconds);
            role.description = given("Description").unwrap_or(role.description);
        }
        "AttachRolePolicy" => drop(role.attached.insert(policy.to_owned())),
        _ if role.attached.remove(policy) => {}
        _ => {
            let why = format!("Policy {policy} was not found.");
            return Err(Refusal::new(404, "NoSuchEntity", why));
        }
    }
    if name == controls::ACCESS_ROLE && !controls::lets_steward_in(&role) {
        state.breaches.insert("access role", format!("{} of {}: {}", who.function, who.account, role.trust));
    }
    entry.set(Some(role), &mut state.draws);
    settings::changed(state, &who.account, control_of(&name), Some(&who.function));
    // Of these, one has a result without anything in it.
    Ok(Answer::query(operation, if operation == "UpdateRole" { " " } else { "" }))
}

/// The control that is about a role of this name.
fn control_of(name: &str) -> Control {
    if name == controls::ACCESS_ROLE { Control::AccessRole } else { Control::SwitchRoles }
}

fn shown(account: &str, name: &str, role: &Role) -> String {
    let Role { path, trust, session_seconds, description, .. } = role;
    let trust = utf8_percent_encode(trust, NON_ALPHANUMERIC);
    format!(
        "<Role><Path>{path}</Path><RoleName>{name}</RoleName><RoleId>AROAEXAMPLEROLEOF{account}</RoleId>\
         <Arn>arn:aws:iam::{account}:role{path}{name}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument><Description>{description}</Description>\
         <MaxSessionDuration>{session_seconds}</MaxSessionDuration></Role>"
    )
}
