//! AWS STS: sessions in member accounts.

use jiff::SignedDuration;
use serde_json::Value;

use super::{Answer, Refusal, unknown};
use crate::{
    call::Call,
    cloud::{Principal, State},
    template::{items, last},
    time,
};

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(Answer::query(
            "GetCallerIdentity",
            &format!("<Account>{}</Account><Arn>arn:aws:sts::{}:x</Arn><UserId>x</UserId>", who.account, who.account),
        )),
        "AssumeRole" => assume_role(state, who, call),
        _ => Err(unknown(state, who, call)),
    }
}

fn assume_role(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let account = call.text("RoleArn").split(':').nth(4).unwrap_or_default().to_owned();
    let denied = || Refusal::new(403, "AccessDenied", "not authorized to perform: sts:AssumeRole");
    let member = state.members.get(&account).ok_or_else(denied)?;
    if !member.has_role() {
        return Err(denied());
    }
    let policy: Value = serde_json::from_str(call.text("Policy"))
        .map_err(|_| Refusal::new(400, "MalformedPolicyDocument", "This policy contains invalid Json"))?;
    let actions = items(&policy["Statement"]).flat_map(|statement| match &statement["Action"] {
        Value::String(action) => vec![action.clone()],
        actions => items(actions).filter_map(|action| Some(action.as_str()?.to_owned())).collect(),
    });
    let actions: Vec<String> = actions.collect();
    if actions.iter().any(|action| action == "iam:CreateAccountAlias") {
        state.entered.push((time::now(), account.clone(), who.function.clone()));
    }
    let (role, session) = (last(call.text("RoleArn")), call.text("RoleSessionName"));
    let principal = Principal { account: account.clone(), function: who.function.clone(), actions: Some(actions) };
    let key = state.draws.id("session", "ABCDEFGHIJKLMNOP", 16);
    state.principals.insert(format!("ASIA{key}"), principal);
    let expires = time::now() + SignedDuration::from_mins(15);
    let expires = expires.strftime("%Y-%m-%dT%H:%M:%SZ");
    Ok(Answer::query(
        "AssumeRole",
        &format!(
            "<Credentials><AccessKeyId>ASIA{key}</AccessKeyId><SecretAccessKey>secret of {key}</SecretAccessKey>\
             <SessionToken>token of {key}</SessionToken><Expiration>{expires}</Expiration></Credentials>\
             <AssumedRoleUser><AssumedRoleId>AROA{key}:{session}</AssumedRoleId>\
             <Arn>arn:aws:sts::{account}:assumed-role/{role}/{session}</Arn></AssumedRoleUser>"
        ),
    ))
}
