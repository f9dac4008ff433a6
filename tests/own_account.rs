//! The account that Steward runs in has its controls too: by the role of the stack, or by an access role that people have made.

use std::time::Duration;

use local_cloud::RootCredentials;
use serde_json::{Value, json};

use crate::{
    compliance_sweep::{cells, report, sweep},
    controls::DOCUMENT,
    permissions::{policy, without},
    scenario::Scenario,
};

const IAM: &str = "2010-05-08";

/// The controls that work inside an account, and are about the account alone.
pub(crate) const CONTROLS: [&str; 9] = [
    "billing-alarm",
    "root-credentials",
    "account-alias",
    "password-policy",
    "s3-public-access-block",
    "switch-roles",
    "console-color",
    "budget",
    "config-recorder",
];

fn outcome<'a>(answer: &'a Value, control: &str) -> &'a Value {
    let rows = answer["rows"].as_array().expect("rows");
    rows.iter().find(|row| row["control"] == control).unwrap_or_else(|| panic!("no {control}: {answer}"))
}

async fn run(scenario: &Scenario, mode: &str, controls: &[&str]) -> Value {
    let management = scenario.organization.management_account();
    let input = json!({"account_ids": [management], "mode": mode, "controls": controls});
    scenario.stack.baseline(&input).await.expect("the applier answers")
}

#[tokio::test]
async fn the_own_account_is_planned_put_right_and_looked_at_by_sweeps_through_the_role_of_the_stack() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let management = scenario.organization.management_account().to_owned();
    let key =
        RootCredentials { password: true, access_keys: vec!["AKIAROOT".to_owned()], ..RootCredentials::default() };
    scenario.organization.set_root_credentials(&management, key);

    let planned = run(&scenario, "plan", &CONTROLS).await;
    for control in
        ["billing-alarm", "account-alias", "password-policy", "s3-public-access-block", "console-color", "budget"]
    {
        assert_eq!(outcome(&planned, control)["outcome"], "drifted", "{planned}");
    }
    // Who makes roles for itself may do anything: that is for people to allow.
    let roles = outcome(&planned, "switch-roles");
    assert!(roles["why"].as_str().is_some_and(|why| why.contains("makes no roles")), "{roles}");
    let root = outcome(&planned, "root-credentials")["planned"].to_string();
    for what in
        ["give the root user of the management account a second factor", "delete the access keys of the root user"]
    {
        assert!(root.contains(what), "{root}");
    }

    let applied = run(&scenario, "apply", &CONTROLS).await;
    for control in
        ["billing-alarm", "account-alias", "password-policy", "s3-public-access-block", "console-color", "budget"]
    {
        assert_eq!(outcome(&applied, control)["outcome"], "fixed", "{applied}");
    }
    let since = scenario.cloud.sequence();
    let again = run(&scenario, "apply", &CONTROLS).await;
    assert_eq!(outcome(&again, "billing-alarm")["outcome"], "compliant", "{again}");
    assert_eq!(outcome(&again, "root-credentials")["outcome"], "not_converged", "{again}");
    let calls = scenario.calls_since(since).by_function("baseline-applier");
    assert!(!calls.actions().contains(&"sts:AssumeRoot".to_owned()), "nobody becomes the root user of this account");

    let guarded = RootCredentials {
        password: true,
        mfa_devices: vec![format!("arn:aws:iam::{management}:mfa/root")],
        ..RootCredentials::default()
    };
    scenario.organization.set_root_credentials(&management, guarded);
    assert_eq!(outcome(&run(&scenario, "plan", &CONTROLS).await, "root-credentials")["outcome"], "compliant");
    sweep(&scenario).await;
    let report = report(&scenario).await;
    let seen = cells(&report);
    let of = |control: &str| seen.get(&(management.clone(), control.to_owned())).map(String::as_str);
    assert_eq!((of("root-credentials"), of("billing-alarm")), (Some("compliant"), Some("compliant")), "{seen:?}");
    assert_eq!((of("switch-roles"), of("member-events")), (Some("skipped"), Some("skipped")), "{seen:?}");
}

#[tokio::test]
async fn without_a_permission_of_that_role_the_control_that_needs_it_says_so_and_the_others_work() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    // In a young account, a denial may be a matter of time.
    let management = scenario.organization.management_account();
    scenario.organization.set_joined(management, Duration::from_hours(24));
    without(&scenario, "own-account", "iam:CreateAccountAlias").await;
    let applied = run(&scenario, "apply", &["account-alias", "console-color"]).await;
    let alias = outcome(&applied, "account-alias");
    assert_eq!((&alias["outcome"], &alias["failure"]["cause"]), (&json!("unknown"), &json!("AccessDenied")), "{alias}");
    assert_eq!(outcome(&applied, "console-color")["outcome"], "fixed", "{applied}");
}

#[tokio::test]
async fn where_people_have_made_an_access_role_in_the_own_account_that_one_is_taken_and_roles_are_kept() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = scenario.organization.management_account().to_owned();
    let (root, role) = (&scenario.stack.client, ("RoleName", "OrganizationAccountAccessRole"));
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}, "Action": "sts:AssumeRole"}]});
    let input = [role, ("AssumeRolePolicyDocument", &trust.to_string())];
    root.query("iam", "CreateRole", IAM, &input).await.expect("its own access role");
    let all = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    root.query("iam", "AttachRolePolicy", IAM, &[role, all]).await.expect("its permissions");
    let applied = run(&scenario, "apply", &["switch-roles", "access-role"]).await;
    assert_eq!(outcome(&applied, "switch-roles")["outcome"], "fixed", "{applied}");
    assert_eq!(outcome(&applied, "access-role")["outcome"], "compliant", "{applied}");
}

#[tokio::test]
async fn where_people_sign_in_to_the_own_account_its_groups_are_kept_by_the_role_of_the_stack_and_nothing_beside_them()
{
    let scenario = Scenario::with_management_account_as("JumpAccountId").await;
    let account = scenario.organization.management_account().to_owned();
    let root = &scenario.stack.client;
    let role = root.query("iam", "ListRoles", IAM, &[]).await.expect("roles").texts("RoleName");
    let role = role.iter().find(|role| role.contains("OwnAccountRole")).expect("the role of the stack");
    let simulated = async |action: &str, resource: &str| {
        let source = format!("arn:aws:iam::{account}:role/{role}");
        let input = [
            ("PolicySourceArn", source.as_str()),
            ("ActionNames.member.1", action),
            ("ResourceArns.member.1", resource),
        ];
        let answer = root.query("iam", "SimulatePrincipalPolicy", IAM, &input).await.expect("a decision");
        answer.text("EvalDecision").expect("a decision") == "allowed"
    };
    let own = |what: &str| format!("arn:aws:iam::{account}:{what}");
    for (action, resource, is_allowed) in [
        ("iam:CreateGroup", own("group/steward/group-admin"), true),
        ("iam:CreateGroup", own("group/admins"), false),
        ("iam:CreatePolicyVersion", own("policy/steward/group-admin"), true),
        ("iam:CreatePolicyVersion", own("policy/theirs"), false),
        ("iam:CreateUser", own("user/steward/alice"), false),
        ("iam:CreateRole", own("role/role-admin"), false),
        ("iam:AddUserToGroup", own("group/steward/group-admin"), false),
    ] {
        assert_eq!(simulated(action, &resource).await, is_allowed, "{action} {resource}");
    }
    // The simulator of the local cloud does not know the condition, without which nothing may be attached there.
    let group = own("group/steward/group-admin");
    assert!(!simulated("iam:AttachGroupPolicy", &group).await);
    let (_, _, document) = policy(&scenario, "own-account").await;
    let attach = document["Statement"].as_array().expect("statements").iter();
    let attach: Vec<_> = attach.filter(|one| one["Action"] == "iam:AttachGroupPolicy").collect();
    let [attach] = attach[..] else { panic!("{attach:?}") };
    assert_eq!(attach["Condition"], json!({"ArnLike": {"iam:PolicyARN": own("policy/steward/*")}}));
    assert_eq!(attach["Resource"], json!(own("group/steward/*")));
}
