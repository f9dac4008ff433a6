//! `account-closer`: accounts from the first plan to the day on which they are gone for good.

use std::{collections::BTreeSet, time::Duration};

use harness::eventually;
use local_cloud::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    compliance_sweep::cells,
    one_table::as_function,
    scenario::{PATIENCE, Scenario},
    secrets,
};

const CLOSER: &str = "AccountCloserFunction";
const DAY: Duration = Duration::from_hours(24);

async fn ask(scenario: &Scenario, input: &Value) -> Value {
    scenario.stack.invoke(CLOSER, input).await.unwrap_or_else(|error| panic!("{input}: {error}"))
}

async fn advance(scenario: &Scenario) -> Value {
    ask(scenario, &json!({"advance": true, "mode": "apply"})).await
}

/// The accounts beside the usual one, in the order of their names.
fn teams(scenario: &Scenario, number: usize) -> Vec<String> {
    let of = |n: usize| format!("team-{n}@{}.example.com", scenario.organization.management_account());
    (0..number).map(|n| scenario.organization.account_with_email(&of(n)).expect("a team")).collect()
}

fn wanted(ids: &[String], mode: &str) -> Value {
    let accounts: Vec<_> =
        ids.iter().enumerate().map(|(n, id)| json!({"account_id": id, "account_name": format!("Team {n}")})).collect();
    json!({"accounts": accounts, "reason": "The project has ended", "requested_by": "alice", "mode": mode})
}

async fn record(scenario: &Scenario, account: &str) -> Option<Value> {
    scenario.stack.item(&format!("closure#{account}")).await.expect("the table can be read")
}

async fn state(scenario: &Scenario, account: &str) -> String {
    let record = record(scenario, account).await;
    record.map(|record| record["state"]["name"].as_str().expect("a name").to_owned()).unwrap_or_default()
}

/// A document by which people sign in to this account, with what else it says of access.
fn with_access(jump: &str, projects: &str) -> String {
    format!(
        "version: 1\ndefaults:\n  account-tags: {{tags: {{stage: test}}}}\n  switch-roles:\n    jump_account: '{jump}'\n    \
         roles:\n      - {{name: role-admin, managed_policies: ['arn:aws:iam::aws:policy/AdministratorAccess']}}\n\
         remediate: [account-tags]\naccess:\n  jump_account: '{jump}'\n  roles: {{admin: role-admin}}\n{projects}"
    )
}

fn outcomes(answer: &Value) -> Vec<&str> {
    answer["rows"].as_array().expect("rows").iter().map(|row| row["outcome"].as_str().unwrap_or_default()).collect()
}

/// Moves everything on until these accounts are in this state.
async fn reach(scenario: &Scenario, ids: &[String], wanted: &str) {
    for id in ids {
        eventually(&format!("{id} to be {wanted}"), PATIENCE, async || {
            let is_there = state(scenario, id).await == wanted;
            if !is_there {
                advance(scenario).await;
            }
            is_there.then_some(())
        })
        .await;
    }
}

/// Moves everything on until people were told how the closing of this account has ended.
async fn told(scenario: &Scenario, id: &str) {
    eventually("its end to be told", PATIENCE, async || {
        advance(scenario).await;
        (record(scenario, id).await?["told"] == "end").then_some(())
    })
    .await;
}

/// The accounts that AWS was asked to close since then, and took, in their order.
fn closed_since(scenario: &Scenario, since: u64) -> Vec<String> {
    let calls = scenario.calls_since(since).by_function("account-closer");
    let calls = calls.only(|call| call.operation == "CloseAccount" && call.status < 300);
    calls.iter().map(|call| call.input["AccountId"].as_str().expect("an id").to_owned()).collect()
}

/// Takes every way through the function that needs a permission of its own.
pub(crate) async fn every_way(scenario: &Scenario) {
    scenario.organization.set_closing_time(Duration::from_secs(1));
    let mut ids = Vec::new();
    for name in ["Every Way Closed", "Every Way Kept"] {
        let mut spec = crate::scenario::spec(name);
        spec["organizational_unit"] = "/Workloads/Sandbox".into();
        let request = scenario.request(&spec).await;
        ids.push(scenario.end_of(&request).await.account_id().expect("an account").to_owned());
    }
    let [closed, kept] = &ids[..] else { panic!("{ids:?}") };
    scenario.organization.make_stack_set("closing", None);
    scenario.organization.set_stack_instance("closing", (closed, "us-east-1"), ("CURRENT", "SUCCEEDED", ""));
    let close = |id: &str, name: &str, mode: &str| json!({"account_id": id, "account_name": name, "reason": "every way", "mode": mode});
    assert_eq!(outcomes(&ask(scenario, &close(closed, "Every Way Closed", "plan")).await), ["planned"]);
    for (id, name) in [(kept, "Every Way Kept"), (closed, "Every Way Closed")] {
        assert_eq!(outcomes(&ask(scenario, &close(id, name, "apply")).await), ["under_way"]);
        if id == kept {
            let keep = json!({"account_id": id, "keep": true, "mode": "apply"});
            assert_eq!(outcomes(&ask(scenario, &keep).await), ["ended"]);
        }
    }
    ask(scenario, &json!({"list": true})).await;
    reach(scenario, std::slice::from_ref(closed), "CLOSED").await;
    told(scenario, closed).await;
    // Somebody was killed between telling the end and recording that: it is not told again.
    let forget = json!({"TableName": scenario.stack.output("StateTable"), "Key": {"pk": {"S": format!("closure#{closed}")}},
        "UpdateExpression": "SET told = :due, #open = :open", "ExpressionAttributeNames": {"#open": "open"},
        "ExpressionAttributeValues": {":due": {"S": "due"}, ":open": {"S": "closure"}}});
    scenario.stack.client.json("dynamodb", "UpdateItem", forget).await.expect("the record is changed");
    told(scenario, closed).await;
    // AWS tells it again.
    let event = json!({"source": "aws.organizations", "detail-type": "AWS Service Event via CloudTrail",
        "detail": {"eventName": "CloseAccountResult",
            "serviceEventDetails": {"closeAccountStatus": {"accountId": closed, "state": "SUCCEEDED"}}}});
    assert_eq!(ask(scenario, &event).await["state"], "CLOSED");
}

#[tokio::test]
async fn ten_of_twelve_are_closed_in_their_order_two_wait_for_the_quota_and_one_is_called_off() {
    let scenario = Scenario::that_closes(13, "0", "version: 1").await;
    let ids = teams(&scenario, 13);
    let (twelve, kept) = (&ids[..12], &ids[12]);
    let organization = &scenario.organization;
    organization.set_closing_time(Duration::from_secs(1));
    organization.set_closure_quota(10, 1000 * DAY);
    let mut environment = scenario.stack.configuration(CLOSER).await.unwrap()["Environment"].clone();
    environment["Variables"]["CLOSURE_QUOTA_RETRY_SECONDS"] = "1".into();
    scenario.stack.configure(CLOSER, &json!({"Environment": environment})).await.unwrap();
    let (listener, mailbox) = (scenario.listen("closing").await, scenario.mailbox("closing").await);
    let tag = json!({"ResourceId": kept, "Tags": [{"Key": "team", "Value": "blue"}]});
    scenario.stack.client.json("organizations", "TagResource", tag).await.expect("a tag");
    let since = scenario.cloud.sequence();

    // A plan shows what goes with each, and writes nothing.
    let plan = ask(&scenario, &wanted(&ids, "plan")).await;
    assert_eq!(outcomes(&plan), ["planned"; 13], "{plan}");
    let row = &plan["rows"][0];
    assert_eq!(row["organizational_unit"], "/Workloads/Sandbox", "{row}");
    assert!(row["age_days"].as_u64() > Some(100), "{row}");
    assert_eq!(row["steps"].as_array().map(Vec::len), Some(3), "{row}");
    assert_eq!(plan["quota"]["in_progress"], 0, "{plan}");
    assert_eq!(record(&scenario, kept).await, None);

    let begun = ask(&scenario, &wanted(&ids, "apply")).await;
    assert_eq!(outcomes(&begun), ["under_way"; 13], "{begun}");
    let suspended = organization.unit_id("/Suspended");
    for id in &ids {
        eventually("the account to wait", PATIENCE, async || (state(&scenario, id).await == "COOLING").then_some(()))
            .await;
        assert_eq!(organization.parent_of(id), suspended);
        assert!(organization.tags_of(id).contains_key("steward:closing"));
    }
    let mail = mailbox.wait_for("13 accounts will be closed", PATIENCE).await;
    assert!(
        mail.text.contains(&format!("Team 0 ({}): The project has ended, asked by alice", ids[0])),
        "{}",
        mail.text
    );
    // Everything is denied to it.
    let member = scenario.cloud.client(&ids[0]);
    assert!(member.json("sqs", "ListQueues", json!({})).await.is_err());

    // One is called off: by a plan first.
    let keep = json!({"account_id": kept, "keep": true, "reason": "Still needed", "requested_by": "bob"});
    assert_eq!(outcomes(&ask(&scenario, &keep).await), ["planned"]);
    let mut apply = keep.clone();
    apply["mode"] = "apply".into();
    assert_eq!(outcomes(&ask(&scenario, &apply).await), ["ended"]);
    assert_eq!(organization.parent_of(kept), organization.unit_id("/Workloads/Sandbox"));
    let tags: Vec<_> = organization.tags_of(kept).into_iter().collect();
    assert_eq!(tags, [("team".to_owned(), "blue".to_owned())]);
    let published = listener.wait_for("AccountClosureAdvanced", "outcome", "kept", PATIENCE).await;
    assert_eq!(
        (&published.detail["called_off_by"], &published.detail["requested_by"]),
        (&json!("bob"), &json!("alice"))
    );
    mailbox.wait_for("is kept", PATIENCE).await;

    // Ten go, in the order in which they were asked for.
    reach(&scenario, &twelve[..10], "CLOSED").await;
    assert_eq!(closed_since(&scenario, since), twelve[..10]);
    eventually("the quota to be met", PATIENCE, async || {
        let waiting = record(&scenario, &twelve[10]).await?;
        if waiting["retry_at"].is_null() {
            advance(&scenario).await;
        }
        (!waiting["retry_at"].is_null()).then_some(())
    })
    .await;
    for id in &twelve[10..] {
        assert_eq!(state(&scenario, id).await, "COOLING");
    }
    let listed = ask(&scenario, &json!({"list": true})).await;
    assert_eq!(listed["quota"]["closed_in_30_days"], 10, "{listed}");
    assert_eq!(listed["closures"].as_array().map(Vec::len), Some(12), "{listed}");

    // The window moves, and the two that wait go.
    organization.set_closure_quota(10, Duration::ZERO);
    reach(&scenario, twelve, "CLOSED").await;
    assert_eq!(closed_since(&scenario, since), twelve);
    for id in twelve {
        told(&scenario, id).await;
        let told = listener.received("AccountClosureAdvanced", "account_id", id).await;
        let ends = told.iter().filter(|event| event.detail["outcome"] == "closed");
        let ends: Vec<_> = ends.collect();
        assert_eq!(ends.len(), 1, "{told:?}");
        assert!(ends[0].detail["gone_on"].is_string() && ends[0].detail["reason"] == "The project has ended");
        let asked = told.iter().find(|event| event.detail["outcome"] == "asked").expect("that AWS was asked");
        let invocation = asked.detail["invocation"].as_str().expect("an id");
        for moment in ["begun", "ended"] {
            let key = format!("account-closure#{invocation}#{id}#close#{moment}");
            assert!(scenario.stack.item_of("JournalTable", &key).await.unwrap().is_some(), "{key}");
        }
    }
    mailbox.wait_for(&format!("account {} is closed", ids[0]), PATIENCE).await;
    // Asked again, it is as it is; and nobody is asked to keep what is closed.
    assert_eq!(outcomes(&ask(&scenario, &wanted(&ids[..1], "apply")).await), ["ended"]);
    let late = json!({"account_id": ids[0], "keep": true, "mode": "apply"});
    assert_eq!(outcomes(&ask(&scenario, &late).await), ["refused"]);
    // The auditor takes it for Steward's own work.
    let audited = listener.all("ActivityAudited").await;
    let of_closing =
        audited.iter().filter(|event| event.detail["action"].as_str().unwrap_or_default().starts_with("CloseAccount"));
    let severities: BTreeSet<_> =
        of_closing.map(|event| event.detail["severity"].as_str().unwrap_or_default()).collect();
    assert!(
        severities.is_subset(&BTreeSet::from(["informational", "notice"])) && !severities.is_empty(),
        "{severities:?}"
    );
}

#[tokio::test]
async fn an_account_is_taken_out_of_its_stack_sets_or_waits_for_whoever_does_and_a_plan_shows_what_it_costs() {
    let parameters = [("StackSetsToLeave", "own"), ("AskCostExplorer", "yes")];
    let scenario = Scenario::that_closes_and(3, "0", "version: 1", &parameters).await;
    let (ids, organization) = (teams(&scenario, 3), &scenario.organization);
    let [first, second, third] = &ids[..] else { panic!("{ids:?}") };
    let mailbox = scenario.mailbox("stacks").await;
    organization.set_closing_time(Duration::from_secs(1));
    for (set, units) in [("own", None), ("others", None), ("units", Some(&["ou-none-00000000"][..]))] {
        organization.make_stack_set(set, units);
    }
    let there = ("CURRENT", "SUCCEEDED", "");
    for (set, account, region) in [
        ("own", first, "us-east-1"),
        ("own", first, "eu-west-1"),
        ("own", second, "us-east-1"),
        ("own", second, "eu-west-1"),
        ("others", second, "us-east-1"),
        ("units", third, "us-east-1"),
    ] {
        organization.set_stack_instance(set, (account, region), there);
    }
    organization.set_cost(first, "12.3456");
    let since = scenario.cloud.sequence();

    // A request to Cost Explorer is paid for, and so not repeated when it fails: the next plan asks again.
    let mut plans = 0;
    let plan = eventually("the charges to be known", PATIENCE, async || {
        plans += 1;
        let plan = ask(&scenario, &wanted(&ids, "plan")).await;
        plan["rows"][0]["last_month"]["unknown"].is_null().then_some(plan)
    })
    .await;
    let row = |n: usize| plan["rows"][n].clone();
    let by = |n: usize| {
        row(n)["stack_sets"]
            .as_array()
            .expect("stack sets")
            .iter()
            .map(|set| set["taken_out_by"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (by(0), by(1), by(2)),
        (vec![json!("steward")], vec![json!("people"), json!("steward")], vec![json!("aws")])
    );
    let steps = row(1)["steps"].to_string();
    assert!(steps.contains("take it out of the stack set own in eu-west-1, us-east-1; its stacks stay"), "{steps}");
    assert!(steps.contains(&format!("--stack-set-name others --accounts {second} --regions us-east-1")), "{steps}");
    assert_eq!(
        (row(0)["last_month"]["amount"].clone(), row(1)["last_month"]["amount"].clone()),
        (json!("12.35"), json!("0.00"))
    );
    let asked = scenario.calls_since(since).to("ce", "GetCostAndUsage");
    assert_eq!(asked.len(), plans, "one request for all accounts of a plan");

    ask(&scenario, &wanted(&ids, "apply")).await;
    reach(&scenario, &[first.clone(), third.clone()], "CLOSED").await;
    let operations = organization.stack_set_operations("own");
    let [(operation, accounts)] = &operations[..] else { panic!("{operations:?}") };
    assert!(operation.starts_with("steward-closing-") && accounts == std::slice::from_ref(first), "{operations:?}");
    // Nothing is done to the one that waits for people, who are told once.
    let held = eventually("the second to be held", PATIENCE, async || {
        let row = advance(&scenario).await["rows"][0].clone();
        (row["obstacle"]["cause"] == "StackInstancesLeft").then_some(row)
    })
    .await;
    assert!(held["obstacle"]["message"].as_str().unwrap().contains("others in us-east-1"), "{held}");
    mailbox.wait_for("1 account cannot be closed before somebody has done something", PATIENCE).await;
    advance(&scenario).await;
    assert_eq!(
        (record(&scenario, second).await.unwrap()["told"].clone(), state(&scenario, second).await),
        (json!("held"), "COOLING".to_owned())
    );

    // IAM holds it where the code is not asked: other stack sets are left alone.
    let function = as_function(&scenario, "account-closer").await;
    let leave = async |set: &str| {
        let input = [
            ("StackSetName", set),
            ("Accounts.member.1", second.as_str()),
            ("Regions.member.1", "us-east-1"),
            ("RetainStacks", "true"),
            ("OperationId", "by-somebody"),
        ];
        function
            .query("cloudformation", "DeleteStackInstances", "2010-05-15", &input)
            .await
            .err()
            .map(|error| error.code)
    };
    assert_eq!(leave("others").await.as_deref(), Some("AccessDenied"));

    // Somebody has done it.
    organization.set_stack_instance("others", (second, "us-east-1"), ("", "", ""));
    reach(&scenario, std::slice::from_ref(second), "CLOSED").await;
    let accounts: Vec<_> = organization.stack_set_operations("own").into_iter().map(|(_, accounts)| accounts).collect();
    assert_eq!(accounts, [vec![first.clone()], vec![second.clone()]]);
}

#[tokio::test]
async fn an_account_that_somebody_closes_while_it_waits_is_noticed_told_once_and_not_steward_s_work() {
    let scenario = Scenario::that_closes(2, "7", "version: 1").await;
    let (ids, organization) = (teams(&scenario, 2), &scenario.organization);
    let [closed, waiting] = &ids[..] else { panic!("{ids:?}") };
    let (listener, mailbox) = (scenario.listen("by-hand").await, scenario.mailbox("by-hand").await);
    // A refusal of Cost Explorer stops no plan; here IAM does not let the function ask.
    let mut environment = scenario.stack.configuration(CLOSER).await.unwrap()["Environment"].clone();
    environment["Variables"]["ASK_COST_EXPLORER"] = "yes".into();
    scenario.stack.configure(CLOSER, &json!({"Environment": environment})).await.unwrap();
    let plan = eventually("the function to ask", PATIENCE, async || {
        let plan = ask(&scenario, &wanted(&ids, "plan")).await;
        (!plan["rows"][0]["last_month"].is_null()).then_some(plan)
    })
    .await;
    let unknown = plan["rows"][0]["last_month"]["unknown"].as_str().unwrap_or_else(|| panic!("{plan}")).to_owned();
    assert!(unknown.contains("ce:GetCostAndUsage") && outcomes(&plan) == ["planned"; 2], "{plan}");

    // Long enough that the next run sees it on its way.
    organization.set_closing_time(Duration::from_mins(10));
    assert_eq!(outcomes(&ask(&scenario, &wanted(&ids, "apply")).await), ["under_way"; 2]);
    eventually("both to wait", PATIENCE, async || (state(&scenario, waiting).await == "COOLING").then_some(())).await;
    let since = scenario.cloud.sequence();
    scenario
        .stack
        .client
        .json("organizations", "CloseAccount", json!({"AccountId": closed}))
        .await
        .expect("it is closed");
    let noticed = eventually("a run to notice it", PATIENCE, async || {
        advance(&scenario).await;
        record(&scenario, closed).await.filter(|record| record["state"]["name"] != "COOLING")
    })
    .await;
    assert_eq!((&noticed["state"]["name"], &noticed["past_steward"]), (&json!("PENDING"), &json!(true)), "{noticed}");
    assert_eq!(state(&scenario, waiting).await, "COOLING");
    reach(&scenario, std::slice::from_ref(closed), "CLOSED").await;
    told(&scenario, closed).await;
    advance(&scenario).await;
    let ends = listener.received("AccountClosureAdvanced", "account_id", closed).await.into_iter();
    let ends: Vec<_> = ends.filter(|event| event.detail["outcome"] == "closed").collect();
    assert!(ends.len() == 1 && ends[0].detail["past_steward"] == true, "{ends:?}");
    mailbox.wait_for(&format!("account {closed} is closed, past Steward"), PATIENCE).await;
    assert!(closed_since(&scenario, since).is_empty(), "Steward has asked for nothing");
    let severity = eventually("the call to be audited", PATIENCE, async || {
        let audited = listener.received("ActivityAudited", "account_id", closed).await.into_iter();
        let call = audited.map(|event| event.detail).find(|detail| detail["action"] == "CloseAccount")?;
        Some(call["severity"].as_str().unwrap_or_default().to_owned())
    })
    .await;
    assert!(["warning", "critical"].contains(&severity.as_str()), "{severity}");
}

/// Asks for something, and kills the function in the middle of a call: it is carried out, and whoever has made it is gone before
/// the answer comes.
async fn killed_at(scenario: &Scenario, (service, operation): (&str, &str), input: &Value) {
    let management = scenario.organization.management_account();
    let slow = Fault::new(FaultKind::Latency(Duration::from_secs(5))).operation(service, operation);
    let slow = scenario.fault(slow.account(management).function("account-closer").times(1));
    let killed = async {
        eventually(&format!("{operation} to be called"), PATIENCE, async || (slow.hits() > 0).then_some(())).await;
        harness::kill(scenario.stack.output(CLOSER)).expect("its process can be killed");
    };
    let work = async {
        let _ = scenario.stack.invoke(CLOSER, input).await;
        // What is to be closed is closed by a later run.
        let _ = scenario.stack.invoke(CLOSER, &json!({"advance": true, "mode": "apply"})).await;
    };
    tokio::join!(work, killed);
    drop(slow);
    // A turn ends with the longest time that its invocation could have had.
    let turn = json!({"TableName": scenario.stack.output("StateTable"),
        "Key": {"pk": {"S": format!("turn#account-closer#{management}")}}});
    scenario.stack.client.json("dynamodb", "DeleteItem", turn).await.expect("the time passes");
    // And so does the claim to tell an end.
    for item in secrets::scan(scenario, "StateTable").await {
        let is_claim = item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("closure-end#"));
        if is_claim && item["completed"]["BOOL"] != true {
            let claim = json!({"TableName": scenario.stack.output("StateTable"), "Key": {"pk": item["pk"]}});
            scenario.stack.client.json("dynamodb", "DeleteItem", claim).await.expect("the time passes");
        }
    }
}

#[tokio::test]
async fn a_function_that_is_killed_while_it_calls_a_closing_off_puts_the_account_back_all_the_same() {
    let scenario = Scenario::that_closes(4, "7", "version: 1").await;
    let (ids, organization) = (teams(&scenario, 4), &scenario.organization);
    let listener = scenario.listen("kept").await;
    let since = scenario.cloud.sequence();
    assert_eq!(outcomes(&ask(&scenario, &wanted(&ids, "apply")).await), ["under_way"; 4]);
    reach(&scenario, &ids, "COOLING").await;
    let kills = [
        ("dynamodb", "TransactWriteItems"),
        ("organizations", "MoveAccount"),
        ("organizations", "UntagResource"),
        ("events", "PutEvents"),
    ];
    for (call, id) in kills.into_iter().zip(&ids) {
        let keep = json!({"account_id": id, "keep": true, "mode": "apply"});
        killed_at(&scenario, call, &keep).await;
        // Asked again, or for the first time where nothing had been written, it goes on.
        ask(&scenario, &keep).await;
        reach(&scenario, std::slice::from_ref(id), "KEPT").await;
        assert_eq!(organization.parent_of(id), organization.unit_id("/Workloads/Sandbox"), "{call:?}");
        assert!(!organization.tags_of(id).contains_key("steward:closing"), "{call:?}");
        told(&scenario, id).await;
        let kept = listener.received("AccountClosureAdvanced", "account_id", id).await.into_iter();
        assert!(kept.filter(|event| event.detail["outcome"] == "kept").count() >= 1, "{call:?}");
    }
    assert!(closed_since(&scenario, since).is_empty(), "none is closed");
}

#[tokio::test]
async fn a_function_that_is_killed_at_any_call_goes_on_to_the_same_end() {
    let scenario = Scenario::that_closes(4, "0", "version: 1").await;
    let ids = teams(&scenario, 4);
    scenario.organization.set_closing_time(Duration::from_secs(1));
    let since = scenario.cloud.sequence();
    let kills = [
        ("organizations", "TagResource"),
        ("organizations", "MoveAccount"),
        ("organizations", "CloseAccount"),
        ("dynamodb", "TransactWriteItems"),
    ];
    for ((service, operation), (n, id)) in kills.into_iter().zip(ids.iter().enumerate()) {
        let close = json!({"account_id": id, "account_name": format!("Team {n}"), "reason": "x", "mode": "apply"});
        killed_at(&scenario, (service, operation), &close).await;
        // Asked again, or for the first time where nothing had been written, it goes on.
        ask(&scenario, &close).await;
        reach(&scenario, std::slice::from_ref(id), "CLOSED").await;
        assert_eq!(scenario.organization.parent_of(id), scenario.organization.unit_id("/Suspended"), "{operation}");
    }
    let closed = closed_since(&scenario, since);
    let distinct: BTreeSet<_> = closed.iter().collect();
    assert_eq!((distinct.len(), closed.len()), (4, 4), "each was closed once: {closed:?}");
}

#[tokio::test]
async fn what_must_not_be_closed_is_refused_and_so_is_a_wrong_input_with_every_problem_and_nothing_is_written() {
    let scenario = Scenario::that_closes(4, "7", "version: 1").await;
    let ids = teams(&scenario, 4);
    let [delegate, protected, jump, changing] = &ids[..] else { panic!("{ids:?}") };
    let document = format!("{}protected: {{accounts: ['{protected}']}}\n", with_access(jump, ""));
    scenario.put_document(&document).await;
    let register = json!({"AccountId": delegate, "ServicePrincipal": "iam.amazonaws.com"});
    scenario.stack.client.json("organizations", "RegisterDelegatedAdministrator", register).await.expect("a delegate");
    let change = json!({"pk": {"S": format!("email-change#{changing}")}, "open": {"S": "email-change"}});
    scenario.stack.put_item(&change).await.expect("a change of an address");
    let since = scenario.cloud.sequence();
    let stranger = scenario.cloud.new_account_id();
    let management = scenario.organization.management_account();
    let input = json!({"reason": "x", "mode": "apply", "accounts": [
        {"account_id": delegate, "account_name": "Team 0"},
        {"account_id": protected, "account_name": "Team 1"},
        {"account_id": jump, "account_name": "Team 2"},
        {"account_id": changing, "account_name": "Team 3"},
        {"account_id": management, "account_name": "Management"},
        {"account_id": stranger, "account_name": "Nobody's"},
        {"account_id": scenario.member(), "account_name": "The Shop"},
    ]});
    let answer = ask(&scenario, &input).await;
    let why: Vec<_> = answer["rows"].as_array().unwrap().iter().map(|row| row["why"].as_str().unwrap_or("-")).collect();
    for (why, part) in why.iter().zip([
        "administers a service",
        "protected by the baseline document",
        "people sign in to",
        "address is being changed",
        "management account",
        "not in this organization",
        "name is another one",
    ]) {
        assert!(why.contains(part), "{part}: {answer}");
    }
    let wrong = json!({"mode": "now", "accounts": [{"account_id": "1", "account_name": ""}, {"account_id": delegate}]});
    let refused = scenario.stack.invoke(CLOSER, &wrong).await.expect_err("it is wrong").message;
    for path in
        ["mode", "accounts[0].account_id", "accounts[0].account_name", "accounts[1].account_name", "accounts[1].reason"]
    {
        assert!(refused.contains(path), "{path}: {refused}");
    }
    let called = scenario.calls_since(since).by_function("account-closer");
    let changes = called.only(|call| call.service == "organizations").actions();
    assert!(changes.iter().all(|action| action.contains(":Describe") || action.contains(":List")), "{changes:?}");
    for id in &ids {
        assert_eq!(record(&scenario, id).await, None);
    }

    // Where the code is not asked, IAM holds it.
    let function = as_function(&scenario, "account-closer").await;
    let free = scenario.member();
    let code = async |operation: &str, input: Value| {
        function.json("organizations", operation, input).await.err().map(|error| error.code)
    };
    let denied = Some("AccessDeniedException".to_owned());
    assert_eq!(code("CloseAccount", json!({"AccountId": free})).await, denied, "it is not marked");
    let tag = |key: &str| json!({"ResourceId": free, "Tags": [{"Key": key, "Value": "2026-12-06"}]});
    assert_eq!(code("TagResource", tag("team")).await, denied, "another tag");
    assert_eq!(code("TagResource", tag("steward:closing")).await, None);
    assert_eq!(code("UntagResource", json!({"ResourceId": free, "TagKeys": ["team"]})).await, denied);
    assert_eq!(code("CloseAccount", json!({"AccountId": free})).await, None);
}

#[tokio::test]
async fn a_closed_account_is_met_by_every_function_and_so_is_one_that_waits() {
    let scenario = Scenario::that_closes(3, "0", "version: 1").await;
    let ids = teams(&scenario, 3);
    let [closed, waiting, other] = &ids[..] else { panic!("{ids:?}") };
    let jump = scenario.member();
    let projects = format!("  projects:\n    - {{name: teams, accounts: {{account_ids: ['{closed}', '{other}']}}}}\n");
    let document = with_access(&jump, &projects);
    scenario.put_document(&document).await;
    scenario.stack.watch_for_years().await.expect("the table takes it");
    scenario.organization.set_closing_time(Duration::from_secs(1));
    assert_eq!(outcomes(&ask(&scenario, &wanted(&ids[..1], "apply")).await), ["under_way"]);
    reach(&scenario, &ids[..1], "CLOSED").await;
    let second = json!({"account_id": waiting, "account_name": "Team 1", "reason": "x", "mode": "apply"});
    ask(&scenario, &second).await;
    assert_eq!(state(&scenario, waiting).await, "COOLING");

    // A sweep has both in its report, and changes neither.
    let sweep = scenario.stack.start_sweep().await.expect("the sweep starts");
    scenario.stack.end_of_sweep(&sweep, PATIENCE * 2).await;
    let report = scenario.stack.report_object("latest/report.json").await.expect("a report");
    let cells = cells(&serde_json::from_str(&report).expect("JSON"));
    let said = |id: &str| cells[&(id.to_owned(), String::new())].clone();
    assert!(said(closed).contains("gone for good on"), "{}", said(closed));
    assert!(said(waiting).contains("The account is closed from"), "{}", said(waiting));
    assert!(!scenario.organization.tags_of(waiting).contains_key("stage"));

    // By hand, the closed one is left out, and the other one looked at and left.
    let apply = json!({"account_ids": [closed, waiting], "mode": "apply", "controls": ["account-tags"]});
    let answer = scenario.stack.baseline(&apply).await.expect("the applier answers");
    assert_eq!(answer["skipped"][0]["account_id"], closed.as_str(), "{answer}");
    assert!(answer["rows"][0]["notes"].to_string().contains("unit for accounts that are to be closed"), "{answer}");
    assert!(!scenario.organization.tags_of(waiting).contains_key("stage"));

    // No root session, and no request with its address.
    let task = json!({"task": "delete-credentials", "reason": "x", "mode": "apply", "account_ids": [closed, waiting]});
    let answer = scenario.stack.invoke("RootTaskRunnerFunction", &task).await.expect("the runner answers");
    assert_eq!(outcomes(&answer), ["refused", "refused"], "{answer}");
    let address = format!("team-0@{}.example.com", scenario.organization.management_account());
    let request = json!({"account_name": "Again", "email": address});
    let answer = scenario.stack.request(&request).await.expect("the requester answers");
    assert_eq!(answer["cause"], "EmailOfInactiveAccount", "{answer}");

    // The groups of the jump account reach it no more.
    let groups = json!({"account_ids": [jump], "mode": "apply", "controls": ["jump-groups"]});
    let answer = scenario.stack.baseline(&groups).await.expect("the applier answers");
    assert_eq!(answer["rows"][0]["outcome"], "fixed", "{answer}");
    assert!(!answer.to_string().contains(&format!("arn:aws:iam::{closed}")), "{answer}");

    // One that somebody has closed past Steward is known from its event on.
    scenario
        .stack
        .client
        .json("organizations", "CloseAccount", json!({"AccountId": other}))
        .await
        .expect("it is closed");
    eventually("its record", PATIENCE, async || (state(&scenario, other).await == "CLOSED").then_some(())).await;
    assert_eq!(record(&scenario, other).await.unwrap()["reason"], "It was closed past Steward.");
}
