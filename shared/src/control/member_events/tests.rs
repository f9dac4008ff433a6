use aws_sdk_eventbridge::{
    Client as Events,
    operation::{
        describe_rule::{DescribeRuleError, DescribeRuleOutput},
        list_rule_names_by_target::{ListRuleNamesByTargetError, ListRuleNamesByTargetOutput},
        list_targets_by_rule::ListTargetsByRuleOutput,
    },
    types::{RuleState, Target},
};
use aws_sdk_iam::{
    Client as Iam,
    operation::{
        get_role::{GetRoleError, GetRoleOutput},
        get_role_policy::GetRolePolicyOutput,
        list_attached_role_policies::ListAttachedRolePoliciesOutput,
        list_role_policies::ListRolePoliciesOutput,
    },
    types::{Role, error::NoSuchEntityException},
};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;
use crate::{
    closed_set::ClosedSet,
    control::{
        Mode, Outcome,
        role::InlinePolicy,
        testing::{MEMBER_BUS, Rules, account, run, stopped},
    },
    gateway::testing::{denied, said},
};

const AGAIN: &str = "deploy stacks/member-events.yaml again in us-east-1: ";

fn access_role() -> RoleName {
    RoleName::organization_account_access()
}

fn role_name() -> RoleName {
    "forwarder".parse().unwrap()
}

fn role_arn() -> String {
    format!("arn:aws:iam::{}:role/forwarder", account())
}

fn forwarder(name: &str, wanted: &Wanted) -> Forwarder {
    let state = if wanted.all_calls { ALL_CALLS } else { "ENABLED" };
    Forwarder {
        name: name.to_owned(),
        rule: EventRule { pattern: Some(wanted.pattern.to_string()), state: state.to_owned() },
        target: EventTarget { arn: MEMBER_BUS.to_owned(), role_arn: Some(role_arn()), is_whole: true },
    }
}

fn trust() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": account()}}}]})
}

fn policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "Forward", "Effect": "Allow", "Action": "events:PutEvents",
        "Resource": MEMBER_BUS}]})
}

fn role() -> PresentRole {
    PresentRole {
        trust: trust().to_string().parse().unwrap(),
        boundary: None,
        attached: vec![],
        inline: vec![InlinePolicy { name: "forward".to_owned(), document: policy() }],
    }
}

/// What the stack makes.
fn whole() -> Actual {
    let [changes, sessions] = wanted(&access_role());
    Actual {
        account: account(),
        access_role: access_role(),
        bus: MEMBER_BUS.to_owned(),
        regions: vec![(Region::us_east_1(), vec![forwarder("changes", &changes), forwarder("sessions", &sessions)])],
        roles: BTreeMap::from([(role_name(), Some(role()))]),
    }
}

fn by_hand(change: impl FnOnce(&mut Actual)) -> Vec<String> {
    let mut actual = whole();
    change(&mut actual);
    MemberEventsControl.by_hand(&MemberEvents::default(), &actual)
}

fn first(actual: &mut Actual) -> &mut Forwarder {
    &mut actual.regions[0].1[0]
}

fn present(actual: &mut Actual) -> &mut PresentRole {
    actual.roles.get_mut(&role_name()).unwrap().as_mut().unwrap()
}

#[test]
fn what_the_stack_makes_is_right() {
    assert_eq!(by_hand(|_| {}), Vec::<String>::new());
    // One rule that hears everything will do as well, and more than one of a kind.
    let everything = |actual: &mut Actual| {
        let mut one = first(actual).clone();
        one.rule =
            EventRule { pattern: Some(r#"{"source": [{"prefix": "aws."}]}"#.to_owned()), state: ALL_CALLS.to_owned() };
        actual.regions[0].1 = vec![one];
    };
    assert_eq!(by_hand(everything), Vec::<String>::new());
    let besides = |actual: &mut Actual| {
        let mut off = first(actual).clone();
        off.rule.state = "DISABLED".to_owned();
        actual.regions[0].1.insert(0, off);
    };
    assert_eq!(by_hand(besides), Vec::<String>::new());
}

#[test]
fn rules_that_are_gone_are_reported_with_the_region_in_which_the_stack_is_to_be_deployed_again() {
    let nothing = |what: &str| format!("{AGAIN}no rule forwards {what} to {MEMBER_BUS}");
    assert_eq!(
        by_hand(|actual| actual.regions[0].1.clear()),
        [nothing("what root users and others change"), nothing("root sessions")]
    );
    let gone = by_hand(|actual| drop(actual.regions[0].1.pop()));
    assert_eq!(gone, [format!("{}; less or something else is heard by changes", nothing("root sessions"))]);
    let elsewhere = by_hand(|actual| actual.regions.push(("eu-central-1".parse().unwrap(), vec![])));
    assert!(elsewhere.len() == 2 && elsewhere[0].contains("again in eu-central-1: no rule"), "{elsewhere:?}");
}

#[test]
fn a_rule_that_is_off_or_matches_less_is_reported() {
    let off = by_hand(|actual| first(actual).rule.state = "DISABLED".to_owned());
    assert_eq!(off, [format!("{AGAIN}the rule changes is DISABLED, not ENABLED")]);
    // Root sessions may count as reading.
    let deaf = by_hand(|actual| actual.regions[0].1[1].rule.state = "ENABLED".to_owned());
    assert_eq!(deaf, [format!("{AGAIN}the rule sessions is ENABLED, not {ALL_CALLS}")]);
    let less = by_hand(|actual| {
        let pattern = r#"{"source": ["aws.iam"], "detail": {"readOnly": [false]}}"#;
        first(actual).rule.pattern = Some(pattern.to_owned());
    });
    assert!(less.len() == 1 && less[0].contains("less or something else is heard by changes, sessions"), "{less:?}");
    let scheduled = by_hand(|actual| first(actual).rule.pattern = None);
    assert_eq!(scheduled, less);
    // That of another account: its role is not the one through which Steward enters.
    let other = by_hand(|actual| actual.access_role = "other".parse().unwrap());
    assert_eq!(other.len(), 1, "{other:?}");
}

#[test]
fn a_rule_that_cannot_forward_is_reported_with_what_it_lacks() {
    let lines = |change: fn(&mut Actual)| by_hand(change).join(" / ");
    for (change, words) in [
        (
            (|a| first(a).target.is_whole = false) as fn(&mut Actual),
            "the rule changes forwards something else than the event",
        ),
        (|a| first(a).target.role_arn = None, "the rule changes has no role to forward by"),
        (
            |a| first(a).target.role_arn = Some("arn:aws:iam::111111111111:role/forwarder".to_owned()),
            "forwards by arn:aws:iam::111111111111:role/forwarder, which is no role of the account",
        ),
        (|a| drop(a.roles.insert(role_name(), None)), "the role forwarder of the rule changes is not there"),
        (|a| present(a).inline.clear(), "the role forwarder has no policy of its own by which it may put events on"),
        (
            |a| present(a).trust = json!({"Statement": []}).to_string().parse().unwrap(),
            "the role forwarder cannot be assumed by events.amazonaws.com",
        ),
        (
            |a| {
                let mut trust = trust();
                trust["Statement"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}));
                present(a).trust = trust.to_string().parse().unwrap();
            },
            "the role forwarder is kept from EventBridge by [Deny sts:AssumeRole to *]",
        ),
        (
            |a| {
                present(a).inline[0].document["Statement"][0]["Resource"] =
                    "arn:aws:events:us-east-1:1:event-bus/x".into();
            },
            "may put events on",
        ),
        (
            |a| present(a).boundary = Some("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()),
            "take the permissions boundary arn:aws:iam::aws:policy/ReadOnlyAccess off forwarder",
        ),
        (
            |a| present(a).attached.push("arn:aws:iam::aws:policy/AWSDenyAll".to_owned()),
            "detach arn:aws:iam::aws:policy/AWSDenyAll from forwarder",
        ),
    ] {
        let lines = lines(change);
        assert!(lines.contains(words), "{words}: {lines}");
    }
}

#[test]
fn a_condition_that_steward_does_not_know_keeps_eventbridge_out() {
    for (condition, is_admitted) in [
        (json!({"StringEquals": {"aws:SourceAccount": [account()]}}), true),
        (json!({"StringEquals": {"AWS:sourceaccount": account()}}), true),
        (json!({"StringEquals": {"aws:SourceAccount": "111111111111"}}), false),
        (json!({"StringEquals": {"aws:SourceAccount": account(), "aws:SourceArn": "x"}}), false),
        (json!({"StringNotEquals": {"aws:SourceAccount": account()}}), false),
        (json!({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}), false),
    ] {
        let mut trust = trust();
        trust["Statement"][0]["Condition"] = condition.clone();
        assert_eq!(admits_eventbridge(&trust["Statement"][0], &account()), is_admitted, "{condition}");
    }
}

#[test]
fn nothing_that_the_account_has_named_is_shown_as_it_is() {
    let lines = by_hand(|actual| {
        let rule = first(actual);
        rule.name = "x\u{1b}<script>".to_owned();
        rule.rule.state = "\u{9b}31m".to_owned();
        rule.target.role_arn = Some("\n<script>".to_owned());
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(!lines[0].contains(char::is_control) && !lines[0].contains("script"), "{lines:?}");
}

fn named(names: &[&str]) -> Rule {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    mock!(Events::list_rule_names_by_target)
        .match_requests(|r| r.target_arn() == Some(MEMBER_BUS))
        .then_output(move || ListRuleNamesByTargetOutput::builder().set_rule_names(Some(names.clone())).build())
}

fn described(name: &'static str, wanted: &Wanted) -> Rule {
    let (pattern, all_calls) = (wanted.pattern.to_string(), wanted.all_calls);
    mock!(Events::describe_rule).match_requests(move |r| r.name() == Some(name)).then_output(move || {
        let state = if all_calls { RuleState::from(ALL_CALLS) } else { RuleState::Enabled };
        DescribeRuleOutput::builder().event_pattern(&pattern).state(state).build()
    })
}

fn targets() -> Rule {
    mock!(Events::list_targets_by_rule).then_output(|| {
        let target = |arn: &str| Target::builder().id(arn).arn(arn).role_arn(role_arn()).build().unwrap();
        ListTargetsByRuleOutput::builder().targets(target("arn:aws:sqs:x")).targets(target(MEMBER_BUS)).build()
    })
}

fn gets_role() -> Rule {
    mock!(Iam::get_role).match_requests(|r| r.role_name() == Some("forwarder")).then_output(|| {
        let document = utf8_percent_encode(&trust().to_string(), NON_ALPHANUMERIC).to_string();
        let role = Role::builder().path("/").role_name("forwarder").role_id("AROA").create_date(DateTime::from_secs(0));
        let role = role.arn(role_arn()).assume_role_policy_document(document);
        GetRoleOutput::builder().role(role.build().unwrap()).build()
    })
}

fn policies() -> [Rule; 3] {
    let written = || ListRolePoliciesOutput::builder().policy_names("forward").build().unwrap();
    [
        mock!(Iam::list_attached_role_policies).then_output(|| ListAttachedRolePoliciesOutput::builder().build()),
        mock!(Iam::list_role_policies).then_output(written),
        mock!(Iam::get_role_policy).then_output(|| {
            let document = utf8_percent_encode(&policy().to_string(), NON_ALPHANUMERIC).to_string();
            let policy = GetRolePolicyOutput::builder().role_name("forwarder").policy_name("forward");
            policy.policy_document(document).build().unwrap()
        }),
    ]
}

async fn outcome(events: &[&Rule], iam: &[&Rule], desired: &MemberEvents, mode: Mode) -> (Outcome, Vec<String>) {
    let scope = Rules { events, iam, ..Rules::default() }.member();
    let outcome = run(&MemberEventsControl, &scope, desired, mode).await;
    let mut calls = scope.1.calls();
    calls.sort();
    (outcome, calls)
}

#[tokio::test]
async fn a_compliant_account_costs_nine_reads_and_five_more_for_each_other_region() {
    let [changes, sessions] = wanted(&access_role());
    let [attached, written, policy] = policies();
    let names = named(&["changes", "sessions"]);
    let events = [&names, &described("changes", &changes), &described("sessions", &sessions), &targets()];
    let iam = [&gets_role(), &attached, &written, &policy];
    let (came, calls) = outcome(&events, &iam, &MemberEvents::default(), Mode::Apply).await;
    assert_eq!((came, calls.len()), (Outcome::Compliant, 9));
    let there = MemberEvents { other_regions: vec!["eu-central-1".parse().unwrap()] };
    let (came, calls) = outcome(&events, &iam, &there, Mode::Apply).await;
    assert_eq!((came, calls.len()), (Outcome::Compliant, 14));
}

#[tokio::test]
async fn an_account_that_has_deleted_its_rules_is_drift_and_nothing_is_written() {
    for &mode in Mode::ALL {
        let (outcome, calls) = outcome(&[&named(&[])], &[], &MemberEvents::default(), mode).await;
        let lines = match outcome {
            Outcome::Drifted { planned } if mode == Mode::Plan => planned,
            Outcome::NotConverged { applied, remaining } if mode == Mode::Apply && applied.is_empty() => remaining,
            other => panic!("{other:?}"),
        };
        assert_eq!((lines.len(), calls.as_slice()), (2, ["ListRuleNamesByTarget".to_owned()].as_slice()));
    }
}

#[tokio::test]
async fn a_rule_or_a_role_that_goes_while_it_is_read_is_not_there() {
    let [changes, sessions] = wanted(&access_role());
    let names = named(&["changes", "sessions"]);
    let gone = mock!(Events::describe_rule).match_requests(|r| r.name() == Some("sessions"));
    let gone = gone.then_error(|| DescribeRuleError::generic(said("x", "y")));
    let absent = mock!(Iam::get_role)
        .then_error(|| GetRoleError::NoSuchEntityException(NoSuchEntityException::builder().message("none").build()));
    let [attached, written, _] = policies();
    let nothing = mock!(Iam::list_role_policies)
        .then_output(|| ListRolePoliciesOutput::builder().set_policy_names(Some(vec![])).build().unwrap());
    let events = [&names, &described("changes", &changes), &described("sessions", &sessions), &targets()];
    let (came, _) = outcome(&events, &[&absent, &attached, &nothing], &MemberEvents::default(), Mode::Plan).await;
    let Outcome::Drifted { planned } = came else { panic!("{came:?}") };
    assert!(
        planned.len() == 2 && planned[0].contains("the role forwarder of the rule changes is not there"),
        "{planned:?}"
    );
    // What fails otherwise is no absence.
    let events = [&names, &described("changes", &changes), &gone, &targets()];
    let (outcome, _) =
        outcome(&events, &[&gets_role(), &attached, &written], &MemberEvents::default(), Mode::Plan).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
}

#[tokio::test]
async fn what_could_not_be_read_is_never_compliant() {
    let no = mock!(Events::list_rule_names_by_target).then_error(|| ListRuleNamesByTargetError::generic(denied()));
    let (came, _) = outcome(&[&no], &[], &MemberEvents::default(), Mode::Apply).await;
    assert_eq!(stopped(came), (Cause::AccessDenied, vec![]));
    let many: Vec<_> = (0..21).map(|n| format!("r{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let (came, calls) = outcome(&[&named(&many)], &[], &MemberEvents::default(), Mode::Apply).await;
    assert_eq!((stopped(came), calls.len()), ((Cause::TooMuchToRead, vec![]), 1));
    let mut scope = Rules::default().member();
    scope.0.member_bus = None;
    let came = run(&MemberEventsControl, &scope, &MemberEvents::default(), Mode::Apply).await;
    assert_eq!(stopped(came), (Cause::CallFailed, vec![]));
}
