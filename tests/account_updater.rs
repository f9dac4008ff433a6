//! `account-updater`: addresses, names and contacts of accounts, from the plan to what AWS has in the end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use harness::{eventually, kill};
use local_cloud::{AwsError, Fault, FaultKind, Method};
use serde_json::{Value, json};

use crate::{
    scenario::{PATIENCE, Scenario},
    secrets,
};

const UPDATER: &str = "AccountUpdaterFunction";
const DOMAINS: (&str, &str) = ("EmailDomains", "new.example");
/// The addresses of the domain that is changed: some are given wrong codes, some none.
const ADDRESSES: usize = 400;
const WRONG: usize = 10;
const NEVER: usize = 10;
/// After how long without a change nobody is at work any more.
const STALLED: Duration = Duration::from_secs(4);
/// How many people give codes at once.
const GIVERS: usize = 4;

/// What somebody asks for, with a reason.
fn asked(task: &str, more: &Value) -> Value {
    let mut input = json!({"task": task, "reason": "the company has another name", "requested_by": "alice"});
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    input
}

fn apply(task: &str, more: &Value) -> Value {
    let mut input = asked(task, more);
    input["mode"] = "apply".into();
    input
}

async fn ask(scenario: &Scenario, input: &Value) -> Value {
    scenario.stack.invoke(UPDATER, input).await.unwrap_or_else(|error| panic!("{input}: {error}"))
}

/// The row of one account.
async fn one(scenario: &Scenario, input: &Value) -> Value {
    let answer = ask(scenario, input).await;
    assert_eq!(answer["rows"].as_array().map(Vec::len), Some(1), "{answer}");
    answer["rows"][0].clone()
}

async fn looks(scenario: &Scenario, task: &str, more: &Value) -> Value {
    let mut input = more.clone();
    input["task"] = task.into();
    ask(scenario, &input).await
}

async fn record(scenario: &Scenario, account: &str) -> Option<Value> {
    scenario.stack.item(&format!("email-change#{account}")).await.expect("the table can be read")
}

async fn state(scenario: &Scenario, account: &str) -> String {
    let record = record(scenario, account).await.unwrap_or_default();
    record["state"]["name"].as_str().unwrap_or("none").to_owned()
}

fn code(scenario: &Scenario, account: &str) -> String {
    scenario.organization.email_changes_of(account).code().expect("a code was mailed")
}

/// Six letters that are no code of this account.
fn wrong_code(code: &str) -> &'static str {
    if code == "aaaaaa" { "bbbbbb" } else { "aaaaaa" }
}

/// Has the updater look at what AWS says until a record is so.
async fn followed(scenario: &Scenario, account: &str, wanted: &str) {
    eventually(&format!("{account} to be {wanted}"), PATIENCE, async || {
        ask(scenario, &json!({"task": "follow-email-changes", "mode": "apply"})).await;
        (state(scenario, account).await == wanted).then_some(())
    })
    .await;
}

/// Takes every way through the function that needs a permission of its own.
pub(crate) async fn every_way(scenario: &Scenario) {
    let (account, own) = (scenario.member(), scenario.organization.management_account());
    scenario.organization.set_email_change_time(Duration::from_secs(20));
    let before = format!("shop@{own}.example.com");
    let id = json!({"account_id": account});
    let with = |more: &Value| {
        let mut input = id.clone();
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        input
    };
    let start = apply("start-email-change", &with(&json!({"new_email": "every-way@new.example"})));
    assert_eq!(one(scenario, &start).await["outcome"], "done");
    assert_eq!(looks(scenario, "email-changes", &json!({"csv": true})).await["rows"][0]["aws_status"], "PENDING");
    let accept = apply("accept-email-change", &with(&json!({"otp": code(scenario, &account)})));
    assert_eq!(one(scenario, &accept).await["outcome"], "done");
    followed(scenario, &account, "COMPLETED").await;
    address_is_back(scenario, &account, &before).await;
    // The same by the queue.
    let from = before.split_once('@').expect("an address").1;
    let whole = json!({"from": from, "to": "new.example", "organizational_unit": "/Workloads"});
    assert_eq!(ask(scenario, &apply("change-email-domain", &whole)).await["outcome"], "done");
    eventually("its turn", PATIENCE, async || (state(scenario, &account).await == "PENDING").then_some(())).await;
    let rename = apply("rename", &with(&json!({"new_name": "Every Way"})));
    assert_eq!(one(scenario, &rename).await["outcome"], "done");
    assert_eq!(one(scenario, &rename).await["outcome"], "nothing_to_do");
    let contact = json!({"name": "N", "title": "T", "email": "n@example.com", "phone": "1"});
    let set = json!({"account_ids": [account], "contact_type": "operations", "contact": contact});
    assert_eq!(one(scenario, &apply("set-contact", &set)).await["outcome"], "done");
    let delete = json!({"account_ids": [account], "contact_type": "operations"});
    assert_eq!(one(scenario, &apply("delete-contact", &delete)).await["outcome"], "done");
    for task in ["contacts", "regions"] {
        let seen = looks(scenario, task, &json!({"account_ids": [account, own]})).await;
        assert!(seen["rows"][1]["outcome"].is_null(), "{seen}");
    }
}

/// A person changes the address back, in the console: others look for the account by it.
async fn address_is_back(scenario: &Scenario, account: &str, email: &str) {
    let client = &scenario.stack.client;
    let call = async |operation: &str, mut input: Value| {
        (input["AccountId"], input["PrimaryEmail"]) = (account.into(), email.into());
        client.rest("account", Method::POST, &format!("/{operation}"), input.to_string()).await.ok()
    };
    eventually("a code for the old address", PATIENCE, async || call("startPrimaryEmailUpdate", json!({})).await).await;
    let otp = code(scenario, account);
    eventually("it to be taken", PATIENCE, async || call("acceptPrimaryEmailUpdate", json!({"Otp": otp})).await).await;
    let is_back = async || scenario.organization.account_with_email(email);
    eventually("the old address", PATIENCE, is_back).await;
}

#[tokio::test]
async fn a_mistyped_address_is_planned_changed_with_the_code_and_told_and_the_code_is_nowhere() {
    let scenario = Scenario::own(&[DOMAINS]).await;
    let (listener, mailbox) = (scenario.listen("updated").await, scenario.mailbox("updated").await);
    let account = scenario.member();
    let changes = scenario.organization.email_changes_of(&account);
    scenario.organization.set_email_change_time(Duration::from_secs(20));
    let start = json!({"account_id": account, "new_email": "shop@new.example"});

    let planned = one(&scenario, &asked("start-email-change", &start)).await;
    assert_eq!(planned["outcome"], "planned", "{planned}");
    assert_eq!((changes.status(), record(&scenario, &account).await), (None, None));

    let started = one(&scenario, &apply("start-email-change", &start)).await;
    assert_eq!(started["outcome"], "done", "{started}");
    assert_eq!((changes.status(), state(&scenario, &account).await.as_str()), (Some("PENDING"), "PENDING"));
    let told = listener.wait_for("AccountUpdated", "task", "start-email-change", PATIENCE).await.detail;
    let said = |field: &str| told[field].as_str().unwrap_or_default().to_owned();
    assert_eq!((said("reason").as_str(), said("requested_by").as_str()), ("the company has another name", "alice"));
    for (moment, outcome) in [("begun", "begun"), ("ended", "done")] {
        let pk = format!("account-update#{}#{account}#{moment}", said("invocation"));
        assert_eq!(scenario.stack.item_of("JournalTable", &pk).await.unwrap().expect("a row")["outcome"], outcome);
    }
    mailbox.wait_for(&format!("start-email-change for {account}"), PATIENCE).await;
    // Asked again, AWS is not.
    let again = one(&scenario, &apply("start-email-change", &start)).await;
    assert_eq!(again["outcome"], "nothing_to_do", "{again}");

    let code = code(&scenario, &account);
    let accept = |otp: &str| apply("accept-email-change", &json!({"account_id": account, "otp": otp}));
    let wrong = one(&scenario, &accept(wrong_code(&code))).await;
    assert_eq!((&wrong["outcome"], &wrong["cause"]), (&json!("failed"), &json!("InputRefused")), "{wrong}");
    assert_eq!(changes.status(), Some("PENDING"), "the right code still works");
    let accepted = one(&scenario, &accept(&code)).await;
    assert_eq!(accepted["outcome"], "done", "{accepted}");
    followed(&scenario, &account, "COMPLETED").await;
    assert_eq!(scenario.organization.account_with_email("shop@new.example"), Some(account.clone()));
    listener.wait_for("AccountUpdated", "task", "follow-email-changes", PATIENCE).await;
    assert!(looks(&scenario, "email-changes", &json!({})).await["rows"].as_array().unwrap().is_empty());
    assert!(!accepted.to_string().contains(&code));
    secrets::went_to(&scenario, &code, "account-updater", &["AcceptPrimaryEmailUpdate"]).await;

    // Steward's own work is told as that: by the event above, and not by the auditor.
    let audited = listener.received("ActivityAudited", "account_id", &account).await;
    assert!(audited.iter().all(|event| event.detail["severity"] != "critical"), "{audited:?}");
}

#[tokio::test]
async fn an_answer_that_was_lost_is_looked_up_and_asks_aws_no_second_time() {
    let scenario = Scenario::own(&[DOMAINS]).await;
    let account = scenario.member();
    let start = apply("start-email-change", &json!({"account_id": account, "new_email": "shop@new.example"}));
    let lost = Fault::new(FaultKind::AnswerLost).operation("account", "StartPrimaryEmailUpdate");
    let lost = scenario.fault(lost.account(scenario.organization.management_account()).times(1));
    let answer = one(&scenario, &start).await;
    assert_eq!((&answer["outcome"], lost.hits()), (&json!("failed"), 1), "{answer}");
    assert_eq!(state(&scenario, &account).await, "STARTING");
    let again = one(&scenario, &start).await;
    assert_eq!(
        (again["outcome"].as_str(), state(&scenario, &account).await.as_str()),
        (Some("nothing_to_do"), "PENDING")
    );
    let starts = scenario.calls_since(0).to("account", "StartPrimaryEmailUpdate");
    assert_eq!(starts.len(), 1, "AWS was asked once");

    // Another code is asked for by a person, and ends the first.
    let first = code(&scenario, &account);
    let resent = one(&scenario, &apply("resend-email-change", &json!({"account_id": account}))).await;
    assert_eq!(resent["outcome"], "done", "{resent}");
    assert_ne!(code(&scenario, &account), first);
    let other = apply("start-email-change", &json!({"account_id": account, "new_email": "other@new.example"}));
    assert_eq!(one(&scenario, &other).await["outcome"], "refused");
    let forgotten = one(&scenario, &apply("forget-email-change", &json!({"account_id": account}))).await;
    assert_eq!((&forgotten["outcome"], state(&scenario, &account).await.as_str()), (&json!("done"), "FORGOTTEN"));
    assert_eq!(one(&scenario, &other).await["outcome"], "done");
}

/// How often AWS was asked for a change of each account, and took it.
fn starts(scenario: &Scenario) -> BTreeMap<String, usize> {
    let calls = scenario.calls_since(0).to("account", "StartPrimaryEmailUpdate");
    calls.iter().fold(BTreeMap::new(), |mut starts, call| {
        // An answer that nobody waits for any more is one that was given.
        if call.error.is_none() {
            *starts.entry(call.input["AccountId"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        starts
    })
}

#[tokio::test]
async fn a_whole_domain_is_changed_through_two_kills_each_account_once_and_what_nobody_ends_is_told_once() {
    let scenario = Scenario::with_members_and(ADDRESSES, "version: 1", &[DOMAINS]).await;
    let listener = scenario.listen("domain").await;
    scenario.organization.set_email_change_time(Duration::from_secs(20));
    let from = format!("{}.example.com", scenario.organization.management_account());
    let whole = json!({"from": from, "to": "new.example", "organizational_unit": "/Workloads/Sandbox", "csv": true});
    let planned = ask(&scenario, &asked("change-email-domain", &whole)).await;
    let rows = planned["rows"].as_array().expect("rows");
    assert!(rows.len() == ADDRESSES && rows.iter().all(|row| row["outcome"] == "planned"), "{planned}");
    let key = planned["csv"].as_str().expect("a sheet").rsplit("account-updater/").next().expect("a key").to_owned();
    let sheet = scenario.stack.report_object(&format!("account-updater/{key}")).await.expect("the sheet");
    assert!(sheet.lines().count() == ADDRESSES + 1 && sheet.contains("team-7@new.example,planned"), "{sheet}");
    assert!(starts(&scenario).is_empty());
    let accounts: Vec<_> = rows.iter().map(|row| row["account_id"].as_str().expect("an id").to_owned()).collect();

    ask_through_two_kills(&scenario, &whole).await;

    let codes: BTreeMap<_, _> = accounts.iter().map(|account| (account.clone(), code(&scenario, account))).collect();
    let (never, rest) = accounts.split_at(NEVER);
    let (wrong, right) = rest.split_at(WRONG);
    let given = wrong.iter().map(|account| (account, wrong_code(&codes[account])));
    let given = given.chain(right.iter().map(|account| (account, codes[account].as_str())));
    let answers = give(&scenario, given).await;
    let (refused, done) = answers.split_at(WRONG);
    assert!(refused.iter().all(|row| row["cause"] == "InputRefused"), "{refused:?}");
    assert!(done.len() == right.len() && done.iter().all(|row| row["outcome"] == "done"), "{done:?}");
    let follow = json!({"task": "follow-email-changes", "mode": "apply"});
    eventually("the right ones to be completed", PATIENCE * 2, async || {
        ask(&scenario, &follow).await;
        (in_state(&scenario, "COMPLETED").await.len() == right.len()).then_some(())
    })
    .await;
    let left = looks(&scenario, "email-changes", &json!({"csv": true})).await;
    let domain = |row: &Value| row["new_email"].as_str().is_some_and(|email| email.ends_with("@new.example"));
    let rows = left["rows"].as_array().expect("rows");
    let is_right = |row: &Value| domain(row) && row["aws_status"] == "PENDING";
    assert!(rows.len() == NEVER + WRONG && rows.iter().all(is_right), "{left}");
    // Each account has one record, and it is right.
    let mut completed = in_state(&scenario, "COMPLETED").await;
    let mut expected = right.to_vec();
    completed.sort();
    expected.sort();
    assert_eq!(completed, expected);
    for account in right {
        let local = planned["rows"].as_array().expect("rows").iter().find(|row| row["account_id"] == account.as_str());
        let email = local.and_then(|row| row["new_email"].as_str()).expect("a plan");
        assert_eq!(scenario.organization.account_with_email(email).as_ref(), Some(account), "{email}");
    }

    // Twenty-one hours later.
    let begun = steward::clock::now() - Duration::from_hours(21);
    for account in never.iter().chain(wrong) {
        let update = json!({"TableName": scenario.stack.output("StateTable"),
            "Key": {"pk": {"S": format!("email-change#{account}")}}, "UpdateExpression": "SET started_at = :begun",
            "ExpressionAttributeValues": {":begun": {"S": begun.to_string()}}});
        scenario.stack.client.json("dynamodb", "UpdateItem", update).await.expect("the record is made older");
    }
    eventually("all to be told", PATIENCE, async || {
        ask(&scenario, &follow).await;
        let records = changes(&scenario).await;
        let told = records.iter().filter(|record| !record["told_at"].is_null()).count();
        (told == NEVER + WRONG).then_some(())
    })
    .await;
    let named = async || {
        let told = listener.all("EmailChangesAbandoned").await;
        let changes = told.iter().flat_map(|event| event.detail["changes"].as_array().cloned().unwrap_or_default());
        let mut named: Vec<_> = changes.filter_map(|change| change["account_id"].as_str().map(str::to_owned)).collect();
        named.sort();
        named
    };
    let mut expected = [never, wrong].concat();
    expected.sort();
    eventually("the event", PATIENCE, async || (named().await.len() >= expected.len()).then_some(())).await;
    let last = ask(&scenario, &follow).await;
    assert_eq!(named().await, expected, "each is told once");
    // No code is anywhere but in the calls that give it to AWS, each of which has one.
    let said = secrets::said(&scenario, codes.values().map(String::as_str), "account-updater").await;
    assert!(said.iter().all(|operation| operation == "AcceptPrimaryEmailUpdate"), "{said:?}");
    let shown = json!([
        answers,
        left,
        last,
        listener.all("AccountUpdated").await.iter().map(|event| &event.detail).collect::<Vec<_>>()
    ]);
    let shown = shown.to_string();
    for code in codes.values() {
        assert!(!shown.contains(&format!("\"{code}\"")) && !shown.contains(&format!(" {code} ")), "{code}");
    }
}

/// Asks for the whole domain, and sees each account asked for once, although the function is killed twice: while the changes are
/// put into the queue, and while the queue is worked off.
async fn ask_through_two_kills(scenario: &Scenario, whole: &Value) {
    let whole = apply("change-email-domain", whole);
    let (stack, input) = (scenario.stack.clone(), whole.clone());
    let first = tokio::spawn(async move { stack.invoke(UPDATER, &input).await });
    let function = scenario.stack.output(UPDATER);
    let begun = async |number: usize| {
        eventually("some to be begun", PATIENCE, async || {
            let started = starts(scenario).len();
            (started >= number).then_some(())
        })
        .await;
        kill(function).expect("its processes can be killed");
    };
    begun(1).await;
    let _: Result<Value, AwsError> = first.await.expect("a task");
    ask_again(scenario, &whole).await;
    begun(ADDRESSES / 2).await;
    // Whoever asks again goes on; so would the run of every hour. What the kill has left half done is known after a minute.
    let mut last = (usize::MAX, Instant::now());
    eventually("every change to wait for its code", PATIENCE * 2, async || {
        // The table is looked at when AWS was asked for all of them.
        let waiting = match ADDRESSES - starts(scenario).len() {
            0 => ADDRESSES - in_state(scenario, "PENDING").await.len(),
            unasked => unasked,
        };
        if waiting != last.0 {
            last = (waiting, Instant::now());
        } else if waiting > 0 && last.1.elapsed() >= STALLED {
            // Nobody works on what was with the process that was killed.
            ask_again(scenario, &whole).await;
            last.1 = Instant::now();
        }
        (waiting == 0).then_some(())
    })
    .await;
    let starts = starts(scenario);
    assert!(starts.len() == ADDRESSES && starts.values().all(|count| *count == 1), "{starts:?}");
}

/// Gives these codes, some at the same time; what each came to.
async fn give<'a>(scenario: &Scenario, given: impl Iterator<Item = (&'a String, &'a str)>) -> Vec<Value> {
    stream::iter(given)
        .map(async |(account, otp)| {
            let accept = apply("accept-email-change", &json!({"account_id": account, "otp": otp}));
            // People who give codes at the same time take more than the rate: AWS says so, and it is given again.
            eventually("the code to be looked at", PATIENCE, async || {
                let row = one(scenario, &accept).await;
                (row["cause"] != "Throttled").then_some(row)
            })
            .await
        })
        .buffered(GIVERS)
        .collect()
        .await
}

/// The records of all changes, as the table has them.
async fn changes(scenario: &Scenario) -> Vec<Value> {
    let is_change = |item: &Value| item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("email-change#"));
    secrets::scan(scenario, "StateTable").await.into_iter().filter(is_change).collect()
}

/// The accounts whose change is in this state.
async fn in_state(scenario: &Scenario, state: &str) -> Vec<String> {
    let records = changes(scenario).await;
    let of_state = records.iter().filter(|record| record["state"]["M"]["name"]["S"] == state);
    of_state.filter_map(|record| record["account_id"]["S"].as_str().map(str::to_owned)).collect()
}

/// Asks for the same again; an invocation that was killed answers with an error.
async fn ask_again(scenario: &Scenario, input: &Value) {
    eventually("an answer", PATIENCE, async || scenario.stack.invoke(UPDATER, input).await.ok()).await;
}

#[tokio::test]
async fn an_address_outside_the_domains_is_refused_by_the_input_and_without_that_by_iam() {
    let scenario = Scenario::own(&[DOMAINS]).await;
    let account = scenario.member();
    let start = apply("start-email-change", &json!({"account_id": account, "new_email": "shop@evil.example"}));
    let refused = scenario.stack.invoke(UPDATER, &start).await.expect_err("it is refused");
    assert!(refused.to_string().contains("must be of a domain of the stack: new.example"), "{refused}");
    assert_eq!(record(&scenario, &account).await, None);

    // The function believes another domain; its role does not.
    let mut environment =
        scenario.stack.configuration(UPDATER).await.expect("the configuration")["Environment"].clone();
    environment["Variables"]["EMAIL_DOMAINS"] = "new.example,evil.example".into();
    scenario.stack.configure(UPDATER, &json!({"Environment": environment})).await.expect("it is changed");
    let denied = eventually("the function to believe it", PATIENCE, async || {
        let answer = scenario.stack.invoke(UPDATER, &start).await.ok()?;
        Some(answer["rows"][0].clone())
    })
    .await;
    assert_eq!(
        (&denied["outcome"], &denied["cause"]),
        (&json!("failed"), &json!("AccountManagementDenied")),
        "{denied}"
    );
    assert_eq!(scenario.organization.email_changes_of(&account).status(), None);
    assert_eq!(state(&scenario, &account).await, "FAILED");
    let inside = apply("start-email-change", &json!({"account_id": account, "new_email": "shop@New.example"}));
    assert_eq!(one(&scenario, &inside).await["outcome"], "done");
}

#[tokio::test]
async fn an_account_outside_the_units_of_the_stack_is_changed_by_nothing_since_iam_denies_it() {
    let scenario = Scenario::that_updates_the_sandbox(1, &[DOMAINS]).await;
    let outside = scenario.member();
    let email = format!("team-0@{}.example.com", scenario.organization.management_account());
    let inside = scenario.organization.account_with_email(&email).expect("a member");
    // The input knows nothing of units: whoever asks is refused by IAM, whatever the function believes.
    let start = |account: &str| {
        apply("start-email-change", &json!({"account_id": account, "new_email": format!("{account}@new.example")}))
    };
    let rename = |account: &str| apply("rename", &json!({"account_id": account, "new_name": format!("New {account}")}));
    let contact = json!({"name": "N", "title": "T", "email": "n@example.com", "phone": "1"});
    let set = |account: &str| {
        apply("set-contact", &json!({"account_ids": [account], "contact_type": "security", "contact": contact}))
    };
    for input in [start(&outside), rename(&outside), set(&outside)] {
        let row = one(&scenario, &input).await;
        assert_eq!((&row["outcome"], &row["cause"]), (&json!("failed"), &json!("AccountManagementDenied")), "{row}");
    }
    assert_eq!(scenario.organization.email_changes_of(&outside).status(), None);
    assert_eq!(scenario.organization.contacts_of(&outside).alternate("SECURITY"), None);
    for input in [start(&inside), rename(&inside), set(&inside)] {
        let row = one(&scenario, &input).await;
        assert_eq!(row["outcome"], "done", "{row}");
    }
}

#[tokio::test]
async fn a_code_in_an_input_that_nobody_waits_for_is_kept_nowhere_whatever_becomes_of_it() {
    let scenario = Scenario::own(&[DOMAINS]).await;
    let (account, function) = (scenario.member(), scenario.stack.output(UPDATER));
    let start = apply("start-email-change", &json!({"account_id": account, "new_email": "shop@new.example"}));
    assert_eq!(one(&scenario, &start).await["outcome"], "done");
    let code = code(&scenario, &account);
    let accept = apply("accept-email-change", &json!({"account_id": account, "otp": code}));
    let mut wrong = accept.clone();
    wrong["unknown"] = true.into();
    // The control: what fails in another function lies in the queue, with its input.
    let poller = scenario.stack.output("AccountCloserFunction");
    scenario
        .stack
        .client
        .invoke_async(poller, json!({"marked": "as-a-control"}).to_string())
        .await
        .expect("it is taken");
    // One that is refused, and one whose process is killed while AWS is asked.
    scenario.stack.client.invoke_async(function, wrong.to_string()).await.expect("it is taken");
    let slow = Fault::new(FaultKind::Latency(Duration::from_secs(5))).operation("account", "AcceptPrimaryEmailUpdate");
    let management = scenario.organization.management_account();
    let slow = scenario.fault(slow.account(management).times(1));
    scenario.stack.client.invoke_async(function, accept.to_string()).await.expect("it is taken");
    eventually("AWS to be asked", PATIENCE, async || (slow.hits() > 0).then_some(())).await;
    kill(function).expect("its process can be killed");
    drop(slow);
    eventually("the control to lie in the queue", PATIENCE, async || {
        let letters = scenario.stack.peek("UndeliverableUrl").await.expect("the queue can be read").concat();
        letters.contains("as-a-control").then_some(())
    })
    .await;
    // Asked by somebody who waits, it goes on.
    let row = one(&scenario, &accept).await;
    assert!(["done", "nothing_to_do"].iter().any(|outcome| row["outcome"] == *outcome), "{row}");
    let said = secrets::said(&scenario, [code.as_str()], "account-updater").await;
    assert!(!said.is_empty() && said.iter().all(|operation| operation == "AcceptPrimaryEmailUpdate"), "{said:?}");
}

#[tokio::test]
async fn names_and_contacts_are_planned_written_and_told_without_what_contacts_say() {
    let scenario = Scenario::with_members_and(2, "version: 1", &[DOMAINS]).await;
    let listener = scenario.listen("names").await;
    let team = |n: usize| {
        let email = format!("team-{n}@{}.example.com", scenario.organization.management_account());
        scenario.organization.account_with_email(&email).expect("a member")
    };
    let (first, second, management) = (team(0), team(1), scenario.organization.management_account().to_owned());
    let names =
        json!({"names": {first.clone(): "Payments", second.clone(): "Payments Test", management.clone(): "Root"}});
    let row = |answer: &Value, account: &str| {
        let rows = answer["rows"].as_array().expect("rows");
        rows.iter().find(|row| row["account_id"] == account).unwrap_or_else(|| panic!("{account}: {answer}")).clone()
    };
    let name = async |account: &str| {
        let input = json!({"AccountId": account});
        let answer = scenario.stack.client.json("organizations", "DescribeAccount", input).await.expect("an account");
        answer["Account"]["Name"].as_str().expect("a name").to_owned()
    };
    let planned = ask(&scenario, &asked("rename", &names)).await;
    assert_eq!(row(&planned, &first)["steps"], json!(["rename Team 0 to Payments"]));
    assert_eq!(row(&planned, &management)["outcome"], "refused");
    assert_eq!(name(&first).await, "Team 0");
    let done = ask(&scenario, &apply("rename", &names)).await;
    assert_eq!((&row(&done, &first)["outcome"], &row(&done, &second)["outcome"]), (&json!("done"), &json!("done")));
    assert_eq!((name(&first).await.as_str(), name(&second).await.as_str()), ("Payments", "Payments Test"));
    let taken = apply("rename", &json!({"account_id": first, "new_name": "Payments Test"}));
    assert!(one(&scenario, &taken).await["why"].to_string().contains(&second));
    listener.wait_for("AccountUpdated", "new_name", "Payments", PATIENCE).await;

    let person =
        json!({"name": "Nobody Else", "title": "T", "email": "nobody-else@example.com", "phone": "+1 206-555-0142"});
    let set = json!({"account_ids": [first], "contact_type": "security", "contact": person});
    assert_eq!(one(&scenario, &asked("set-contact", &set)).await["steps"], json!(["set the security contact"]));
    assert_eq!(one(&scenario, &apply("set-contact", &set)).await["outcome"], "done");
    assert_eq!(one(&scenario, &apply("set-contact", &set)).await["outcome"], "nothing_to_do");
    let contacts = looks(&scenario, "contacts", &json!({"all": true, "csv": true})).await;
    assert_eq!(row(&contacts, &first)["security"], person);
    assert_eq!(row(&contacts, &second)["security"], Value::Null);
    assert_eq!(row(&contacts, &management)["primary"]["full_name"], "Jane Roe");
    let key = contacts["csv"].as_str().and_then(|url| url.split_once("/account-updater/")).expect("a sheet").1;
    let sheet = scenario.stack.report_object(&format!("account-updater/{key}")).await.expect("the sheet");
    assert!(sheet.contains("nobody-else@example.com"), "{sheet}");
    let told = listener.wait_for("AccountUpdated", "contact_type", "security", PATIENCE).await;
    assert!(!told.detail.to_string().contains("Nobody Else"), "{}", told.detail);
    for table in ["StateTable", "JournalTable"] {
        let input = json!({"TableName": scenario.stack.output(table)});
        let items = scenario.stack.client.json("dynamodb", "Scan", input).await.expect(table);
        assert!(!items.to_string().contains("nobody-else"), "{table}");
    }
    let log = std::fs::read_to_string(scenario.cloud.log()).expect("the log");
    assert!(!log.contains("nobody-else"), "the log of the functions");
    let delete = json!({"account_ids": [first], "contact_type": "security"});
    assert_eq!(one(&scenario, &apply("delete-contact", &delete)).await["outcome"], "done");
    assert_eq!(scenario.organization.contacts_of(&first).alternate("SECURITY"), None);

    scenario.organization.regions_of(&second).set("eu-south-1", "ENABLED");
    let regions = looks(&scenario, "regions", &json!({"organizational_unit": "/Workloads/Sandbox"})).await;
    assert_eq!(row(&regions, &second)["regions"]["eu-south-1"], "ENABLED");
    assert_eq!(row(&regions, &first)["regions"]["eu-south-1"], "DISABLED");
}

#[tokio::test]
async fn what_may_not_be_changed_is_refused_and_nothing_is_written() {
    let scenario = Scenario::with_members_and(1, "version: 1", &[DOMAINS]).await;
    let (stack, member) = (&scenario.stack, scenario.member());
    let email = format!("team-0@{}.example.com", scenario.organization.management_account());
    let closed = scenario.organization.account_with_email(&email).expect("a member");
    stack.client.json("organizations", "CloseAccount", json!({"AccountId": closed})).await.expect("it is closed");
    let from = format!("{}.example.com", scenario.organization.management_account());

    // A closed account, an account of nobody, the management account.
    let start =
        |account: &str| apply("start-email-change", &json!({"account_id": account, "new_email": "a@new.example"}));
    for account in [closed.as_str(), "999999999999", scenario.organization.management_account()] {
        let row = one(&scenario, &start(account)).await;
        assert_eq!(row["outcome"], "refused", "{row}");
        assert_eq!(record(&scenario, account).await, None);
    }
    let seen = looks(&scenario, "contacts", &json!({"account_ids": [closed]})).await;
    assert!(seen["rows"][0]["why"].to_string().contains("not active"), "{seen}");
    // Of a whole domain it is left out, and one address that is refused stops all.
    let whole = json!({"from": from, "to": "new.example", "all": true, "pattern": "one-for-all-{local}@new.example"});
    let planned = ask(&scenario, &asked("change-email-domain", &whole)).await;
    let outcomes = |answer: &Value, account: &str| {
        let rows = answer["rows"].as_array().expect("rows");
        rows.iter().find(|row| row["account_id"] == account).map(|row| row["outcome"].clone())
    };
    assert_eq!(outcomes(&planned, &closed), Some(json!("skipped")), "{planned}");
    assert_eq!(outcomes(&planned, &member), Some(json!("planned")), "{planned}");
    let long = json!({"from": from, "to": "new.example", "account_ids": [member, "999999999999"]});
    let refused = ask(&scenario, &apply("change-email-domain", &long)).await;
    assert_eq!(refused["outcome"], "refused", "{refused}");
    assert_eq!(record(&scenario, &member).await, None);

    // Every problem at once.
    let bad = json!({"task": "set-contact", "account_ids": ["1"], "contact_type": "sales", "mode": "now"});
    let error = stack.invoke(UPDATER, &bad).await.expect_err("it is refused").to_string();
    for part in ["account_ids[0]", "contact_type", "contact: is missing", "mode", "reason: is missing"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    // The alias, and the switch, of which what was read is believed for ten seconds.
    let plan = format!("{}:plan", stack.output(UPDATER));
    let error = stack.client.invoke(&plan, &start(&member)).await.expect_err("it is refused").to_string();
    assert!(error.contains("PlanOnly"), "{error}");
    stack.put_item(&json!({"pk": {"S": "switch"}})).await.expect("the switch is turned");
    eventually("the switch to hold", PATIENCE, async || {
        let refused = stack.invoke(UPDATER, &start("999999999999")).await.err()?;
        assert!(refused.to_string().contains("SwitchedOff"), "{refused}");
        Some(())
    })
    .await;
    stack.invoke(UPDATER, &start(&member)).await.expect_err("nothing is changed");
    assert!(scenario.calls_since(0).to("account", "StartPrimaryEmailUpdate").is_empty());
}
