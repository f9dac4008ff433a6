use serde_json::json;

use super::*;
use crate::{
    baseline::{Baseline, Document},
    control::{billing_alarm::BillingAlarm, s3_public_access_block::S3PublicAccessBlock, switch_roles::SwitchRoles},
};

const SCP: PolicyKind = PolicyKind::ServiceControlPolicy;

fn own() -> OwnCalls {
    let roles = json!({"jump_account": "333333333333", "roles": [{"name": "role-admin", "managed_policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]}]});
    let defaults = Baseline {
        billing_alarm: Some(BillingAlarm::new(10.0, vec!["ops@example.com".parse().unwrap()])),
        switch_roles: Some(serde_json::from_value::<SwitchRoles>(roles).unwrap()),
        ..Baseline::default()
    };
    own_calls_of(defaults)
}

fn own_calls_of(defaults: Baseline) -> OwnCalls {
    let role = "OrganizationAccountAccessRole".parse().unwrap();
    OwnCalls::of(&Document::of_defaults(defaults), &role, "o-exampleorgid", &"111111111111".parse().unwrap())
}

fn of(kind: PolicyKind, statement: &Value) -> Vec<String> {
    let mut statement = statement.clone();
    statement["Effect"] = json!("Deny");
    locks(kind, &json!({"Version": "2012-10-17", "Statement": [statement]}), &own())
}

/// What a statement of a service control policy denies to Steward.
fn said(statement: &Value) -> String {
    of(SCP, statement).join("\n")
}

fn except(operator: &str, role: &str) -> Value {
    json!({operator: {"aws:PrincipalArn": role}})
}

const ROLE: &str = "arn:aws:iam::*:role/OrganizationAccountAccessRole";

#[test]
fn who_denies_everybody_everything_is_named_for_the_way_in_and_for_root_tasks() {
    let said = of(SCP, &json!({"Sid": "Nothing", "Action": "*", "Resource": "*"}));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("statement Nothing denies cloudwatch:DescribeAlarms, "), "{said:?}");
    assert!(said[0].contains("to OrganizationAccountAccessRole") && said[0].contains("ArnNotLike"), "{said:?}");
    assert!(said[1].contains("root sessions") && said[1].contains("Null aws:AssumedRoot true"), "{said:?}");
}

#[test]
fn who_excepts_the_access_role_and_root_sessions_may_deny_everything_else() {
    let mut statement = json!({"Action": "*", "Resource": "*", "Condition": except("ArnNotLike", ROLE)});
    assert!(said(&statement).contains("root sessions") && !said(&statement).contains("enters accounts"));
    statement["Condition"]["Null"] = json!({"aws:AssumedRoot": "true"});
    assert_eq!(said(&statement), "");
    // What AWS itself recommends against root users.
    let root = json!({"Action": "*", "Resource": "*", "Condition": {
        "ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::*:root"]}, "Null": {"aws:AssumedRoot": "true"}}});
    assert_eq!(said(&root), "");
    let older = json!({"Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}});
    assert!(said(&older).contains("root sessions"), "{}", said(&older));
}

#[test]
fn the_samples_that_ship_keep_nobody_out() {
    for sample in [
        include_str!("../../../../../docs/policies/protect-steward.json"),
        include_str!("../../../../../docs/policies/deny-root-users.json"),
    ] {
        let content: Value = serde_json::from_str(sample).unwrap();
        assert_eq!(locks(SCP, &content, &own()), Vec::<String>::new());
    }
}

#[test]
fn an_exception_for_one_account_leaves_the_others_denied() {
    for operator in ["ArnNotLike", "StringNotLike", "ArnNotEquals"] {
        let one = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole";
        let statement = json!({"Action": "sns:*", "Resource": "*", "Condition": except(operator, one)});
        assert!(said(&statement).contains("may deny sns:CreateTopic"), "{operator}: {}", said(&statement));
    }
}

#[test]
fn what_steward_does_not_call_may_be_denied() {
    for statement in [
        json!({"Action": ["organizations:LeaveOrganization", "cloudtrail:StopLogging"], "Resource": "*"}),
        // The way in is protected from everybody: then there is nothing that Steward would have to put right.
        json!({"Action": ["iam:DeleteRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy"], "Resource": ROLE}),
        // AWS Control Tower protects its own.
        json!({"Action": ["sns:CreateTopic", "sns:Subscribe"], "Resource": "arn:aws:sns:*:*:aws-controltower-*"}),
        json!({"Action": "s3:PutBucketPolicy", "Resource": "arn:aws:s3:::log-archive-*"}),
        // Budgets are not in this document.
        json!({"Action": "budgets:*", "Resource": "*"}),
    ] {
        assert_eq!(said(&statement), "");
    }
}

#[test]
fn what_steward_can_do_without_may_be_denied() {
    let defaults = Baseline {
        s3_public_access_block: Some(S3PublicAccessBlock::default()),
        alternate_contacts: Some(serde_json::from_value(json!({})).unwrap()),
        ..Baseline::default()
    };
    let asked_for = |actions: &Value| {
        let statement = json!({"Effect": "Deny", "Action": actions, "Resource": "*"});
        locks(SCP, &json!({"Version": "2012-10-17", "Statement": [statement]}), &own_calls_of(defaults.clone()))
    };
    // Whose policy the settings are by is a note; contacts are read from the management account instead.
    assert_eq!(asked_for(&json!(["organizations:*", "account:*"])), Vec::<String>::new());
    assert!(asked_for(&json!("s3:GetAccountPublicAccessBlock"))[0].contains("enters accounts"));
}

#[test]
fn a_region_that_is_closed_is_named_where_steward_works_in_it() {
    let mut statement = json!({"Sid": "Regions", "NotAction": ["iam:*", "s3:*", "sqs:*"], "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1"]}}});
    assert!(said(&statement).starts_with("statement Regions denies cloudwatch:DescribeAlarms"), "{}", said(&statement));
    statement["Condition"]["StringNotEquals"]["aws:RequestedRegion"] = json!(["eu-central-1", "us-east-1"]);
    assert_eq!(said(&statement), "");
}

#[test]
fn what_cannot_be_told_counts_against_the_statement() {
    for condition in [
        json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        json!({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}),
        json!({"StringEquals": {"aws:PrincipalTag/team": "blue"}}),
        json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-x/*"}}),
    ] {
        let statement = json!({"Action": "sns:*", "Resource": "*", "Condition": condition});
        assert!(said(&statement).contains("may deny sns:CreateTopic"), "{statement}");
    }
    for condition in [
        json!({"Bool": {"aws:PrincipalIsAWSService": "true"}}),
        json!({"BoolIfExists": {"aws:SecureTransport": false}}),
        json!({"Null": {"aws:CalledVia": "false"}}),
        json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"}}),
    ] {
        let statement = json!({"Action": "sns:*", "Resource": "*", "Condition": condition});
        assert_eq!(said(&statement), "", "{statement}");
    }
    let without_mfa = json!({"Action": "iam:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}});
    assert!(said(&without_mfa).contains("denies iam:AttachRolePolicy"), "{}", said(&without_mfa));
}

#[test]
fn a_resource_control_policy_must_let_the_management_account_in() {
    let mut statement = json!({"Principal": "*", "Action": "sts:AssumeRole", "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"}}});
    assert!(of(PolicyKind::ResourceControlPolicy, &statement).is_empty());
    statement["Condition"] = json!({"StringNotEqualsIfExists": {"aws:PrincipalAccount": "222222222222"}});
    let said = of(PolicyKind::ResourceControlPolicy, &statement).join("\n");
    assert!(said.contains("denies sts:AssumeRole to the management account"), "{said}");
    assert!(of(SCP, &statement).is_empty(), "it binds no account that manages");
}
