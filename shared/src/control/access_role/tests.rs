use aws_sdk_iam::{
    Client,
    operation::{
        attach_role_policy::{AttachRolePolicyError, AttachRolePolicyOutput},
        get_role::{GetRoleError, GetRoleOutput},
        get_role_policy::{GetRolePolicyError, GetRolePolicyOutput},
        list_attached_role_policies::ListAttachedRolePoliciesOutput,
        list_role_policies::ListRolePoliciesOutput,
        update_assume_role_policy::UpdateAssumeRolePolicyOutput,
    },
    types::{AttachedPermissionsBoundary, AttachedPolicy, Role, error::NoSuchEntityException},
};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        role::InlinePolicy,
        testing::{Rules, management_account, run, stopped},
    },
    error::Cause,
    gateway::testing::{denied, said},
};

const NAME: &str = "OrganizationAccountAccessRole";
const READS: [&str; 3] = ["GetRole", "ListAttachedRolePolicies", "ListRolePolicies"];
const ATTACH: &str = "attach arn:aws:iam::aws:policy/AdministratorAccess to OrganizationAccountAccessRole";

/// Lets one in as AWS Organizations does.
fn letting(principal: &str) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"})
}

fn management() -> Value {
    letting(&format!("arn:aws:iam::{}:root", management_account()))
}

fn trust(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn present(statements: &[Value]) -> PresentRole {
    let trust = trust(statements).parse().unwrap();
    PresentRole { trust, boundary: None, attached: vec![ADMINISTRATOR_ACCESS.to_owned()], inline: vec![] }
}

fn actual(role: PresentRole) -> Actual {
    Actual { name: NAME.parse().unwrap(), management_account: management_account(), role: Some(role) }
}

fn by_hand(statements: &[Value]) -> Vec<String> {
    AccessRoleControl.by_hand(&AccessRole::default(), &actual(present(statements)))
}

/// What is planned for the trust of the role.
fn planned(desired: &AccessRole, statements: &[Value]) -> Vec<String> {
    let planned = AccessRoleControl.plan(&Rules::default().member().0, desired, &actual(present(statements)));
    planned.iter().map(ToString::to_string).collect()
}

fn inline(statement: &Value) -> InlinePolicy {
    InlinePolicy { name: "own".to_owned(), document: json!({"Version": "2012-10-17", "Statement": statement}) }
}

#[test]
fn the_role_as_aws_makes_it_is_right_however_it_is_written() {
    let id = management_account().to_string();
    for statements in [
        vec![management()],
        vec![letting(&id)],
        vec![json!({"Effect": "Allow", "Principal": {"AWS": [id]}, "Action": ["sts:assumerole", "sts:TagSession"]})],
        // Besides, one role of the management account.
        vec![management(), letting(&format!("arn:aws:iam::{}:role/audit", management_account()))],
    ] {
        assert_eq!(by_hand(&statements), Vec::<String>::new(), "{statements:?}");
        assert_eq!(planned(&AccessRole::default(), &statements), Vec::<String>::new(), "{statements:?}");
    }
}

#[test]
fn whoever_is_let_in_beside_is_taken_out_with_the_statement() {
    let others = [
        letting("*"),
        json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}),
        letting("111111111111"),
        letting("AIDAEXAMPLE"),
        // An account whose id begins like that of the management account's ARN.
        letting(&format!("arn:aws:iam::{}1:root", management_account())),
        json!({"Effect": "Allow", "Principal": {"AWS": ["111111111111", "arn:aws:iam::222222222222:user/eve"]}, "Action": "sts:*"}),
        json!({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}),
        json!({"Effect": "Allow", "Principal": {"AWS": "111111111111", "Federated": "idp"}, "Action": "sts:AssumeRole"}),
        json!({"Effect": "Allow", "NotPrincipal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}),
        json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a"}}}),
    ];
    for other in others {
        let lines = planned(&AccessRole::default(), &[management(), other.clone()]);
        assert_eq!(lines.len(), 1, "{other}: {lines:?}");
        assert!(lines[0].starts_with(&format!("correct who may assume {NAME}: remove [Allow ")), "{lines:?}");
        assert!(!lines[0].contains("add ["), "{lines:?}");
        assert_eq!(by_hand(&[management(), other]), Vec::<String>::new());
    }
}

#[test]
fn of_a_statement_that_lets_in_several_those_stay_whom_somebody_has_named() {
    let id = management_account();
    let (audit, eve) = ("111111111111", "arn:aws:iam::222222222222:user/eve");
    let mixed = json!({"Sid": "In", "Effect": "Allow", "Principal": {"AWS": [id, audit, eve], "Service": "ec2.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"]});
    let desired = AccessRole { also_trusted: vec![audit.to_owned()] };
    let role = present(&[mixed]);
    let Some(What::Narrow { trust, .. }) = Judged::new(&desired, &actual(role.clone()), &role).narrowed() else {
        panic!("it is narrowed")
    };
    let written: Value = serde_json::from_str(&trust.to_json()).unwrap();
    let statement = json!({"Sid": "In", "Effect": "Allow", "Principal": {"AWS": [id, audit]},
        "Action": ["sts:AssumeRole", "sts:TagSession"]});
    assert_eq!(written, json!({"Version": "2012-10-17", "Statement": [statement]}));
    // Once it is written, it is right.
    let role = PresentRole { trust, ..role };
    assert_eq!(Judged::new(&desired, &actual(role.clone()), &role).narrowed(), None);
    assert!(AccessRoleControl.by_hand(&desired, &actual(role)).is_empty());
}

#[test]
fn whom_people_have_let_in_is_no_drift_and_nobody_else_is_let_in_by_that() {
    let role = "arn:aws:iam::111111111111:role/audit";
    let lines = |also: &str, principal: &str| {
        let desired = AccessRole { also_trusted: vec![also.to_owned()] };
        planned(&desired, &[management(), letting(principal)]).len()
    };
    for (also, principal, expected) in [
        ("111111111111", "arn:aws:iam::111111111111:root", 0),
        ("arn:aws:iam::111111111111:root", "111111111111", 0),
        ("111111111111", role, 0),
        (role, role, 0),
        (role, "111111111111", 1),
        (role, "arn:aws:iam::111111111111:role/audit2", 1),
        ("111111111111", "arn:aws:iam::1111111111112:root", 1),
    ] {
        assert_eq!(lines(also, principal), expected, "{also} {principal}");
    }
}

#[test]
fn a_trust_that_may_lock_steward_out_is_opened_before_anything_is_taken_out_of_it() {
    let id = management_account();
    let add = format!("add [Allow sts:AssumeRole to AWS {id}] to who may assume {NAME}");
    let conditional = json!({"Effect": "Allow", "Principal": {"AWS": id}, "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}});
    for narrowed in [
        vec![conditional],
        vec![letting(&format!("arn:aws:iam::{id}:role/somebody"))],
        vec![json!({"Effect": "Allow", "Principal": {"AWS": id}, "Action": "sts:TagSession"})],
        vec![],
    ] {
        let lines = by_hand(&narrowed);
        assert_eq!(lines, [format!("{add}; without it Steward may be locked out")], "{narrowed:?}");
        let beside = [narrowed.as_slice(), &[letting("111111111111")]].concat();
        assert_eq!(planned(&AccessRole::default(), &beside), Vec::<String>::new(), "nothing is taken out: {beside:?}");
    }
    let lines = by_hand(&[letting("*")]);
    assert!(lines[0].starts_with(&add) && lines[0].contains("before anything is taken out"), "{lines:?}");
    assert!(
        lines.len() == 2 && lines[1].ends_with("also_trusted: remove [Allow sts:AssumeRole to AWS *]"),
        "{lines:?}"
    );
}

#[test]
fn a_statement_that_denies_is_drift_although_steward_has_just_come_in() {
    let night = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
        "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}});
    let lines = by_hand(&[management(), night]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("take [Deny sts:AssumeRole to * if DateGreaterThan"), "{lines:?}");
}

#[test]
fn whatever_cuts_the_role_is_named() {
    let lines = |change: fn(&mut PresentRole)| {
        let mut role = present(&[management()]);
        change(&mut role);
        let actual = actual(role);
        let planned = AccessRoleControl.plan(&Rules::default().member().0, &AccessRole::default(), &actual);
        assert!(planned.is_empty(), "{planned:?}");
        AccessRoleControl.by_hand(&AccessRole::default(), &actual)
    };
    let bounded = lines(|role| role.boundary = Some("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()));
    let expected = "take the permissions boundary arn:aws:iam::aws:policy/ReadOnlyAccess off \
        OrganizationAccountAccessRole, which it cuts";
    assert_eq!(bounded, [expected]);
    assert!(lines(|role| role.boundary = Some(ADMINISTRATOR_ACCESS.to_owned())).is_empty());

    let denied = lines(|role| role.attached.push("arn:aws:iam::aws:policy/AWSDenyAll".to_owned()));
    assert!(denied[0].ends_with("which it denies everything"), "{denied:?}");
    let own = lines(|role| role.attached.push("arn:aws:iam::222222222222:policy/own".to_owned()));
    assert!(own[0].starts_with("detach arn:aws:iam::222222222222:policy/own from"), "{own:?}");
    assert!(lines(|role| role.attached.push("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned())).is_empty());

    let written = lines(|role| {
        role.inline.push(inline(&json!({"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"})));
    });
    assert_eq!(written, [format!("take what denies out of the policy own of {NAME}")]);
    assert!(
        lines(|role| role.inline.push(inline(&json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))))
            .is_empty()
    );
}

#[test]
fn nothing_that_the_account_has_named_is_shown_as_it_is() {
    let hostile = "x\u{1b}]0;y<script>";
    let mut role = present(&[management(), letting("arn:aws:iam::1:user/\u{9b}31m")]);
    role.boundary = Some(hostile.to_owned());
    role.attached.push(hostile.to_owned());
    let deny = inline(&json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
    role.inline.push(InlinePolicy { name: hostile.to_owned(), ..deny });
    let actual = actual(role);
    let change = AccessRoleControl.plan(&Rules::default().member().0, &AccessRole::default(), &actual)[0].to_string();
    let lines = AccessRoleControl.by_hand(&AccessRole::default(), &actual);
    assert_eq!(lines.len(), 3, "{lines:?}");
    let text = lines.concat() + &change;
    assert!(!text.contains(char::is_control) && !text.contains("script"), "{text}");
}

#[test]
fn a_policy_that_is_written_into_the_role_and_allows_everything_is_as_good() {
    let lacks = |statement: Value| {
        let mut role = present(&[management()]);
        role.attached.clear();
        role.inline.push(inline(&statement));
        let scope = Rules::default().member().0;
        !AccessRoleControl.plan(&scope, &AccessRole::default(), &actual(role)).is_empty()
    };
    assert!(!lacks(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})));
    assert!(!lacks(json!([{"Effect": "Allow", "Action": ["s3:*", "*:*"], "Resource": ["*"]}])));
    for almost in [
        json!({"Effect": "Deny", "Action": "*", "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "iam:*", "Resource": "*"}),
        json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::*"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
    ] {
        assert!(lacks(almost.clone()), "{almost}");
    }
}

#[test]
fn also_trusted_names_somebody_and_never_everybody() {
    let problems = |also: &[&str]| {
        let section = AccessRole { also_trusted: also.iter().map(ToString::to_string).collect() };
        section.problems("x").len()
    };
    for who in [
        "111111111111",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::111111111111:role/a/b",
        "arn:aws:iam::111111111111:user/a",
    ] {
        assert_eq!(problems(&[who]), 0, "{who}");
    }
    for nobody in [
        "*",
        "",
        "1",
        "arn:aws:iam::111111111111:role/*",
        "arn:aws:iam::*:root",
        "arn:aws:iam::111111111111:role/",
        "ec2.amazonaws.com",
    ] {
        assert_eq!(problems(&[nobody]), 1, "{nobody}");
    }
    assert_eq!(problems(&["111111111111", "arn:aws:iam::111111111111:root"]), 1);
}

fn role(trust_policy: &str) -> GetRoleOutput {
    let document = utf8_percent_encode(trust_policy, NON_ALPHANUMERIC).to_string();
    let role = Role::builder().path("/").role_name(NAME).role_id("AROA").create_date(DateTime::from_secs(0));
    let role = role.arn(format!("arn:aws:iam::222222222222:role/{NAME}")).assume_role_policy_document(document);
    GetRoleOutput::builder().role(role.build().unwrap()).build()
}

fn gets() -> Rule {
    mock!(Client::get_role)
        .match_requests(|r| r.role_name() == Some(NAME))
        .then_output(|| role(&trust(&[management()])))
}

fn attached(arns: &[&str]) -> ListAttachedRolePoliciesOutput {
    let policies = arns.iter().map(|arn| AttachedPolicy::builder().policy_arn(*arn).build()).collect();
    ListAttachedRolePoliciesOutput::builder().set_attached_policies(Some(policies)).build()
}

fn lists(arns: &'static [&'static str]) -> Rule {
    mock!(Client::list_attached_role_policies).then_output(|| attached(arns))
}

fn written(names: &[String]) -> Rule {
    let names = names.to_vec();
    mock!(Client::list_role_policies)
        .then_output(move || ListRolePoliciesOutput::builder().set_policy_names(Some(names.clone())).build().unwrap())
}

fn reads(document: &Value) -> Rule {
    let document = utf8_percent_encode(&document.to_string(), NON_ALPHANUMERIC).to_string();
    mock!(Client::get_role_policy).then_output(move || {
        let policy = GetRolePolicyOutput::builder().role_name(NAME).policy_name("own").policy_document(&document);
        policy.build().unwrap()
    })
}

async fn outcome(rules: &[&Rule], mode: Mode) -> (Outcome, Vec<String>) {
    let scope = Rules { iam: rules, ..Rules::default() }.member();
    let outcome = run(&AccessRoleControl, &scope, &AccessRole::default(), mode).await;
    (outcome, scope.1.calls())
}

#[tokio::test]
async fn a_compliant_role_costs_three_reads() {
    let rules = [&gets(), &lists(&[ADMINISTRATOR_ACCESS]), &written(&[])];
    let (outcome, calls) = outcome(&rules, Mode::Apply).await;
    assert_eq!((outcome, calls), (Outcome::Compliant, READS.map(ToOwned::to_owned).to_vec()));
}

#[tokio::test]
async fn administrator_access_that_somebody_took_is_attached_again_and_read_back() {
    let list = mock!(Client::list_attached_role_policies).sequence();
    let list = list.output(|| attached(&[])).output(|| attached(&[ADMINISTRATOR_ACCESS])).build();
    let attach = mock!(Client::attach_role_policy)
        .match_requests(|r| (r.role_name(), r.policy_arn()) == (Some(NAME), Some(ADMINISTRATOR_ACCESS)))
        .then_output(|| AttachRolePolicyOutput::builder().build());
    let (outcome, calls) = outcome(&[&gets(), &list, &written(&[]), &attach], Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec![ATTACH.to_owned()] });
    assert_eq!(calls, [READS.as_slice(), &["AttachRolePolicy"], &READS].concat());
}

#[tokio::test]
async fn a_policy_that_a_call_whose_answer_was_lost_has_attached_is_read_back() {
    let list = mock!(Client::list_attached_role_policies).sequence();
    let list = list.output(|| attached(&[])).output(|| attached(&[ADMINISTRATOR_ACCESS])).build();
    let unanswered =
        mock!(Client::attach_role_policy).then_error(|| AttachRolePolicyError::generic(said("NoSuchEntity", "none")));
    let (outcome, _) = outcome(&[&gets(), &list, &written(&[]), &unanswered], Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec![ATTACH.to_owned()] });
}

#[tokio::test]
async fn plan_mode_names_change_and_handwork_and_writes_nothing() {
    let wide = mock!(Client::get_role).then_output(|| role(&trust(&[management(), letting("*")])));
    let (outcome, calls) = outcome(&[&wide, &lists(&[]), &written(&[])], Mode::Plan).await;
    let Outcome::Drifted { planned } = outcome else { panic!("{outcome:?}") };
    assert!(planned.len() == 2 && planned[0] == ATTACH && planned[1].starts_with("correct who may"), "{planned:?}");
    assert_eq!(calls, READS);
}

#[tokio::test]
async fn whoever_was_let_in_beside_is_taken_out_and_nothing_else_of_the_trust_is_changed() {
    let denial = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:SetSourceIdentity"});
    let (wide, right) = (trust(&[denial.clone(), letting("*"), management()]), trust(&[denial, management()]));
    let get = mock!(Client::get_role).sequence();
    let get = get.output(move || role(&wide)).output({
        let right = right.clone();
        move || role(&right)
    });
    let put = mock!(Client::update_assume_role_policy)
        .match_requests(move |r| (r.role_name(), r.policy_document()) == (Some(NAME), Some(&right)))
        .then_output(|| UpdateAssumeRolePolicyOutput::builder().build());
    let rules = [&get.build(), &lists(&[ADMINISTRATOR_ACCESS]), &written(&[]), &put];
    let (outcome, calls) = outcome(&rules, Mode::Apply).await;
    let Outcome::NotConverged { applied, remaining } = outcome else { panic!("{outcome:?}") };
    assert_eq!(applied, [format!("correct who may assume {NAME}: remove [Allow sts:AssumeRole to AWS *]")]);
    assert!(remaining.len() == 1 && remaining[0].starts_with("by hand: take [Deny "), "{remaining:?}");
    assert_eq!(calls, [READS.as_slice(), &["UpdateAssumeRolePolicy"], &READS].concat());
}

#[tokio::test]
async fn a_trust_without_a_way_in_for_steward_is_never_changed() {
    let wide = mock!(Client::get_role).then_output(|| role(&trust(&[letting("*")])));
    // A write would have no rule to answer it.
    let (outcome, calls) = outcome(&[&wide, &lists(&[ADMINISTRATOR_ACCESS]), &written(&[])], Mode::Apply).await;
    assert!(
        matches!(&outcome, Outcome::NotConverged { applied, remaining } if applied.is_empty() && remaining.len() == 2)
    );
    assert_eq!(calls, READS);
}

#[tokio::test]
async fn a_boundary_and_a_policy_that_denies_are_seen_on_the_wire() {
    let bounded = mock!(Client::get_role).then_output(|| {
        let mut output = role(&trust(&[management()]));
        let boundary = AttachedPermissionsBoundary::builder().permissions_boundary_arn("arn:aws:iam::aws:policy/x");
        output.role.as_mut().unwrap().permissions_boundary = Some(boundary.build());
        output
    });
    let deny = reads(&json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}));
    let rules = [&bounded, &lists(&[ADMINISTRATOR_ACCESS]), &written(&["own".to_owned()]), &deny];
    let (outcome, calls) = outcome(&rules, Mode::Plan).await;
    assert!(matches!(&outcome, Outcome::Drifted { planned } if planned.len() == 2), "{outcome:?}");
    assert_eq!(calls, [READS.as_slice(), &["GetRolePolicy"]].concat());
}

#[tokio::test]
async fn a_role_that_is_not_there_is_left_to_people() {
    let none = || GetRoleError::NoSuchEntityException(NoSuchEntityException::builder().message("none").build());
    let none = mock!(Client::get_role).then_error(none);
    let (outcome, _) = outcome(&[&none, &lists(&[]), &written(&[])], Mode::Plan).await;
    let line = "by hand: make the role OrganizationAccountAccessRole with \
        arn:aws:iam::aws:policy/AdministratorAccess, for 999999999999";
    assert_eq!(outcome, Outcome::Drifted { planned: vec![line.to_owned()] });
}

#[tokio::test]
async fn what_could_not_be_read_is_never_compliant() {
    let (gets, lists, none) = (gets(), lists(&[ADMINISTRATOR_ACCESS]), written(&[]));
    let cause = async |rules: &[&Rule]| stopped(outcome(rules, Mode::Apply).await.0);
    let no = mock!(Client::get_role).then_error(|| GetRoleError::generic(denied()));
    assert_eq!(cause(&[&no, &lists, &none]).await, (Cause::AccessDenied, vec![]));
    let no = mock!(Client::get_role_policy).then_error(|| GetRolePolicyError::generic(denied()));
    assert_eq!(cause(&[&gets, &lists, &written(&["own".to_owned()]), &no]).await, (Cause::AccessDenied, vec![]));
    // One that went between the list and the look.
    let gone = mock!(Client::get_role_policy).then_error(|| GetRolePolicyError::generic(said("NoSuchEntity", "gone")));
    assert_eq!(cause(&[&gets, &lists, &written(&["own".to_owned()]), &gone]).await.0, Cause::NotFound);
    let garbled = mock!(Client::get_role).then_output(|| role("{"));
    assert_eq!(cause(&[&garbled, &lists, &none]).await, (Cause::CallFailed, vec![]));
    let no = mock!(Client::attach_role_policy).then_error(|| AttachRolePolicyError::generic(denied()));
    let nothing = self::lists(&[]);
    assert_eq!(cause(&[&gets, &nothing, &none, &no]).await, (Cause::AccessDenied, vec![]));
}

#[tokio::test]
async fn a_role_that_is_filled_with_policies_is_not_read_to_the_end() {
    let names: Vec<_> = (0..21).map(|n| format!("p{n}")).collect();
    let (outcome, calls) = outcome(&[&gets(), &lists(&[ADMINISTRATOR_ACCESS]), &written(&names)], Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::TooMuchToRead, vec![]));
    assert_eq!(calls, READS);
}
