//! Every control of the baseline, on one document: reached, kept, broken by hand, planned and remediated.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use local_cloud::{AwsClient, Fault, FaultGuard, FaultKind, Method, RootCredentials};
use serde_json::{Value, json};
use steward::control;

use crate::compliance_sweep::{cells, report, sweep};
use crate::member_events::{forward_events, turn};
use crate::scenario::{PATIENCE, Scenario, spec};

/// Every control, with something in it to get wrong.
pub(crate) const DOCUMENT: &str = r#"
version: 1
defaults:
  billing-alarm: {threshold_usd: 100, emails: [costs@example.com]}
  alternate-contacts:
    billing: {name: Finance, title: Accounts payable, email: invoices@example.com, phone: +49 30 5550100}
    security: {name: Security, title: Incident response, email: security@example.com, phone: +49 30 5550120}
    prune: true
  primary-contact:
    full_name: Platform team
    address_line_1: Musterstrasse 1
    city: Berlin
    state_or_region: Berlin
    postal_code: "10115"
    country_code: DE
    phone_number: "+49305550100"
  regions: {enabled: [eu-central-2], disabled: [eu-south-1]}
  root-credentials: {}
  organizational-unit: {organizational_unit: /Workloads/Sandbox}
  account-tags: {tags: {managed-by: steward}}
  account-alias: {alias: "example-{account_id}"}
  password-policy: {minimum_length: 16}
  s3-public-access-block: {}
  switch-roles:
    jump_account: "111122223333"
    roles:
      - {name: role-admin, managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess"]}
      - {name: role-operator, managed_policies: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
  access-role: {}
  member-events: {}
  primary-email: {patterns: ["*@example.com", "*@*.example.com"]}
  account-name: {patterns: ["*"]}
  console-color: {color: red}
  budget: {limit_usd: 100, emails: [costs@example.com]}
  config-recorder: {regions: [us-east-1]}
overrides:
  - match: {organizational_unit: "/Workloads/**"}
    billing-alarm: {threshold_usd: 50, emails: [costs@example.com]}
  - match: {tag: {team: blue}}
    account-tags: {tags: {managed-by: steward, team: blue}}
remediate: [regions]
"#;

/// The groups of the jump account and the instances of stack sets are about more than one account, and have flows of their own.
const OF_MORE_ACCOUNTS: [&str; 2] = ["jump-groups", "stack-instances"];

/// Every control that looks at one account by what people write down for it.
static CONTROLS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    control::ALL.iter().map(|control| control.id()).filter(|id| !OF_MORE_ACCOUNTS.contains(id)).collect()
});

/// What [`break_everything`] leaves as it is: address and name are nothing that a member changes in passing.
const UNBROKEN: [&str; 2] = ["primary-email", "account-name"];

/// The line of a document that has every control remediated by auditors and sweeps.
pub(crate) fn remediate_all() -> String {
    format!("remediate: [{}]", CONTROLS.join(", "))
}

/// An account with its whole baseline.
pub(crate) async fn account_with_everything(scenario: &Scenario, name: &str) -> String {
    let listener = scenario.listen(&name.replace(' ', "-")).await;
    let id = scenario.request(&spec(name)).await;
    let account = scenario.end_of(&id).await.account_id().expect("an account").to_owned();
    // The stack sets come to it while its baseline is under way.
    forward_events(scenario, &scenario.cloud.client(&account)).await;
    record_configuration(scenario, &account).await;
    let published =
        listener.wait_for_any(&["BaselineApplied", "BaselineIncomplete"], "account_id", &account, PATIENCE * 2).await;
    assert_eq!(published.detail_type, "BaselineApplied", "{}", published.detail);
    account
}

/// Makes in an account what `stacks/config-recorder.yaml` has; the local cloud's CloudFormation knows no AWS Config.
pub(crate) async fn record_configuration(scenario: &Scenario, account: &str) {
    let template = crate::template::template_in("stacks/config-recorder.yaml");
    let group = &template["Resources"]["Recorder"]["Properties"]["RecordingGroup"];
    let role = format!("arn:aws:iam::{account}:role/recorder");
    let recorder = json!({"name": "default", "roleARN": role,
        "recordingGroup": {"allSupported": group["AllSupported"], "includeGlobalResourceTypes": true}});
    for (operation, input) in [
        ("PutConfigurationRecorder", json!({"ConfigurationRecorder": recorder})),
        ("PutDeliveryChannel", json!({"DeliveryChannel": {"name": "default", "s3BucketName": "log-archive"}})),
        ("StartConfigurationRecorder", json!({"ConfigurationRecorderName": "default"})),
    ] {
        config(scenario, account, operation, input).await;
    }
}

/// Somebody in the account calls AWS Config.
async fn config(scenario: &Scenario, account: &str, operation: &str, input: Value) {
    let member = scenario.cloud.client(account);
    member.json("config", &format!("StarlingDoveService.{operation}"), input).await.expect("AWS Config does it");
}

/// Runs the baseline of one account by hand: outcome and changes per control.
async fn run(scenario: &Scenario, account: &str, mode: &str) -> BTreeMap<String, Value> {
    let input = json!({"account_ids": [account], "mode": mode});
    let answer = scenario.stack.baseline(&input).await.expect("the applier answers");
    let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("no rows: {answer}"));
    let named = rows.iter().map(|row| (row["control"].as_str().unwrap_or_default().to_owned(), row.clone()));
    // Nothing asks for these here.
    named
        .filter(|(control, row)| !OF_MORE_ACCOUNTS.contains(&control.as_str()) || row["outcome"] != "skipped")
        .collect()
}

fn outcomes(rows: &BTreeMap<String, Value>) -> BTreeMap<&str, &str> {
    rows.iter().map(|(control, row)| (control.as_str(), row["outcome"].as_str().unwrap_or_default())).collect()
}

/// The way into a member account.
const ACCESS_ROLE: (&str, &str) = ("RoleName", "OrganizationAccountAccessRole");

/// Somebody undoes the baseline, control by control, through the AWS API.
pub(crate) async fn break_everything(scenario: &Scenario, account: &str) {
    let management = &scenario.stack.client;
    let member = scenario.cloud.client(account);
    let iam = async |client: &AwsClient, action: &str, parameters: &[(&str, &str)]| {
        client.query("iam", action, "2010-05-08", parameters).await.expect("IAM does it")
    };
    let alarm = [("AlarmNames.member.1", "DefaultBillingAlarm")];
    member.query("monitoring", "DeleteAlarms", "2010-08-01", &alarm).await.expect("the alarm is deleted");
    for (path, body) in [
        ("/deleteAlternateContact", json!({"AccountId": account, "AlternateContactType": "SECURITY"})),
        (
            "/putAlternateContact",
            json!({"AccountId": account, "AlternateContactType": "OPERATIONS", "Name": "Nobody", "Title": "None",
                "EmailAddress": "nobody@example.com", "PhoneNumber": "+49 30 1"}),
        ),
    ] {
        management.rest("account", Method::POST, path, body.to_string()).await.expect("the contacts are changed");
    }
    let contacts = scenario.organization.contacts_of(account);
    let mut primary = contacts.primary().expect("a primary contact");
    primary["City"] = "Nowhere".into();
    contacts.set_primary(Some(primary));
    let regions = scenario.organization.regions_of(account);
    regions.set("eu-central-2", "DISABLED");
    regions.set("eu-south-1", "ENABLED");
    scenario.organization.set_root_credentials(
        account,
        RootCredentials {
            password: true,
            access_keys: vec!["AKIAIOSFODNN7EXAMPLE".to_owned()],
            ..RootCredentials::default()
        },
    );
    let to = scenario.organization.unit_id("/Workloads").expect("the unit");
    let from = scenario.organization.parent_of(account).expect("a unit");
    let moved = json!({"AccountId": account, "SourceParentId": from, "DestinationParentId": to});
    management.json("organizations", "MoveAccount", moved).await.expect("the account is moved");
    let untag = json!({"ResourceId": account, "TagKeys": ["managed-by"]});
    management.json("organizations", "UntagResource", untag).await.expect("the tag is taken off");
    let alias = format!("example-{account}");
    iam(&member, "DeleteAccountAlias", &[("AccountAlias", &alias)]).await;
    iam(&member, "DeleteAccountPasswordPolicy", &[]).await;
    let block = "/v20180820/configuration/publicAccessBlock";
    let headers = [("x-amz-account-id", account)];
    member.send("s3", Method::DELETE, block, &headers, "".into()).await.expect("the block is deleted");
    let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
    iam(&member, "DetachRolePolicy", &[("RoleName", "role-admin"), ("PolicyArn", policy)]).await;
    // What the way in is left with is enough to remediate it and everything else.
    let enough = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
        "Action": ["budgets:*", "cloudwatch:*", "config:*", "events:*", "iam:*", "organizations:DescribeEffectivePolicy", "s3:*",
            "sns:*", "uxc:*"]}]});
    let policy_of_its_own = [("PolicyName", "enough"), ("PolicyDocument", &enough.to_string())];
    iam(&member, "PutRolePolicy", &[ACCESS_ROLE, policy_of_its_own[0], policy_of_its_own[1]]).await;
    iam(&member, "DetachRolePolicy", &[ACCESS_ROLE, ("PolicyArn", policy)]).await;
    turn(scenario, account, "DisableRule").await;
    let pink = json!({"accountColor": "pink"}).to_string();
    member.rest("uxc", Method::PATCH, "/v1/account-customizations", pink).await.expect("the console is painted");
    let budget = json!({"AccountId": account, "BudgetName": "steward-monthly"});
    member.json("budgets", "AWSBudgetServiceGateway.DeleteBudget", budget).await.expect("the budget is deleted");
    config(scenario, account, "StopConfigurationRecorder", json!({"ConfigurationRecorderName": "default"})).await;
}

#[tokio::test]
async fn a_new_account_reaches_every_control_and_a_second_run_writes_nothing() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = account_with_everything(&scenario, "Everything").await;
    let since = scenario.cloud.sequence();
    let rows = run(&scenario, &account, "apply").await;
    assert_eq!(outcomes(&rows), CONTROLS.iter().copied().map(|control| (control, "compliant")).collect(), "{rows:?}");

    let calls = scenario.cloud.calls().since(since).by_function("baseline-applier");
    let about =
        calls.only(|call| call.account.as_deref() == Some(&account) || call.input.to_string().contains(&account));
    let writes: Vec<_> = about
        .actions()
        .into_iter()
        .filter(|action| {
            let name = action.split_once(':').map_or("", |(_, name)| name);
            !["Get", "List", "Describe", "View", "Assume"].iter().any(|verb| name.starts_with(verb))
        })
        .collect();
    // In the account, nothing; in Steward's own table, that a root session was opened to look.
    assert_eq!(writes, ["dynamodb:PutItem"]);
    assert!(!about.is_empty());
}

#[tokio::test]
async fn what_somebody_undid_is_planned_exactly_and_remediated_exactly() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = account_with_everything(&scenario, "Undone").await;
    break_everything(&scenario, &account).await;

    let planned = run(&scenario, &account, "plan").await;
    let expected = |control| if UNBROKEN.contains(&control) { "compliant" } else { "drifted" };
    assert_eq!(
        outcomes(&planned),
        CONTROLS.iter().copied().map(|control| (control, expected(control))).collect(),
        "{planned:?}"
    );
    let changes: Vec<(&str, usize)> = CONTROLS
        .iter()
        .copied()
        .map(|control| (control, planned[control]["planned"].as_array().map_or(0, Vec::len)))
        .collect();
    let expected = CONTROLS.iter().copied().map(|control| match control {
        // Two contacts, two regions, and a password beside a key.
        "alternate-contacts" | "regions" | "root-credentials" => (control, 2),
        _ if UNBROKEN.contains(&control) => (control, 0),
        _ => (control, 1),
    });
    assert_eq!(changes, expected.collect::<Vec<_>>(), "{planned:?}");

    let applied = run(&scenario, &account, "apply").await;
    let left_to_people = ["regions", "member-events", "config-recorder", UNBROKEN[0], UNBROKEN[1]];
    for control in CONTROLS.iter().copied().filter(|control| !left_to_people.contains(control)) {
        assert_eq!(applied[control]["outcome"], "fixed", "{}", applied[control]);
        assert_eq!(applied[control]["applied"], planned[control]["planned"], "{control}");
    }
    // A region is on its way for minutes.
    assert_eq!(applied["regions"]["outcome"], "not_ready", "{}", applied["regions"]);
    for control in ["member-events", "config-recorder"] {
        assert_eq!(applied[control]["outcome"], "not_converged", "{}", applied[control]);
        assert_eq!(applied[control]["remaining"], planned[control]["planned"]);
    }
    turn(&scenario, &account, "EnableRule").await;
    record_configuration(&scenario, &account).await;
    harness::eventually("every control to be compliant", PATIENCE, async || {
        let rows = run(&scenario, &account, "plan").await;
        rows.values().all(|row| row["outcome"] == "compliant").then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_control_that_fails_leaves_the_others_alone_and_is_unknown() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = account_with_everything(&scenario, "One Fails").await;
    // Of age, so that a denial is final.
    scenario.organization.set_joined(&account, Duration::from_hours(1));
    let denied = Fault::error("AccessDenied", "no").operation("iam", "GetAccountPasswordPolicy");
    let denied = scenario.fault(denied.account(&account));
    scenario.organization.deny_account_management(&account, true);
    let rows = run(&scenario, &account, "apply").await;
    scenario.organization.deny_account_management(&account, false);
    assert!(denied.hits() > 0);
    for control in CONTROLS.iter().copied() {
        let expected = match control {
            "password-policy" | "alternate-contacts" | "primary-contact" | "regions" => "unknown",
            _ => "compliant",
        };
        assert_eq!(rows[control]["outcome"], expected, "{}", rows[control]);
    }
}

#[tokio::test]
async fn controls_that_fail_half_way_say_what_was_applied_and_stop_nobody_else() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = account_with_everything(&scenario, "Half Way").await;
    break_everything(&scenario, &account).await;
    let planned = run(&scenario, &account, "plan").await;
    let management_account = scenario.organization.management_account();
    let faults = [
        // Throttled for as long as anybody asks.
        Fault::new(FaultKind::Throttle).operation("account", "PutAlternateContact").account(management_account),
        Fault::new(FaultKind::Unavailable(503)).operation("iam", "UpdateAccountPasswordPolicy").account(&account),
        Fault::new(FaultKind::Reset).operation("iam", "AttachRolePolicy").account(&account),
    ]
    .map(|fault| scenario.fault(fault));

    let rows = run(&scenario, &account, "apply").await;
    assert!(faults.iter().all(|fault| fault.hits() > 1), "{:?}", faults.each_ref().map(FaultGuard::hits));
    drop(faults);
    for control in CONTROLS.iter().copied() {
        let expected = match control {
            "alternate-contacts" | "password-policy" | "switch-roles" | "access-role" => "unknown",
            "regions" => "not_ready",
            "member-events" | "config-recorder" => "not_converged",
            _ if UNBROKEN.contains(&control) => "compliant",
            _ => "fixed",
        };
        assert_eq!(rows[control]["outcome"], expected, "{}", rows[control]);
    }
    // The contact that nobody asked for goes first, then the call that is throttled.
    assert_eq!(rows["alternate-contacts"]["applied"], json!([planned["alternate-contacts"]["planned"][0]]));
    assert_eq!(rows["alternate-contacts"]["failure"]["cause"], "Throttled");
    for control in ["password-policy", "switch-roles", "access-role"] {
        assert_eq!(rows[control]["applied"], json!([]), "{}", rows[control]);
        assert_eq!(rows[control]["failure"]["retryable"], true);
    }
    turn(&scenario, &account, "EnableRule").await;
    record_configuration(&scenario, &account).await;
    harness::eventually("every control to be compliant", PATIENCE, async || {
        let rows = run(&scenario, &account, "apply").await;
        rows.values().all(|row| row["outcome"] == "compliant").then_some(())
    })
    .await;
}

#[tokio::test]
async fn whoever_was_let_in_beside_steward_is_named_and_taken_out_and_what_else_people_said_stays() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = account_with_everything(&scenario, "Let In").await;
    let member = scenario.cloud.client(&account);
    let iam = async |action: &str, parameters: &[(&str, &str)]| {
        member.query("iam", action, "2010-05-08", parameters).await.expect("IAM does it")
    };
    let statement = |effect: &str, principal: &str, action: &str| json!({"Effect": effect, "Principal": {"AWS": principal}, "Action": action});
    let own = scenario.organization.management_account();
    let wide = json!({"Version": "2012-10-17", "Statement": [
        statement("Allow", own, "sts:AssumeRole"), statement("Allow", "111111111111", "sts:AssumeRole"),
        statement("Deny", "*", "sts:SetSourceIdentity")]})
    .to_string();
    iam("UpdateAssumeRolePolicy", &[ACCESS_ROLE, ("PolicyDocument", &wide)]).await;
    let change =
        "correct who may assume OrganizationAccountAccessRole: remove [Allow sts:AssumeRole to AWS 111111111111]";
    let by_hand = "by hand: take [Deny sts:SetSourceIdentity to AWS *] out of who may assume \
        OrganizationAccountAccessRole, which it keeps out";
    let planned = run(&scenario, &account, "plan").await;
    assert_eq!(planned["access-role"]["planned"], json!([change, by_hand]), "{planned:?}");
    let applied = run(&scenario, &account, "apply").await;
    assert_eq!(applied["access-role"]["outcome"], "not_converged", "{}", applied["access-role"]);
    assert_eq!(applied["access-role"]["applied"], json!([change]));
    assert_eq!(applied["access-role"]["remaining"], json!([by_hand]));
    let trust = iam("GetRole", &[ACCESS_ROLE]).await.text("AssumeRolePolicyDocument").expect("a trust policy");
    assert!(!trust.contains("111111111111") && trust.contains("SetSourceIdentity"), "{trust}");

    // Whoever may do as little as look finds nothing out, and says so.
    iam(
        "PutRolePermissionsBoundary",
        &[ACCESS_ROLE, ("PermissionsBoundary", "arn:aws:iam::aws:policy/AmazonS3FullAccess")],
    )
    .await;
    scenario.organization.set_joined(&account, Duration::from_hours(1));
    let blind = run(&scenario, &account, "plan").await;
    assert_eq!(blind["access-role"]["outcome"], "unknown", "{}", blind["access-role"]);
    assert_eq!(blind["access-role"]["failure"]["cause"], "AccessDenied");
}

#[tokio::test]
async fn a_foreign_address_and_a_bad_name_are_reported_by_sweeps_and_by_hand_and_never_changed() {
    let document = "version: 1\ndefaults:\n  primary-email: {domains: [company.example]}\n  account-name: {patterns: [\"team-*\"]}\n";
    let remediated = format!("{document}remediate: [primary-email, account-name]\n");
    let scenario = Scenario::with_document(&remediated).await;
    let account = scenario.member();
    let since = scenario.cloud.sequence();
    sweep(&scenario).await;
    let seen = cells(&report(&scenario).await);
    for control in UNBROKEN {
        assert_eq!(seen[&(account.clone(), control.to_owned())], "drifted", "{control}");
    }
    let applied = run(&scenario, &account, "apply").await;
    let address = format!("shop@{}.example.com", scenario.organization.management_account());
    let remaining = applied["primary-email"]["remaining"][0].as_str().unwrap_or_default();
    assert_eq!(applied["primary-email"]["outcome"], "not_converged", "{}", applied["primary-email"]);
    assert!(remaining.starts_with("by hand: ") && remaining.contains(&address), "{remaining}");
    assert_eq!(applied["account-name"]["outcome"], "not_converged", "{}", applied["account-name"]);
    let calls = scenario.calls_since(since).actions();
    assert!(!calls.iter().any(|action| action.starts_with("account:")), "{calls:?}");

    scenario
        .put_document(&document.replace("company.example", &address.replace("shop@", "")).replace("team-*", "*"))
        .await;
    assert_eq!(outcomes(&run(&scenario, &account, "plan").await)["primary-email"], "compliant");
    sweep(&scenario).await;
    let seen = cells(&report(&scenario).await);
    for control in UNBROKEN {
        assert_eq!(seen[&(account.clone(), control.to_owned())], "compliant", "{control}");
    }
}

#[tokio::test]
async fn a_refused_document_leaves_the_last_good_one_in_force_and_is_reported() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = account_with_everything(&scenario, "Refused Document").await;
    let listener = scenario.listen("refused-document").await;
    scenario.put_document("version: 1\ndefaults:\n  billing-alarm: {threshold_usd: -1, emails: [costs@example.com]}\n  no-such-control: {}\n").await;
    let rows = run(&scenario, &account, "plan").await;
    assert!(rows.values().all(|row| row["outcome"] == "compliant"), "{rows:?}");
    let published = harness::eventually("the refusal", PATIENCE, async || {
        listener.all("BaselineDocumentRefused").await.into_iter().next()
    })
    .await;
    let text = published.detail.to_string();
    assert!(text.contains("no-such-control") && text.contains("threshold_usd"), "{text}");
}

#[tokio::test]
async fn an_exempt_control_is_left_alone_with_its_reason() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = account_with_everything(&scenario, "Exempt").await;
    let exemption = format!(
        "{DOCUMENT}exemptions:\n  - {{account: \"{account}\", control: password-policy, reason: legacy, until: 2999-12-31}}\n"
    );
    scenario.put_document(&exemption).await;
    let member = scenario.cloud.client(&account);
    member.query("iam", "DeleteAccountPasswordPolicy", "2010-05-08", &[]).await.unwrap();
    let rows = run(&scenario, &account, "apply").await;
    assert_eq!(rows["password-policy"]["outcome"], "exempt", "{}", rows["password-policy"]);
    assert_eq!(rows["password-policy"]["reason"], "legacy");
}
