//! AWS STS: sessions in member accounts.

use jiff::SignedDuration;
use serde_json::Value;

use super::{Answer, Refusal, unknown};
use crate::{
    call::Call,
    cloud::{Principal, RootSession, SECRET, State},
    permissions::Permissions,
    template::{items, last, texts},
    time,
};

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(Answer::query(
            "GetCallerIdentity",
            &format!(
                "<Account>{0}</Account><Arn>arn:aws:sts::{0}:x</Arn><UserId>AROA{0}:steward</UserId>",
                who.account
            ),
        )),
        "AssumeRole" => assume_role(state, who, call),
        "AssumeRoot" => assume_root(state, who, call),
        _ => Err(unknown(state, who, call)),
    }
}

fn assume_role(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let account = call.text("RoleArn").split(':').nth(4).unwrap_or_default().to_owned();
    let denied = || Refusal::new(403, "AccessDenied", "not authorized to perform: sts:AssumeRole");
    state.asked_in.insert((account.clone(), who.function.clone()));
    state.history.asked_in.push((time::now(), account.clone(), who.function.clone()));
    let is_active = state.organization.account(&account).is_some_and(|account| account.state == "ACTIVE");
    let member = state.members.get(&account).filter(|_| is_active).ok_or_else(denied)?;
    if !member.has_role() {
        return Err(denied());
    }
    let policy: Value = serde_json::from_str(call.text("Policy"))
        .map_err(|_| Refusal::new(400, "MalformedPolicyDocument", "This policy contains invalid Json"))?;
    let actions = items(&policy["Statement"]).flat_map(|statement| texts(&statement["Action"]));
    let actions: Vec<String> = actions.map(ToOwned::to_owned).collect();
    if actions.iter().any(|action| action == "iam:CreateAccountAlias") {
        state.entered.push((time::now(), account.clone(), who.function.clone()));
    }
    let bounds = Some(Permissions::of(items(&policy["Statement"])));
    let principal = Principal { account, function: who.function.clone(), actions: Some(actions), bounds };
    let (role, name) = (last(call.text("RoleArn")), call.text("RoleSessionName"));
    let user = format!(
        "<AssumedRoleUser><AssumedRoleId>AROA{}:{name}</AssumedRoleId>\
         <Arn>arn:aws:sts::{}:assumed-role/{role}/{name}</Arn></AssumedRoleUser>",
        principal.account, principal.account
    );
    Ok(session(state, "AssumeRole", principal, &user))
}

/// A session as the root user of an account, for one task (IAM user guide, "Perform a privileged task on an AWS
/// Organizations member account").
fn assume_root(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let account = call.text("TargetPrincipal").to_owned();
    let denied = || Refusal::new(403, "AccessDenied", "not authorized to perform: sts:AssumeRoot");
    state.asked_in.insert((account.clone(), who.function.clone()));
    if state.organization.account(&account).is_none_or(|account| account.state != "ACTIVE") {
        return Err(denied());
    }
    let task = last(call.text("TaskPolicyArn.arn")).to_owned();
    let looks = ["GetLoginProfile", "ListAccessKeys", "ListMFADevices", "ListSigningCertificates"];
    let deletions = ["DeactivateMFADevice", "DeleteAccessKey", "DeleteLoginProfile", "DeleteSigningCertificate"];
    let actions: Vec<&str> = match task.as_str() {
        "IAMAuditRootUserCredentials" => [&["GetAccountSummary"], &looks[..]].concat(),
        "IAMDeleteRootUserCredentials" => [&looks[..], &deletions].concat(),
        "S3UnlockBucketPolicy" => vec!["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"],
        "SQSUnlockQueuePolicy" => vec!["sqs:GetQueueAttributes", "sqs:SetQueueAttributes"],
        _ => return Err(unknown(state, who, call)),
    };
    let named = |action: &str| if action.contains(':') { action.to_owned() } else { format!("iam:{action}") };
    let actions = actions.into_iter().map(named).collect();
    let (function, actions) = (who.function.clone(), Some(actions));
    let principal = Principal { account: account.clone(), function, actions, bounds: None };
    state.root_sessions.push(RootSession { account, task, function: who.function.clone() });
    Ok(session(state, "AssumeRoot", principal, ""))
}

/// Credentials of a session, and whose they are.
fn session(state: &mut State, operation: &str, principal: Principal, user: &str) -> Answer {
    let key = state.draws.id("session", "ABCDEFGHIJKLMNOP", 16);
    state.principals.insert(format!("ASIA{key}"), principal);
    let expires = time::now() + SignedDuration::from_mins(15);
    let expires = expires.strftime("%Y-%m-%dT%H:%M:%SZ");
    Answer::query(
        operation,
        &format!(
            "<Credentials><AccessKeyId>ASIA{key}</AccessKeyId><SecretAccessKey>{SECRET}{key}</SecretAccessKey>\
             <SessionToken>{SECRET}token{key}</SessionToken><Expiration>{expires}</Expiration></Credentials>{user}"
        ),
    )
}
