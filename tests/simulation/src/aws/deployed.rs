//! What stack sets of people put into accounts: the rules and the role that forward events, and recorders of AWS Config. They
//! come to a new account some time after it is there.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    inside::{Recorder, Rule},
    settings::{self, Role},
};
use crate::{
    cloud::{Effect, State},
    document::controls,
    template::stack,
    time,
};

/// How long a recorder is being started.
const STARTING: SignedDuration = SignedDuration::from_secs(90);

/// They come to an account that has joined.
pub(super) fn come_later(state: &mut State, account: &str) {
    if state.has_stack_sets {
        let after = state.draws.millis("stack sets come after", 60_000, 1_800_000);
        state.later(after, Effect::StackSetsCome { account: account.to_owned() });
    }
}

/// They are there.
pub(crate) fn come(state: &mut State, account: &str) {
    let starts_until = time::now() + STARTING;
    put(state, account, starts_until);
    settings::settled(state, account);
    state.note("stack sets", format_args!("have come to {account}"));
}

/// The same in an account that has had them for long.
pub(crate) fn put(state: &mut State, account: &str, starts_until: jiff::Timestamp) {
    let role = role(account, member_bus());
    let settings = settings::of(state, account);
    for region in controls::RECORDED {
        settings.recorders.insert(region.to_owned(), Recorder { is_on: true, starts_until });
    }
    for (name, pattern, state) in rules() {
        settings.rules.insert(name.to_owned(), Rule { pattern, state, target: target(account) });
    }
    settings.roles.insert(controls::FORWARDER_ROLE.to_owned(), settings::Lagging::new(Some(role)));
}

/// The bus that takes what members tell.
pub(crate) fn member_bus() -> &'static str {
    &stack().functions["BaselineApplier"].environment["MEMBER_BUS_ARN"]
}

/// Where the rules of an account forward to.
pub(crate) fn target(account: &str) -> Value {
    let role = format!("arn:aws:iam::{account}:role/{}", controls::FORWARDER_ROLE);
    json!({"Id": "management", "Arn": member_bus(), "RoleArn": role})
}

/// The rules of stacks/member-events.yaml.
pub(crate) fn rules() -> [(&'static str, Value, &'static str); 2] {
    let changes = json!({"source": [{"prefix": "aws."}], "$or": [
        {"detail-type": ["Region Opt-In Status Change"]},
        {"detail": {"eventSource": ["signin.amazonaws.com"], "userIdentity": {"type": ["Root"]}}},
        {"detail": {"userIdentity": {"type": ["Root"]}, "readOnly": [false]}},
        {"detail": {"eventSource": ["account.amazonaws.com", "organizations.amazonaws.com"], "readOnly": [false]}},
        {"detail": {"eventSource": ["iam.amazonaws.com"], "readOnly": [false],
            "requestParameters": {"roleName": [controls::ACCESS_ROLE]}}}]});
    let sessions = json!({"source": ["aws.sts"], "detail": {"eventName": ["AssumeRoot"]}});
    [
        (controls::FORWARDER, changes, "ENABLED"),
        (controls::ROOT_SESSION_FORWARDER, sessions, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
    ]
}

fn role(account: &str, bus: &str) -> Role {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "events.amazonaws.com"}, "Condition": {"StringEquals": {"aws:SourceAccount": account}}}]});
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Forward", "Effect": "Allow",
        "Action": "events:PutEvents", "Resource": bus}]});
    Role { inline: [("forward".to_owned(), policy.to_string())].into(), ..Role::trusting(&trust) }
}
