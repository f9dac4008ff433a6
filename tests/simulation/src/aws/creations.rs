//! The making of accounts: asynchronous calls, of which AWS takes some at once.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Answer, Refusal, events,
    member::Member,
    organizations::{Account, constraint, joined, seconds, tags},
};
use crate::{
    call::Call,
    cloud::{Effect, State},
    time,
};

/// A call of `CreateAccount` that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    pub(crate) id: String,
    pub(crate) email: String,
    name: String,
    tags: BTreeMap<String, String>,
    pub(crate) requested: Timestamp,
    /// From when on the list of calls shows it.
    pub(super) listed_from: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) outcome: Result<String, &'static str>,
}

/// Accepts a call and lets it end after a while (API reference, "CreateAccount": asynchronous, five at once).
pub(super) fn create(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let org = &state.organization;
    if org.creations.iter().filter(|creation| creation.ended.is_none()).count() >= 5 {
        return Err(constraint("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"));
    }
    let email = call.text("Email").to_lowercase();
    let is_taken = org.has_address(&email);
    let number = 300_000_000_000 + org.creations.len() as u64;
    // The call's own id is known at once; a list is consistent after a while.
    let listed_after = if state.draws.happens("creation listed late", 50) {
        state.draws.between("creation listed after", 5, 100)
    } else {
        0
    };
    let outcome = if is_taken { Err("EMAIL_ALREADY_EXISTS") } else { Ok(format!("{number:012}")) };
    let id = format!("car-{}", state.draws.id("creation", "0123456789abcdef", 32));
    let creation = Creation {
        id: id.clone(),
        email,
        name: call.text("AccountName").to_owned(),
        tags: tags(&call.input["Tags"]),
        requested: time::now(),
        listed_from: time::now() + SignedDuration::from_secs(i64::try_from(listed_after).expect("small")),
        ended: None,
        outcome,
    };
    let body = json!({"CreateAccountStatus": shown(&creation)});
    state.organization.creations.push(creation);
    let wait = state.draws.millis("creation takes", 5_000, 180_000);
    state.later(wait, Effect::CreationEnds { call: id });
    Ok(Answer::json(&body))
}

/// AWS has done with a call.
pub(crate) fn end(state: &mut State, id: &str) {
    let now = time::now();
    let (shown, role, policy) = (
        state.draws.millis("account shown", 0, 20_000),
        state.draws.millis("role there", 0, 90_000),
        state.draws.millis("policy there", 0, 60_000),
    );
    let after = |wait: Duration| now + SignedDuration::try_from(wait).expect("a short wait");
    let org = &mut state.organization;
    let creation = org.creations.iter_mut().find(|creation| creation.id == id).expect("a call that was taken");
    creation.ended = Some(now);
    let creation = creation.clone();
    let status = json!({"id": creation.id, "state": if creation.outcome.is_ok() { "SUCCEEDED" } else { "FAILED" },
        "accountName": "****"});
    if let Ok(account) = &creation.outcome {
        org.accounts.push(Account {
            id: account.clone(),
            email: creation.email.clone(),
            name: creation.name.clone(),
            state: "ACTIVE",
            joined: now,
            shown_from: after(shown),
            parent: org.root.clone(),
            tags: creation.tags.clone(),
            moved_from: None,
            indexed: None,
            tagged_at: None,
            created: true,
        });
        let member =
            Member { role_from: Some(after(role)), policy_from: Some(after(role + policy)), ..Member::default() };
        state.members.insert(account.clone(), member);
        joined(state, account);
    }
    state.note("organizations", format_args!("CreateAccount of {} ends: {:?}", creation.email, creation.outcome));
    let detail = json!({"eventName": "CreateAccountResult", "eventSource": "organizations.amazonaws.com",
        "serviceEventDetails": {"createAccountStatus": status}});
    events::happened(state, "aws.organizations", "AWS Service Event via CloudTrail", &detail);
}

/// A call as AWS shows it.
pub(super) fn shown(creation: &Creation) -> Value {
    let mut shown = json!({"Id": creation.id, "AccountName": creation.name,
        "RequestedTimestamp": seconds(creation.requested), "State": "IN_PROGRESS"});
    if let Some(ended) = creation.ended {
        shown["CompletedTimestamp"] = seconds(ended).into();
        match &creation.outcome {
            Ok(account) => {
                shown["State"] = "SUCCEEDED".into();
                shown["AccountId"] = account.as_str().into();
            }
            Err(reason) => {
                shown["State"] = "FAILED".into();
                shown["FailureReason"] = (*reason).into();
            }
        }
    }
    shown
}
