//! Work by hand that is begun twice at the same time: the AWS CLI does that when an answer takes longer than its patience,
//! and two people do. It has one effect, and neither answer tells of a failure that is only the other one's success.

use std::time::Duration;

use local_cloud::{Fault, FaultGuard, FaultKind, RootCredentials};
use serde_json::{Value, json};

use crate::{
    organization_preparer::row,
    scenario::{Scenario, TRUSTED},
};

/// How long each first look takes: both runs have looked before either one writes.
const LOOK: Duration = Duration::from_secs(5);

/// Slows a read down, so that two runs both see what was there before.
fn slow(scenario: &Scenario, service: &str, operation: &str) -> FaultGuard {
    scenario.fault(Fault::new(FaultKind::Latency(LOOK)).operation(service, operation))
}

/// The answers to the same input, given twice at once.
async fn twice(scenario: &Scenario, function: &str, input: &Value) -> [Value; 2] {
    let invoke = || scenario.stack.invoke(function, input);
    let (one, other) = futures_util::future::join(invoke(), invoke()).await;
    [one, other].map(|answer| answer.unwrap_or_else(|error| panic!("{function} {input}: {error}")))
}

/// The accounts other than the management account, in order.
fn members(scenario: &Scenario) -> Vec<String> {
    let organization = &scenario.organization;
    let mut members = organization.account_ids();
    members.retain(|id| id != organization.management_account());
    members.sort();
    members
}

fn rows(answer: &Value) -> &[Value] {
    answer["rows"].as_array().map_or(&[], Vec::as_slice)
}

const EVERY_CONTROL: &str = r#"
version: 1
defaults:
  billing-alarm: {threshold_usd: 100, emails: [costs@example.com, owners@example.com]}
  alternate-contacts:
    security: {name: A, title: B, email: a@example.com, phone: '+49 30 1'}
  regions: {enabled: [eu-central-2]}
  root-credentials: {deactivate_mfa: true}
  account-tags: {tags: {managed-by: steward}}
  account-alias: {alias: "side-by-side-{account_id}"}
  password-policy:
    minimum_length: 16
    require_symbols: true
    require_numbers: true
    require_uppercase: true
    require_lowercase: true
    users_may_change: true
    hard_expiry: false
  s3-public-access-block:
    block_public_acls: true
    ignore_public_acls: true
    block_public_policy: true
    restrict_public_buckets: true
  switch-roles:
    jump_account: "111122223333"
    roles:
      - {name: role-admin, managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess"], session_seconds: 3600}
  access-role: {also_trusted: ["111122223333"]}
"#;

#[tokio::test]
async fn a_baseline_that_two_runs_apply_at_once_is_there_once() {
    let scenario = Scenario::with_members(3, EVERY_CONTROL).await;
    let (organization, members) = (&scenario.organization, members(&scenario));
    for account in &members {
        organization.set_root_credentials(account, RootCredentials { password: true, ..RootCredentials::default() });
    }
    let since = scenario.cloud.sequence();
    let looks =
        [("sns", "GetTopicAttributes"), ("iam", "ListAccountAliases"), ("iam", "GetRole"), ("account", "ListRegions")];
    let guards = looks.map(|(service, operation)| slow(&scenario, service, operation));
    let input = json!({"account_ids": members, "mode": "apply"});
    let answers = twice(&scenario, "BaselineApplierFunction", &input).await;
    drop(guards);
    let mut worked_on = Vec::new();
    for answer in &answers {
        assert_eq!((&answer["failed"], &answer["left"]), (&Value::Null, &Value::Null), "{answer}");
        for row in rows(answer).iter().filter(|row| row["why"] != "the baseline has no section for it") {
            let expected = match row["control"].as_str() {
                // A region takes minutes, which pass while a busy machine is at work.
                Some("regions") if row["outcome"] == "fixed" => "fixed",
                Some("regions") => "not_ready",
                // The way in is as it must be, or neither run were here.
                Some("access-role") => "compliant",
                _ => "fixed",
            };
            assert_eq!(row["outcome"], expected, "{row}");
        }
        let mut accounts: Vec<_> = rows(answer).iter().filter_map(|row| row["account_id"].as_str()).collect();
        accounts.dedup();
        worked_on.extend(accounts);
        for skipped in answer["skipped"].as_array().into_iter().flatten() {
            assert!(skipped["why"].as_str().is_some_and(|why| why.starts_with("another invocation")), "{skipped}");
        }
    }
    worked_on.sort_unstable();
    assert_eq!(worked_on, members, "each account was one run's");
    for account in &members {
        let calls = scenario.cloud.calls().since(since).by_account(account);
        let member = scenario.cloud.client(account);
        let topic = format!("arn:aws:sns:us-east-1:{account}:DefaultBillingAlertTopic");
        let input = [("TopicArn", topic.as_str())];
        let subscribed = member.query("sns", "ListSubscriptionsByTopic", "2010-03-31", &input).await.expect("a list");
        let mut subscribed = subscribed.texts("Endpoint");
        subscribed.sort();
        assert_eq!(subscribed, ["costs@example.com", "owners@example.com"], "{account}");
        assert_eq!(calls.to("sns", "Subscribe").len(), 2, "each is a mail that asks to confirm");
    }
    let again = scenario.stack.baseline(&input).await.expect("an answer");
    assert_eq!(again["skipped"], Value::Null, "the turns were given back: {again}");
}

#[tokio::test]
async fn root_credentials_that_two_runs_delete_at_once_are_gone_and_neither_run_says_it_failed() {
    let scenario = Scenario::with_members(4, "version: 1\n").await;
    let (organization, members) = (&scenario.organization, members(&scenario));
    for account in &members {
        let everything = RootCredentials {
            password: true,
            access_keys: vec!["AKIAROOTEXAMPLE00001".to_owned(), "AKIAROOTEXAMPLE00002".to_owned()],
            signing_certificates: vec!["certificate".to_owned()],
            mfa_devices: vec![format!("arn:aws:iam::{account}:mfa/root")],
        };
        organization.set_root_credentials(account, everything);
    }
    let guards = [slow(&scenario, "iam", "GetAccountSummary"), slow(&scenario, "iam", "ListAccessKeys")];
    let input =
        json!({"task": "delete-credentials", "account_ids": members, "mode": "apply", "reason": "no root credentials"});
    let answers = twice(&scenario, "RootTaskRunnerFunction", &input).await;
    drop(guards);
    for answer in &answers {
        assert_eq!(rows(answer).len(), members.len(), "{answer}");
        for row in rows(answer) {
            assert!(row["outcome"] == "done" || row["outcome"] == "nothing_to_do", "{row}");
        }
    }
    // What is not there any more is no failure of whoever came second.
    let [one, other] = answers.each_ref().map(|answer| rows(answer).iter());
    let met = one.zip(other).filter(|(one, other)| one["outcome"] == "done" && other["outcome"] == "done");
    assert!(met.count() > 0, "the two runs did not meet: {answers:?}");
    for account in &members {
        assert_eq!(organization.root_credentials_of(account), RootCredentials::default(), "{account}");
    }
}

#[tokio::test]
async fn an_organization_that_two_runs_prepare_at_once_is_prepared_and_neither_run_says_a_step_failed() {
    let scenario = Scenario::with_member_as("DelegatedAdministrators", "version: 1\n").await;
    scenario.unprepare();
    let member = scenario.member();
    let guard = slow(&scenario, "organizations", "ListDelegatedAdministrators");
    let input =
        json!({"mode": "apply", "delegated_administrators": {"account.amazonaws.com": member, TRUSTED[3]: member}});
    let answers = twice(&scenario, "OrganizationPreparerFunction", &input).await;
    drop(guard);
    for answer in &answers {
        for check in ["trusted-access", "root-features", "delegated-administrators"] {
            let outcome = row(answer, check)["outcome"].as_str().unwrap_or_default();
            assert!(["fixed", "compliant"].contains(&outcome), "{check}: {answer}");
        }
    }
    let listed = scenario.stack.client.json("organizations", "ListDelegatedAdministrators", json!({})).await.unwrap();
    assert_eq!(listed["DelegatedAdministrators"].as_array().unwrap().len(), 2, "{listed}");
    let plan = scenario.stack.invoke("OrganizationPreparerFunction", &json!({"mode": "plan"})).await.unwrap();
    for check in ["trusted-access", "root-features"] {
        assert_eq!(row(&plan, check)["outcome"], "compliant", "{plan}");
    }
}
