//! The control `stack-instances`: listed once for a sweep, deployed to many accounts in one operation, and reported in the
//! words of AWS where AWS deploys by unit.

use serde_json::{Value, json};

use crate::compliance_sweep::{cells, report, sweep};
use crate::scenario::{PATIENCE, Scenario};

/// A stack set with permissions of its own, and one of units.
fn document(remediate: &str) -> String {
    format!(
        "version: 1\ndefaults:\n  stack-instances:\n    sets:\n    - {{name: logging, regions: [us-east-1]}}\n    - {{name: units, \
         regions: [us-east-1]}}\n{remediate}"
    )
}

/// What a report says of an account.
fn row<'a>(report: &'a Value, account: &str) -> &'a Value {
    let accounts = report["sweep"]["accounts"].as_array().into_iter().flatten();
    let account = accounts.into_iter().find(|one| one["id"] == account).expect("the account");
    let rows = account["checked"]["rows"].as_array().into_iter().flatten();
    rows.into_iter().find(|row| row["control"] == "stack-instances").expect("the row")
}

#[tokio::test]
async fn a_sweep_lists_instances_once_and_deploys_what_many_accounts_lack_in_one_operation() {
    let scenario = Scenario::with_members(8, &document("remediate: [stack-instances]\n")).await;
    scenario.stack.watch_for_years().await.expect("the table takes it");
    let organization = &scenario.organization;
    organization.make_stack_set("logging", None);
    organization.make_stack_set("units", Some(&[&organization.root_id()]));
    let members: Vec<_> =
        organization.account_ids().into_iter().filter(|id| id != organization.management_account()).collect();
    for (n, member) in members.iter().enumerate() {
        organization.set_stack_instance("units", (member, "us-east-1"), ("CURRENT", "SUCCEEDED", ""));
        if n >= 5 {
            organization.set_stack_instance("logging", (member, "us-east-1"), ("CURRENT", "SUCCEEDED", ""));
        }
    }
    // Of accounts that have left, so that there is more than a page.
    for n in 0..100 {
        let gone = format!("{:012}", 777_700_000_000_u64 + n);
        organization.set_stack_instance("units", (&gone, "us-east-1"), ("INOPERABLE", "INOPERABLE", "gone"));
    }
    let since = scenario.cloud.sequence();
    sweep(&scenario).await;
    let calls = scenario.calls_since(since).only(|call| call.service == "cloudformation");
    let mut operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    operations.sort_unstable();
    // 109 and 4 instances, a hundred a page.
    assert_eq!(
        operations,
        [
            "CreateStackInstances",
            "DescribeStackSet",
            "DescribeStackSet",
            "ListStackInstances",
            "ListStackInstances",
            "ListStackInstances"
        ]
    );
    let asked = organization.stack_set_operations("logging");
    let [(operation, accounts)] = &asked[..] else { panic!("{asked:?}") };
    assert!(operation.starts_with("steward-2"), "{operation}");
    let mut accounts = accounts.clone();
    accounts.sort();
    let mut lacking = members[..5].to_vec();
    lacking.sort();
    assert_eq!(accounts, lacking);
    // In progress is no drift.
    let first = report(&scenario).await;
    let under_way = row(&first, &members[0]);
    assert_eq!(under_way["outcome"], "not_ready", "{under_way}");
    assert!(under_way["failure"]["message"].as_str().unwrap().contains(operation), "{under_way}");
    assert_eq!(row(&first, &members[7])["outcome"], "compliant");

    harness::eventually("the operation to end", PATIENCE, async || {
        sweep(&scenario).await;
        let seen = cells(&report(&scenario).await);
        let of = |account: &String| seen.get(&(account.clone(), "stack-instances".to_owned())).cloned();
        members.iter().all(|account| of(account).as_deref() == Some("compliant")).then_some(())
    })
    .await;
    assert_eq!(organization.stack_set_operations("logging").len(), 1, "nothing is asked for twice");
}

#[tokio::test]
async fn what_aws_deploys_by_unit_is_reported_in_its_words_and_what_is_under_way_is_no_drift() {
    let scenario = Scenario::with_members(3, &document("")).await;
    let organization = &scenario.organization;
    organization.make_stack_set("logging", None);
    organization.make_stack_set("units", Some(&["ou-none-00000000"]));
    let members: Vec<_> =
        organization.account_ids().into_iter().filter(|id| id != organization.management_account()).collect();
    for member in &members {
        organization.set_stack_instance("logging", (member, "us-east-1"), ("CURRENT", "SUCCEEDED", ""));
    }
    let words = "Account should have 'AWSCloudFormationStackSetExecutionRole' role";
    organization.set_stack_instance("units", (&members[0], "us-east-1"), ("OUTDATED", "FAILED", words));
    organization.set_stack_instance("units", (&members[1], "us-east-1"), ("OUTDATED", "RUNNING", ""));
    organization.set_stack_instance("units", (&members[2], "us-east-1"), ("CURRENT", "SUCCEEDED", ""));
    sweep(&scenario).await;
    let report = report(&scenario).await;
    let (failed, running, wrong) = (row(&report, &members[0]), row(&report, &members[1]), row(&report, &members[3]));
    assert_eq!(failed["outcome"], "drifted", "{failed}");
    assert!(failed["planned"][0].as_str().unwrap().contains(words), "{failed}");
    assert_eq!(running["outcome"], "not_ready", "{running}");
    assert_eq!(row(&report, &members[2])["outcome"], "compliant");
    let wrong = wrong["planned"][0].as_str().unwrap();
    assert!(wrong.contains("it is deployed to ou-none-00000000, and none of them holds the account"), "{wrong}");
    assert!(
        organization.stack_set_operations("units").is_empty()
            && organization.stack_set_operations("logging").is_empty()
    );
}

#[tokio::test]
async fn by_hand_one_account_is_deployed_to_and_the_next_waits_while_aws_is_at_work() {
    let scenario =
        Scenario::with_members(1, &document("").replace("    - {name: units, regions: [us-east-1]}\n", "")).await;
    let organization = &scenario.organization;
    organization.make_stack_set("logging", None);
    let members: Vec<_> =
        organization.account_ids().into_iter().filter(|id| id != organization.management_account()).collect();
    let apply = async |account: &str| {
        let input = json!({"account_ids": [account], "mode": "apply", "controls": ["stack-instances"]});
        let answer = scenario.stack.baseline(&input).await.expect("the applier answers");
        answer["rows"][0].clone()
    };
    let (first, second) = (apply(&members[0]).await, apply(&members[1]).await);
    assert_eq!(first["outcome"], "not_ready", "{first}");
    assert_eq!(first["applied"], json!(["deploy the stack set logging to us-east-1"]));
    assert_eq!(
        (&second["outcome"], &second["failure"]["cause"]),
        (&json!("not_ready"), &json!("StackSetBusy")),
        "{second}"
    );
    harness::eventually("both to be current", PATIENCE, async || {
        let rows = [apply(&members[0]).await, apply(&members[1]).await];
        rows.iter().all(|row| row["outcome"] == "compliant").then_some(())
    })
    .await;
    assert_eq!(organization.stack_set_operations("logging").len(), 2);
}

#[tokio::test]
async fn what_accounts_have_by_their_tags_is_deployed_in_one_operation_with_one_list_of_regions() {
    let sets = |regions: &str| format!("{{sets: [{{name: logging, regions: {regions}}}]}}");
    let document = format!(
        "version: 1\ndefaults: {{}}\noverrides:\n- match: {{tag: {{team: blue}}}}\n  stack-instances: {}\nremediate: \
         [stack-instances]\nallow_unmatched: true\n",
        sets("[us-east-1, eu-west-1]")
    );
    let scenario = Scenario::with_members(4, &document).await;
    scenario.stack.watch_for_years().await.expect("the table takes it");
    let organization = &scenario.organization;
    organization.make_stack_set("logging", None);
    let members: Vec<_> =
        organization.account_ids().into_iter().filter(|id| id != organization.management_account()).collect();
    let tag = async |account: &String, team: &str| {
        let input = json!({"ResourceId": account, "Tags": [{"Key": "team", "Value": team}]});
        scenario.stack.client.json("organizations", "TagResource", input).await.expect("a tag");
    };
    for account in &members[..3] {
        tag(account, "blue").await;
    }
    tag(&members[3], "red").await;
    // The first has it in one region, the second in the other, the third in none.
    for (account, region) in members.iter().zip(["us-east-1", "eu-west-1"]) {
        organization.set_stack_instance("logging", (account, region), ("CURRENT", "SUCCEEDED", ""));
    }
    let asked = harness::eventually("an operation, once the index of tags shows them", PATIENCE, async || {
        sweep(&scenario).await;
        let asked = organization.stack_set_operations("logging");
        (!asked.is_empty()).then_some(asked)
    })
    .await;
    let [(_, accounts)] = &asked[..] else { panic!("{asked:?}") };
    let mut blue = members[..3].to_vec();
    blue.sort();
    let mut accounts = accounts.clone();
    accounts.sort();
    assert_eq!(accounts, blue, "those with the tag alone");
    let calls = scenario.cloud.calls().by_account(organization.management_account());
    let mut made = calls.iter().filter(|call| call.operation == "CreateStackInstances");
    let input = made.next().expect("one").input.to_string();
    assert!(input.contains("us-east-1") && input.contains("eu-west-1"), "{input}");
    let by_lister = calls.by_function("account-lister");
    assert!(by_lister.actions().contains(&"organizations:ListTagsForResource".to_owned()), "the index is not enough");
}

#[tokio::test]
async fn each_row_says_in_the_words_of_aws_what_stands_in_the_way_and_what_is_to_be_done() {
    let scenario = Scenario::with_members(4, &document("")).await;
    let organization = &scenario.organization;
    organization.make_stack_set("logging", None);
    organization.make_stack_set("units", Some(&[&organization.unit_id("/Workloads/Sandbox").expect("a unit")]));
    let members: Vec<_> =
        organization.account_ids().into_iter().filter(|id| id != organization.management_account()).collect();
    let wrong = scenario.member();
    for member in &members {
        organization.set_stack_instance("logging", (member, "us-east-1"), ("CURRENT", "SUCCEEDED", ""));
    }
    let of_unit: Vec<_> = members.iter().filter(|member| **member != wrong).collect();
    let words = "Account should have 'AWSCloudFormationStackSetExecutionRole' role with trust relationship";
    for (member, is) in of_unit.iter().zip([
        ("OUTDATED", "RUNNING", ""),
        ("OUTDATED", "FAILED", words),
        ("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT", ""),
        ("INOPERABLE", "INOPERABLE", "stack is gone"),
    ]) {
        organization.set_stack_instance("units", (member, "us-east-1"), is);
    }
    sweep(&scenario).await;
    let report = report(&scenario).await;
    let said = |account: &str| row(&report, account).to_string();
    let unit = organization.unit_id("/Workloads/Sandbox").expect("a unit");
    for (account, parts) in [
        (of_unit[0], vec!["not_ready", "the stack set units is at work in us-east-1"]),
        (
            of_unit[1],
            vec!["drifted", "is OUTDATED (FAILED), ", words, "correct what it says, and update the stack set"],
        ),
        (
            of_unit[2],
            vec!["drifted", "OUTDATED (SKIPPED_SUSPENDED_ACCOUNT)", "AWS deploys nothing to a suspended account"],
        ),
        (of_unit[3], vec!["drifted", "INOPERABLE, stack is gone: delete it with its stack retained"]),
        (
            &wrong,
            vec!["drifted", &format!("it is deployed to {unit}, and none of them holds the account; move the account")],
        ),
    ] {
        for part in parts {
            assert!(said(account).contains(part), "{part}: {}", said(account));
        }
    }
}

#[tokio::test]
async fn in_a_sweep_of_ten_thousand_accounts_two_stack_sets_cost_two_hundred_list_calls() {
    let document = document("remediate: [stack-instances]\n");
    let scenario = Scenario::with_simulated_members(10_000, &document).await;
    let organization = &scenario.organization;
    organization.make_stack_set("logging", None);
    organization.make_stack_set("units", Some(&[&organization.root_id()]));
    let management = organization.management_account().to_owned();
    for account in organization.account_ids().iter().filter(|id| **id != management) {
        for set in ["logging", "units"] {
            organization.set_stack_instance(set, (account, "us-east-1"), ("CURRENT", "SUCCEEDED", ""));
        }
    }
    let since = scenario.cloud.sequence();
    let execution = scenario.stack.start_sweep().await.expect("the sweep starts");
    let ended = scenario.stack.end_of_sweep(&execution, PATIENCE * 2).await;
    assert_eq!(
        (&ended["totals"]["accounts"], &ended["totals"]["not_compliant"], &ended["totals"]["unknown"]),
        (&json!(10_001), &json!(0), &json!(0)),
        "{ended}"
    );
    let calls = scenario.calls_since(since).only(|call| call.service == "cloudformation");
    let of = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
    assert_eq!((of("ListStackInstances"), of("DescribeStackSet"), calls.iter().count()), (200, 2, 202));
}
