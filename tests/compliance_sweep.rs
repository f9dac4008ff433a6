//! The sweep: every account looked at and reported once, whatever happens on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use harness::{eventually, kill};
use local_cloud::{Fault, FaultKind, Method};
use serde_json::{Value, json};

use crate::scenario::{PATIENCE, Scenario};

const DOCUMENT: &str = "
version: 1
defaults:
  password-policy: {minimum_length: 16}
  account-alias: {alias: \"steward-{account_id}\"}
exemptions: []
";

pub(crate) async fn sweep(scenario: &Scenario) -> Value {
    let execution = scenario.stack.start_sweep().await.expect("the sweep starts");
    scenario.stack.end_of_sweep(&execution, PATIENCE * 2).await
}

pub(crate) async fn report(scenario: &Scenario) -> Value {
    let text = scenario.stack.report_object("latest/report.json").await.expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

/// What the report says of each account and control; an account as a whole stands under an empty control.
pub(crate) fn cells(report: &Value) -> BTreeMap<(String, String), String> {
    let mut cells = BTreeMap::new();
    for account in report["sweep"]["accounts"].as_array().expect("accounts") {
        let id = account["id"].as_str().expect("an id").to_owned();
        let checked = &account["checked"];
        let mut put = |control: &str, outcome: &str| {
            let before = cells.insert((id.clone(), control.to_owned()), outcome.to_owned());
            assert_eq!(before, None, "{id} is in the report twice");
        };
        if let Some(rows) = checked["rows"].as_array() {
            for row in rows {
                put(row["control"].as_str().expect("a control"), row["outcome"].as_str().expect("an outcome"));
            }
        } else if checked["unknown"].is_object() {
            put("", checked["unknown"]["failure"]["cause"].as_str().expect("a cause"));
        } else {
            put("", checked["not_checked"]["why"].as_str().expect("a reason"));
        }
    }
    cells
}

#[tokio::test]
async fn a_sweep_reports_every_account_once_and_the_next_one_what_has_changed() {
    let scenario = Scenario::with_members(30, DOCUMENT).await;
    let (mailbox, listener) = (scenario.mailbox("sweep").await, scenario.listen("sweep").await);
    let (account, management) = (scenario.member(), scenario.organization.management_account().to_owned());
    let ended = sweep(&scenario).await;
    let first = report(&scenario).await;
    assert_eq!(first["sweep"]["sweep_id"], ended["sweep_id"], "{ended}");
    let seen = cells(&first);
    assert_eq!(first["totals"]["accounts"], 32, "{}", first["totals"]);
    assert_eq!(
        seen[&(management.clone(), "password-policy".to_owned())],
        "drifted",
        "the own account is looked at as well"
    );
    assert_eq!(seen[&(management, "switch-roles".to_owned())], "skipped");
    assert_eq!(seen[&(account.clone(), "password-policy".to_owned())], "drifted");
    assert_eq!(seen[&(account.clone(), "regions".to_owned())], "skipped");
    let unit = first["sweep"]["accounts"].as_array().unwrap().iter().find(|a| a["id"] == account.as_str()).unwrap();
    assert_eq!(unit["unit"], "/Workloads");

    scenario.stack.baseline(&json!({"account_ids": [account], "mode": "apply"})).await.expect("somebody remediates it");
    sweep(&scenario).await;
    let second = report(&scenario).await;
    let resolved: Vec<_> =
        second["resolved"].as_array().unwrap().iter().map(|change| change["account_id"].clone()).collect();
    assert_eq!(resolved, [json!(account), json!(account)], "{}", second["resolved"]);
    assert_eq!((&second["new"], &second["compared_with"]), (&json!([]), &ended["sweep_id"]));
    assert_eq!(second["trend"].as_array().unwrap().len(), 2);

    let html = scenario.stack.report_object("latest/report.html").await.unwrap();
    assert!(html.starts_with("<!") && html.contains(&account), "{}", &html[..200]);
    let csv = scenario.stack.report_object("latest/report.csv").await.unwrap();
    assert!(csv.lines().count() > 32 * 5 && csv.contains(&account));
    let published =
        listener.wait_for("ComplianceReported", "sweep_id", ended["sweep_id"].as_str().unwrap(), PATIENCE).await;
    assert_eq!(published.detail["totals"]["accounts"], 32);
    let mail = mailbox.wait_for("sweep of 32 accounts", PATIENCE).await;
    assert!(mail.text.contains("Open the report"), "{}", mail.text);
}

#[tokio::test]
async fn an_account_that_cannot_be_entered_or_whose_policy_denies_a_read_has_its_row_by_the_slow_way() {
    const SETTINGS: &str =
        "version: 1\ndefaults:\n  alternate-contacts: {prune: true}\n  regions: {disabled: [eu-south-1]}\n";
    let scenario = Scenario::with_members(2, SETTINGS).await;
    let management = scenario.organization.management_account().to_owned();
    let members: Vec<_> = scenario.organization.account_ids().into_iter().filter(|id| *id != management).collect();
    scenario.organization.deny_in_member(&members[0], &["GetAlternateContact"]);
    // As in an account that was invited, the role does not let the management account in.
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{}:root", members[0])}}]})
    .to_string();
    let trust = [("RoleName", "OrganizationAccountAccessRole"), ("PolicyDocument", trust.as_str())];
    let invited = scenario.cloud.client(&members[1]);
    invited.query("iam", "UpdateAssumeRolePolicy", "2010-05-08", &trust).await.expect("the role trusts others");
    sweep(&scenario).await;
    let report = report(&scenario).await;
    let row = |account: &str, control: &str| {
        let accounts = report["sweep"]["accounts"].as_array().expect("accounts");
        let of = accounts.iter().find(|one| one["id"] == account).expect("the account");
        let rows = of["checked"]["rows"].as_array().unwrap_or_else(|| panic!("{of}"));
        rows.iter().find(|row| row["control"] == control).expect("the control").clone()
    };
    for (position, account) in members.iter().enumerate() {
        for control in ["alternate-contacts", "regions"] {
            let row = row(account, control);
            assert_eq!(row["outcome"], "compliant", "{row}");
            let is_slow = row["notes"].to_string().contains("from the management account");
            assert_eq!(is_slow, position == 1 || (position == 0 && control == "alternate-contacts"), "{row}");
        }
    }
}

#[tokio::test]
async fn accounts_that_deny_throttle_or_close_and_a_batch_that_is_lost_are_in_the_report_with_the_right_outcome() {
    // A batch of fifty, and one of half as many and the management account.
    let scenario = Scenario::with_members(74, DOCUMENT).await;
    let organization = &scenario.organization;
    let management = organization.management_account().to_owned();
    let members: Vec<_> = organization.account_ids().into_iter().filter(|id| *id != management).collect();
    let mut faults = Vec::new();
    // Two deny, two throttle for good, one is closed since it was listed.
    for account in &members[0..2] {
        let denied =
            Fault::error("AccessDenied", "denied by a service control policy").operation("iam", "ListAccountAliases");
        faults.push(scenario.fault(denied.account(account)));
    }
    for account in &members[2..4] {
        let throttled = Fault::new(FaultKind::Throttle).operation("iam", "ListAccountAliases").account(account);
        faults.push(scenario.fault(throttled));
    }
    // Nobody is in an account before somebody has closed it.
    let slow = Fault::new(FaultKind::Latency(Duration::from_secs(5)));
    let slow = slow.operation("sts", "AssumeRole").function("compliance-checker").account(&management);
    let _slow = scenario.fault(slow);
    let execution = scenario.stack.start_sweep().await.unwrap();
    eventually("the accounts to be listed", PATIENCE, async || {
        objects(&scenario).await.into_iter().find(|key| key.ends_with("/accounts.json"))
    })
    .await;
    let closed = members[4].clone();
    let close = json!({"AccountId": closed});
    scenario.stack.client.json("organizations", "CloseAccount", close).await.expect("somebody closes an account");
    let denied = Fault::error("AccessDenied", "the account is closed").operation("iam", "ListAccountAliases");
    faults.push(scenario.fault(denied.account(&closed)));
    let ended = scenario.stack.end_of_sweep(&execution, PATIENCE * 2).await;
    let first = report(&scenario).await;
    let seen = cells(&first);
    assert_eq!(first["totals"]["accounts"], members.len() + 1);
    let alias = |account: &str| seen.get(&(account.to_owned(), "account-alias".to_owned())).map(String::as_str);
    for account in &members[0..4] {
        assert_eq!(alias(account), Some("unknown"), "{account}");
        assert_eq!(
            seen[&(account.clone(), "password-policy".to_owned())],
            "drifted",
            "one control does not stop another"
        );
    }
    assert!(seen[&(closed, String::new())].contains("Since the sweep began"), "{seen:?}");
    assert!(members[5..].iter().all(|account| alias(account) == Some("drifted")));

    // The function that worked on the second batch was killed before it wrote what it had found.
    let sweep_id = ended["sweep_id"].as_str().unwrap();
    let path = format!("/{}/sweeps/{sweep_id}/results/0002.json", scenario.stack.output("ReportsBucket"));
    scenario.stack.client.rest("s3", Method::DELETE, &path, "").await.expect("it is gone");
    scenario.stack.invoke("ComplianceReporterFunction", &json!({"execution": execution})).await.expect("a report");
    let again = report(&scenario).await;
    let lost = cells(&again).into_values().filter(|outcome| outcome == "BatchFailed").count();
    assert_eq!((lost, &again["totals"]["accounts"]), (26, &first["totals"]["accounts"]));
    assert_eq!(again["trend"].as_array().unwrap().len(), 1, "one sweep, reported twice");
}

#[tokio::test]
async fn a_batch_whose_function_is_killed_is_looked_at_again() {
    let scenario = Scenario::with_members(3, DOCUMENT).await;
    let hangs = Fault::new(FaultKind::Latency(PATIENCE)).operation("s3", "PutObject").function("compliance-checker");
    let hangs = scenario.fault(hangs.account(scenario.organization.management_account()).times(1));
    let execution = scenario.stack.start_sweep().await.unwrap();
    eventually("the checker to write what it found", PATIENCE, async || (hangs.hits() > 0).then_some(())).await;
    kill(scenario.stack.output("ComplianceCheckerFunction")).expect("its process can be killed");
    let ended = scenario.stack.end_of_sweep(&execution, PATIENCE * 2).await;
    assert_eq!((&ended["totals"]["unknown"], &ended["totals"]["not_compliant"]), (&json!(0), &json!(5)), "{ended}");
}

#[tokio::test]
async fn a_sweep_whose_batches_all_fail_ends_in_a_report_of_unknown_accounts() {
    let scenario = Scenario::with_members(1, DOCUMENT).await;
    let management = scenario.organization.management_account();
    let fault = Fault::new(FaultKind::Unavailable(503)).operation("s3", "PutObject").function("compliance-checker");
    let _fault = scenario.fault(fault.account(management));
    let ended = sweep(&scenario).await;
    assert_eq!((&ended["totals"]["unknown"], &ended["totals"]["accounts"]), (&json!(3), &json!(3)), "{ended}");
    let report = report(&scenario).await;
    let unknown = report["sweep"]["accounts"].as_array().unwrap().iter().map(|account| &account["checked"]["unknown"]);
    let causes: Vec<_> = unknown.filter_map(|unknown| unknown["failure"]["message"].as_str()).collect();
    assert!(causes.len() == 3 && causes.iter().all(|cause| cause.contains("It ended with ServiceFault")), "{causes:?}");
}

#[tokio::test]
async fn a_batch_that_runs_out_of_time_ends_before_its_function_and_says_what_is_left() {
    let scenario = Scenario::with_members(23, DOCUMENT).await;
    // Of which a minute is kept for the accounts that are being looked at.
    scenario.stack.configure("ComplianceCheckerFunction", &json!({"Timeout": 62})).await.expect("less time");
    let slow = Fault::new(FaultKind::Latency(Duration::from_secs(3))).function("compliance-checker");
    let slow = slow.operation("sts", "AssumeRole").account(scenario.organization.management_account());
    let _slow = scenario.fault(slow);
    let ended = sweep(&scenario).await;
    assert_eq!(ended["totals"]["accounts"], 25, "{ended}");
    let seen = cells(&report(&scenario).await);
    let left = seen.values().filter(|outcome| *outcome == "NoTimeLeft").count();
    assert_eq!(left, 25 - 16, "sixteen are looked at at the same time: {seen:?}");
}

/// What there is of sweeps in the bucket.
async fn objects(scenario: &Scenario) -> Vec<String> {
    let path = format!("/{}?list-type=2&prefix=sweeps/", scenario.stack.output("ReportsBucket"));
    let Ok(listed) = scenario.stack.client.rest("s3", Method::GET, &path, "").await else { return Vec::new() };
    let listed = String::from_utf8_lossy(listed.body()).into_owned();
    listed.split("<Key>").skip(1).filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned())).collect()
}

#[tokio::test]
async fn accounts_are_looked_at_while_others_are_listed_and_changed_when_all_are() {
    let scenario = Scenario::with_members(110, &format!("{DOCUMENT}remediate: [account-alias]\n")).await;
    for id in scenario.organization.account_ids() {
        scenario.organization.set_joined(&id, Duration::from_hours(24 * 30));
    }
    let management = scenario.organization.management_account();
    // Three pages make a batch. AWS is silent about the rest of them until somebody has begun with that: the lister asks
    // again every eight seconds, for two minutes.
    let silent = FaultKind::Latency(PATIENCE);
    let pages = Fault::new(silent).operation("organizations", "ListAccounts").after(3);
    let pages = scenario.fault(pages.function("account-lister").account(management));
    let since = scenario.cloud.sequence();
    let execution = scenario.stack.start_sweep().await.expect("the sweep starts");
    eventually("an account to be entered", PATIENCE, async || {
        let calls = scenario.calls_since(since).by_function("compliance-checker");
        calls.iter().any(|call| call.operation == "AssumeRole" && call.error.is_none()).then_some(())
    })
    .await;
    drop(pages);
    let ended = scenario.stack.end_of_sweep(&execution, PATIENCE * 2).await;
    assert_eq!((&ended["totals"]["accounts"], &ended["totals"]["unknown"]), (&json!(112), &json!(0)), "{ended}");
    // Sweeps of other organizations go on beside this one.
    let own: BTreeSet<_> = scenario.organization.account_ids().into_iter().collect();
    let is_own = |account: &Option<String>| account.as_ref().is_some_and(|account| own.contains(account));
    let calls = scenario.cloud.calls().since(since).only(|call| is_own(&call.account));
    let times = |operation: &str| {
        let of_sweep = ["account-lister", "compliance-checker"].map(Some);
        let made = calls.iter().filter(|call| call.operation == operation && call.error.is_none());
        let made = made.filter(|call| of_sweep.contains(&call.function.as_deref()));
        made.map(|call| call.at).collect::<Vec<_>>()
    };
    let (listed, changed) = (times("ListAccounts"), times("CreateAccountAlias"));
    assert!(changed.iter().min() > listed.iter().max(), "what is changed waits for the whole list");
    let seen = cells(&report(&scenario).await);
    let aliases =
        seen.iter().filter(|((_, control), _)| control == "account-alias").map(|(_, outcome)| outcome.as_str());
    let counts = aliases.fold(BTreeMap::<_, usize>::new(), |mut counts, outcome| {
        *counts.entry(outcome).or_default() += 1;
        counts
    });
    let fixed = counts.get("fixed").copied();
    assert_eq!((changed.len(), fixed), (28, Some(28)), "a quarter of all accounts, each of them once: {counts:?}");
}

#[tokio::test]
async fn a_list_that_is_begun_again_by_another_invocation_or_at_the_same_time_puts_each_account_in_one_batch() {
    let scenario = Scenario::with_members(110, DOCUMENT).await;
    let management = scenario.organization.management_account();
    let pages = Fault::new(FaultKind::Latency(Duration::from_secs(1))).operation("organizations", "ListAccounts");
    let _pages = scenario.fault(pages.function("account-lister").account(management));
    let execution = scenario.stack.start_sweep().await.unwrap();
    eventually("a batch", PATIENCE, async || {
        objects(&scenario).await.into_iter().find(|key| key.contains("/batches/"))
    })
    .await;
    kill(scenario.stack.output("AccountListerFunction")).expect("its process can be killed");
    let _twin = scenario.stack.invoke("AccountListerFunction", &json!({"execution": execution})).await;
    let ended = scenario.stack.end_of_sweep(&execution, PATIENCE * 2).await;
    assert_eq!((&ended["totals"]["accounts"], &ended["totals"]["unknown"]), (&json!(112), &json!(0)), "{ended}");
    let mut batched = Vec::new();
    for key in objects(&scenario).await.into_iter().filter(|key| key.contains("/batches/")) {
        let batch: Value = serde_json::from_str(&scenario.stack.report_object(&key).await.unwrap()).unwrap();
        let accounts = batch["accounts"].as_array().expect("accounts").clone();
        batched.extend(accounts.iter().filter_map(|account| account["id"].as_str().map(ToOwned::to_owned)));
    }
    batched.sort_unstable();
    let all = batched.len();
    batched.dedup();
    assert_eq!((all, batched.len()), (112, 112));
}

#[tokio::test]
async fn what_the_index_of_tags_does_not_know_yet_is_not_called_drift() {
    let scenario = Scenario::with_document("version: 1\ndefaults: {account-tags: {tags: {stage: prod}}}\n").await;
    let account = scenario.member();
    scenario.organization.set_tag_index_lag(Duration::from_hours(1));
    let tag = json!({"ResourceId": account, "Tags": [{"Key": "stage", "Value": "prod"}]});
    scenario.stack.client.json("organizations", "TagResource", tag).await.expect("somebody tags it");
    sweep(&scenario).await;
    let seen = cells(&report(&scenario).await);
    assert_eq!(seen[&(account.clone(), "account-tags".to_owned())], "compliant");
    let untagged = seen.iter().find(|((id, control), _)| control == "account-tags" && *id != account);
    assert!(untagged.is_none_or(|(_, outcome)| outcome == "drifted"), "{untagged:?}");
}

#[tokio::test]
async fn a_sweep_whose_accounts_cannot_be_listed_fails_and_nobody_waits_for_batches_any_more() {
    let scenario = Scenario::with_members(1, DOCUMENT).await;
    let management = scenario.organization.management_account();
    let denied = Fault::error("AccessDeniedException", "no").operation("organizations", "ListAccounts");
    let _denied = scenario.fault(denied.function("account-lister").account(management));
    let execution = scenario.stack.start_sweep().await.unwrap();
    eventually("the sweep to fail", PATIENCE * 2, async || {
        let input = json!({"executionArn": execution});
        let shown = scenario.stack.client.json("states", "AWSStepFunctions.DescribeExecution", input).await.ok()?;
        (shown["status"] == "FAILED").then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_sweeps_at_once_during_a_baseline_report_the_same_and_write_nothing_twice() {
    let scenario = Scenario::with_members(10, &format!("{DOCUMENT}remediate: [account-alias]\n")).await;
    let account = scenario.member();
    let others: Vec<_> = scenario.organization.account_ids().into_iter().filter(|id| *id != account).collect();
    for id in &others {
        scenario.organization.set_joined(id, Duration::from_hours(24 * 30));
    }
    scenario.organization.set_joined(&account, Duration::ZERO);
    let since = scenario.cloud.sequence();
    let input = json!({"account_ids": [account], "mode": "apply"});
    let (one, other, applied) = tokio::join!(sweep(&scenario), sweep(&scenario), scenario.stack.baseline(&input));
    applied.expect("the baseline is applied");
    assert_eq!((&one["totals"]["accounts"], &other["totals"]["accounts"]), (&json!(12), &json!(12)));
    let management = scenario.organization.management_account();
    for id in others.iter().filter(|id| *id != management).chain([&account]) {
        let calls = scenario.cloud.calls().since(since).by_account(id);
        let writes = calls.iter().filter(|call| call.operation == "CreateAccountAlias").count();
        assert_eq!(writes, 1, "{id}: a baseline or one of the sweeps has given it its alias");
    }
    let last = sweep(&scenario).await;
    let seen = cells(&report(&scenario).await);
    for id in [&account, &others[0], &others[1]].into_iter().filter(|id| *id != management) {
        assert_eq!(seen[&(id.clone(), "account-alias".to_owned())], "compliant", "{last}");
    }
}

#[tokio::test]
async fn what_the_document_says_is_remediated_by_the_sweep_and_an_account_that_nobody_knows_gets_its_baseline() {
    let scenario = Scenario::with_members(2, &format!("{DOCUMENT}remediate: [account-alias]\n")).await;
    let listener = scenario.listen("found").await;
    let account = scenario.member();
    scenario.stack.watch_for_years().await.expect("the table takes it");
    // It joined an hour ago, and its event was lost; the others are old.
    for id in scenario.organization.account_ids() {
        let hours = if id == account { 1 } else { 24 * 30 };
        scenario.organization.set_joined(&id, Duration::from_hours(hours));
    }
    sweep(&scenario).await;
    let seen = cells(&report(&scenario).await);
    let management = scenario.organization.management_account();
    let is_other = |id: &String| *id != account && id != management;
    let other = seen.keys().find(|(id, control)| control == "account-alias" && is_other(id)).unwrap().0.clone();
    assert_eq!(seen[&(management.to_owned(), "account-alias".to_owned())], "drifted", "sweeps leave it alone");
    assert_eq!(seen[&(other.clone(), "account-alias".to_owned())], "fixed");
    assert_eq!(seen[&(other, "password-policy".to_owned())], "drifted", "only what is in the list is remediated");
    listener.wait_for("BaselineApplied", "account_id", &account, PATIENCE).await;
    sweep(&scenario).await;
    assert_eq!(listener.received("BaselineApplied", "account_id", &account).await.len(), 1, "it was heard of by now");
}

#[tokio::test]
async fn an_organization_in_use_is_left_as_it_is_by_a_new_stack() {
    let scenario = Scenario::with_members(2, DOCUMENT).await;
    let listener = scenario.listen("in-use").await;
    for id in scenario.organization.account_ids() {
        scenario.organization.set_joined(&id, Duration::from_hours(1));
    }
    sweep(&scenario).await;
    sweep(&scenario).await;
    let seen = cells(&report(&scenario).await);
    for id in scenario.organization.account_ids() {
        assert!(listener.received("BaselineApplied", "account_id", &id).await.is_empty(), "{id}");
        let alias = seen.get(&(id.clone(), "account-alias".to_owned()));
        assert_ne!(alias.map(String::as_str), Some("compliant"), "{id} was given one");
    }
}

#[tokio::test]
async fn only_the_state_machine_begins_ends_and_works_on_sweeps() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let machine = scenario.stack.output("ComplianceSweepArn").replace(":stateMachine:", ":execution:");
    let ended = scenario.stack.start_sweep().await.expect("the sweep starts");
    scenario.stack.end_of_sweep(&ended, PATIENCE * 2).await;
    let since = scenario.cloud.sequence();
    let foreign = machine.replace(scenario.stack.name(), "another");
    let invented = format!("{machine}:invented");
    for (function, input) in [
        ("AccountListerFunction", json!({"execution": invented})),
        ("AccountListerFunction", json!({"execution": ended})),
        ("AccountListerFunction", json!({"execution": format!("{foreign}:x")})),
        ("ComplianceCheckerFunction", json!({"execution": invented, "task": "look", "batch": 1, "every": 4})),
        ("ComplianceCheckerFunction", json!({"execution": ended, "task": "look", "batch": 1, "every": 4})),
        ("ComplianceCheckerFunction", json!({"execution": ended, "task": "change", "batch": 1, "every": 4})),
        ("ComplianceReporterFunction", json!({"execution": invented})),
        ("ComplianceReporterFunction", json!({"execution": ended, "results": []})),
    ] {
        let refused = scenario.stack.invoke(function, &input).await.expect_err("it is refused");
        assert!(refused.to_string().contains("NoSuchSweep"), "{function} {input}: {refused}");
    }
    let functions = ["account-lister", "compliance-checker", "compliance-reporter"];
    let calls = scenario.cloud.calls().since(since).by_account(scenario.organization.management_account());
    let own = |call: &local_cloud::Call| call.function.as_deref().is_some_and(|name| functions.contains(&name));
    let calls = calls.only(own);
    let wrote = calls
        .only(|call| ["PutObject", "TransactWriteItems", "PutEvents", "AssumeRole"].contains(&call.operation.as_str()));
    let wrote: Vec<_> = wrote.iter().map(|call| &call.operation).collect();
    assert!(wrote.is_empty(), "{wrote:?}");
}

/// Accounts of two units with a baseline each, and the right to change them.
const TWO_UNITS: &str = "
version: 1
overrides:
  - {match: {organizational_unit: /Workloads/Sandbox}, account-tags: {tags: {stage: sandbox}}}
  - {match: {organizational_unit: /Workloads}, account-tags: {tags: {stage: prod}}}
remediate: [account-tags]
";

#[tokio::test]
async fn a_planted_batch_changes_an_account_by_its_own_baseline_and_the_management_account_never() {
    let scenario = Scenario::with_document(TWO_UNITS).await;
    scenario.stack.watch_for_years().await.expect("the table takes it");
    let (account, management) = (scenario.member(), scenario.organization.management_account().to_owned());
    scenario.organization.set_joined(&account, Duration::from_hours(24 * 30));
    // The first batch is there long enough for the attacker to write over it.
    let slow = Fault::new(FaultKind::Latency(Duration::from_secs(3)));
    let slow = slow.operation("s3", "GetObject").function("compliance-checker").account(&management);
    let _slow = scenario.fault(slow);
    let execution = scenario.stack.start_sweep().await.expect("the sweep starts");
    let key = eventually("the first batch", PATIENCE, async || {
        objects(&scenario).await.into_iter().find(|key| key.ends_with("/batches/0001.json"))
    })
    .await;
    let sandbox = scenario.organization.unit_id("/Workloads/Sandbox");
    let planted = |id: &str| {
        json!({"id": id, "name": "Planted", "email": "p@example.com", "state": "ACTIVE", "unit": "/Workloads/Sandbox",
            "units": [scenario.organization.root_id(), scenario.organization.unit_id("/Workloads"), sandbox]})
    };
    let bucket = scenario.stack.output("ReportsBucket");
    let path = format!("/{bucket}/{key}");
    let arns = format!("arn:aws:organizations::{management}:account/{}/", scenario.organization.id());
    let batch = json!({"account_arns": arns, "accounts": [planted(&account), planted(&management)]}).to_string();
    scenario.stack.client.rest("s3", Method::PUT, &path, batch).await.expect("it is planted");
    scenario.stack.end_of_sweep(&execution, PATIENCE * 2).await;

    let tags = scenario.organization.tags_of(&account);
    let report = report(&scenario).await;
    assert_eq!(tags.get("stage").map(String::as_str), Some("prod"), "{}", report["sweep"]);
    assert!(scenario.organization.tags_of(&management).is_empty());
}

#[tokio::test]
async fn a_tag_that_no_account_has_is_reported_and_nothing_is_remediated_until_it_is_there() {
    let document = |note: &str| {
        format!(
            "# {note}\nversion: 1\ndefaults: {{account-tags: {{tags: {{stage: test}}}}}}\n\
             overrides: [{{match: {{tag: {{team: blue}}}}, account-tags: {{tags: {{stage: prod}}}}}}]\nremediate: [account-tags]\n"
        )
    };
    let scenario = Scenario::with_document(&document("first")).await;
    scenario.stack.watch_for_years().await.expect("the table takes it");
    let account = scenario.member();
    scenario.organization.set_joined(&account, Duration::from_hours(24 * 30));
    let listener = scenario.listen("tags").await;
    let stage = || scenario.organization.tags_of(&account).get("stage").cloned();

    sweep(&scenario).await;
    let unseen = report(&scenario).await;
    let note = unseen["sweep"]["note"].as_str().unwrap_or_default();
    assert!(note.starts_with("Nothing was changed") && note.contains("overrides[0].match.tag (team=blue)"), "{note}");
    assert_eq!(stage(), None);
    assert_eq!(listener.all("BaselineSelectorUnmatched").await.len(), 1);
    let plan = json!({"account_ids": [account], "mode": "plan", "controls": ["account-tags"]});
    let plan = scenario.stack.baseline(&plan).await.unwrap();
    assert_eq!(plan["unmatched"], json!([{"path": "overrides[0].match.tag", "names": "team=blue"}]), "{plan}");

    let tag = json!({"ResourceId": account, "Tags": [{"Key": "team", "Value": "blue"}]});
    scenario.stack.client.json("organizations", "TagResource", tag).await.expect("it is tagged");
    scenario.put_document(&document("second")).await;
    sweep(&scenario).await;
    let seen = report(&scenario).await;
    let note = seen["sweep"]["note"].as_str().unwrap_or_default();
    assert!(note.contains("no sweep has seen yet"), "{note}");
    assert_eq!(stage(), None);
    sweep(&scenario).await;
    assert_eq!(stage().as_deref(), Some("prod"));
}

#[tokio::test]
async fn a_member_whose_answers_have_no_end_is_the_only_one_of_whom_something_is_unknown() {
    let document = "version: 1\ndefaults: {billing-alarm: {threshold_usd: 100, emails: [bill@example.com]}}\n";
    let scenario = Scenario::with_members(5, document).await;
    let apply = json!({"all": true, "mode": "apply", "controls": ["billing-alarm"]});
    scenario.stack.baseline(&apply).await.expect("the applier answers");
    // More subscriptions than anybody reads: a page has a hundred of them.
    let account = scenario.member();
    let member = scenario.cloud.client(&account);
    let topic = format!("arn:aws:sns:us-east-1:{account}:DefaultBillingAlertTopic");
    let queues: Vec<_> = (0..2100).map(|n| format!("arn:aws:sqs:us-east-1:{account}:endless-{n}")).collect();
    for some in queues.chunks(50) {
        let subscribe = async |queue: &String| {
            let input = [("TopicArn", topic.as_str()), ("Protocol", "sqs"), ("Endpoint", queue.as_str())];
            member.query("sns", "Subscribe", "2010-03-31", &input).await.expect("it is subscribed");
        };
        join_all(some.iter().map(subscribe)).await;
    }
    sweep(&scenario).await;

    let report = report(&scenario).await;
    let of_billing = cells(&report).into_iter().filter(|((_, control), _)| control == "billing-alarm");
    let unknown: Vec<_> =
        of_billing.filter(|(_, outcome)| outcome == "unknown").map(|((account, _), _)| account).collect();
    assert_eq!(unknown, std::slice::from_ref(&account), "{}", report["totals"]);
    let rows = report["sweep"]["accounts"].as_array().expect("accounts").iter();
    let rows = rows.filter(|shown| shown["id"] == account.as_str()).map(|shown| shown["checked"].to_string());
    assert!(rows.collect::<String>().contains("TooMuchToRead"));
}
