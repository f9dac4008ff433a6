//! The policies of buckets and queues in members, as sessions as root see and change them. What is changed is seen in every
//! place after a while (Amazon SQS API reference, `SetQueueAttributes`: up to 60 seconds; Amazon S3 user guide, "Amazon S3 data
//! consistency model": bucket configurations are eventually consistent).

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Answer, Refusal, settings::Lagging, sqs, unknown};
use crate::{
    call::Call,
    cloud::{Principal, State},
    template::last,
    time,
};

/// The bucket and the queue that every member has.
pub(crate) const BUCKET: &str = "logs";
pub(crate) const QUEUE: &str = "orders";

/// A policy.
pub(crate) type Policy = Lagging<Option<String>>;

/// A change by a function: whose policy, what stood there and what does.
#[derive(Clone, Debug)]
pub(crate) struct Changed {
    pub(crate) at: Timestamp,
    pub(crate) account: String,
    /// `logs` or `orders`.
    pub(crate) name: &'static str,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// The URL of the queue of an account.
pub(crate) fn queue_url(account: &str) -> String {
    format!("https://sqs.us-east-1.amazonaws.com/{account}/{QUEUE}")
}

/// Another policy stands there from now on.
fn set(state: &mut State, account: &str, name: &'static str, policy: Option<String>) {
    let most = if name == QUEUE { 60_000 } else { 3_000 };
    let late =
        state.draws.happens("a policy is seen late", 60).then(|| state.draws.millis("how late a policy", 1, most));
    let late = late.map(|late| SignedDuration::try_from(late).expect("a minute"));
    let member = state.members.entry(account.to_owned()).or_default();
    member.policies.entry(name).or_default().set_late(policy, late);
}

/// Whoever administers the account puts a policy there.
pub(crate) fn lock(state: &mut State, account: &str, name: &'static str, number: u64) {
    let statement = json!({"Sid": format!("Nobody{number}"), "Effect": "Deny", "Principal": "*", "Action": "*",
        "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    set(state, account, name, Some(policy.to_string()));
    state.locks.locked.push((time::now(), account.to_owned(), name));
}

fn seen(state: &mut State, account: &str, name: &'static str) -> Option<String> {
    let is_stale = state.draws.happens("an older policy is seen", 50);
    let member = state.members.entry(account.to_owned()).or_default();
    member.policies.entry(name).or_default().seen_where(|| is_stale).clone()
}

fn change(state: &mut State, account: &str, name: &'static str, policy: Option<String>) {
    let stood = state.members.get(account).and_then(|member| member.policies.get(name));
    let before = stood.and_then(|policy| policy.now().clone());
    let (account, at) = (account.to_owned(), time::now());
    set(state, &account, name, policy.clone());
    state.locks.changed.push(Changed { at, account, name, before, after: policy });
}

/// What a session as root asks of the bucket.
pub(super) fn of_bucket(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let (bucket, _) = super::s3::place(call);
    if bucket != BUCKET {
        return Err(Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"));
    }
    let account = who.account.as_str();
    match call.operation.as_str() {
        "GetBucketPolicy" => {
            let policy = seen(state, account, BUCKET);
            let none = || Refusal::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist");
            let body = policy.ok_or_else(none)?.into_bytes();
            Ok(Answer { status: 200, content_type: "application/json", headers: Vec::new(), body })
        }
        "DeleteBucketPolicy" => {
            change(state, account, BUCKET, None);
            Ok(Answer { status: 204, ..Answer::xml(String::new()) })
        }
        "PutBucketPolicy" => {
            change(state, account, BUCKET, Some(String::from_utf8_lossy(&call.body).into_owned()));
            Ok(Answer { status: 204, ..Answer::xml(String::new()) })
        }
        _ => Err(unknown(state, who, call)),
    }
}

/// What a session as root asks of the queue.
pub(super) fn of_queue(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    if last(call.text("QueueUrl")) != QUEUE {
        return Err(sqs::missing());
    }
    let account = who.account.as_str();
    match call.operation.as_str() {
        "GetQueueAttributes" => {
            let policy = seen(state, account, QUEUE).map(|policy| json!({"Attributes": {"Policy": policy}}));
            Ok(Answer::json(&policy.unwrap_or_else(|| json!({}))))
        }
        "SetQueueAttributes" => {
            let policy = call.input["Attributes"]["Policy"].as_str().unwrap_or_default();
            change(state, account, QUEUE, Some(policy.to_owned()).filter(|policy| !policy.is_empty()));
            Ok(Answer::json(&json!({})))
        }
        _ => Err(unknown(state, who, call)),
    }
}

/// What has become of policies.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// What functions have changed.
    pub(crate) changed: Vec<Changed>,
    /// What members have locked.
    pub(crate) locked: Vec<(Timestamp, String, &'static str)>,
}
