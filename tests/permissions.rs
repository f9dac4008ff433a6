//! Least privilege, both ways: what the functions call is what their deployed policies allow, no more and no less.

use std::{collections::BTreeSet, time::Duration};

use local_cloud::{AwsError, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use stage::eventually;

use crate::{
    controls, dead_letter_replayer,
    member_events::forward_events,
    one_table,
    theatre::{PATIENCE, Theatre, email, wish},
};

const FUNCTIONS: [&str; 12] = [
    "account-lister",
    "account-requester",
    "activity-auditor",
    "baseline-applier",
    "compliance-checker",
    "compliance-reporter",
    "create-account-poller",
    "dead-letter-replayer",
    "notifier",
    "organization-preparer",
    "region-opt-auditor",
    "root-task-runner",
];

/// The deployed inline policies of the functions' roles: role, policy name, document.
async fn policies(theatre: &Theatre) -> Result<Vec<(String, String, Value)>, AwsError> {
    let client = &theatre.stack.client;
    let mut found = Vec::new();
    for role in client.query("iam", "ListRoles", "2010-05-08", &[]).await?.texts("RoleName") {
        let names = client.query("iam", "ListRolePolicies", "2010-05-08", &[("RoleName", &role)]).await?;
        for list in names.children("PolicyNames") {
            for name in list.texts("member") {
                let input = [("RoleName", role.as_str()), ("PolicyName", name.as_str())];
                let answer = client.query("iam", "GetRolePolicy", "2010-05-08", &input).await?;
                let document = answer.text("PolicyDocument").unwrap_or_default();
                let document = percent_decode_str(&document).decode_utf8_lossy();
                found.push((role.clone(), name, serde_json::from_str(&document).expect("a policy is JSON")));
            }
        }
    }
    Ok(found)
}

/// The deployed inline policy of this name: role, policy name, document.
pub(crate) async fn policy(theatre: &Theatre, policy: &str) -> (String, String, Value) {
    let all = policies(theatre).await.expect("the policies can be read");
    all.into_iter().find(|(_, name, _)| name == policy).expect("the policy")
}

/// Takes one action out of a deployed policy.
pub(crate) async fn without(theatre: &Theatre, policy: &str, action: &str) {
    let (role, name, mut document) = self::policy(theatre, policy).await;
    for statement in document["Statement"].as_array_mut().expect("statements") {
        if let Some(actions) = statement["Action"].as_array_mut() {
            actions.retain(|one| one != action);
        }
    }
    let document = document.to_string();
    let input = [("RoleName", role.as_str()), ("PolicyName", name.as_str()), ("PolicyDocument", document.as_str())];
    theatre.stack.client.query("iam", "PutRolePolicy", "2010-05-08", &input).await.expect("the policy is replaced");
}

/// The actions that a policy allows to the function's own code. No call shows statements whose Sid begins with
/// `Lambda`, which are for the Lambda service in the role's name, and with `Implied`, which another service looks at
/// inside a call.
fn allowed(document: &Value) -> BTreeSet<String> {
    let statements = document["Statement"].as_array().into_iter().flatten();
    let is_own = |sid: &str| !sid.starts_with("Lambda") && !sid.starts_with("Implied");
    let own = statements.filter(|statement| is_own(statement["Sid"].as_str().unwrap_or_default()));
    own.flat_map(|statement| match &statement["Action"] {
        Value::String(action) => vec![action.clone()],
        actions => actions.as_array().into_iter().flatten().filter_map(|a| a.as_str().map(ToOwned::to_owned)).collect(),
    })
    .collect()
}

/// Takes every way through the functions that needs a permission of its own.
async fn every_way(theatre: &Theatre) {
    let listener = theatre.listen("every-way").await;
    // By path, with tags, moved; late enough that the baseline has to look again.
    theatre.organization.set_role_delay(Duration::from_mins(1));
    let mut by_path = wish("By Path");
    by_path["organizational_unit"] = "/Workloads/Sandbox".into();
    by_path["tags"] = json!({"team": "blue"});
    let first = theatre.request(&by_path).await;
    // By id, and an address that is taken, which is looked into.
    let mut by_id = wish("By Id");
    by_id["organizational_unit"] = theatre.organization.unit_id("/Workloads").into();
    theatre.organization.email_used_elsewhere(&email("By Id"));
    let second = theatre.request(&by_id).await;
    // An address of the organization, which is asked for at AWS before it counts.
    let taken = json!({"account_name": "Taken", "email": format!("shop@{}.example.com", theatre.organization.management_account())});
    let answer = theatre.stack.request(&taken).await.expect("the requester answers");
    assert_eq!(answer["cause"], "EmailInOrganization", "{answer}");
    // Refused, by an event.
    theatre.stack.put_event("AccountRequested", &json!({})).await.expect("the bus takes it");
    theatre.stack.poll(&json!({})).await.expect("the sweep works");

    let progress = theatre.end_of(&first).await;
    assert_eq!(progress.state(), "READY", "{}", progress.record);
    // The stack set comes to both accounts.
    for account in [progress.account_id().expect("an account"), &theatre.member()] {
        forward_events(theatre, &theatre.cloud.client(account)).await;
    }
    let progress = theatre.end_of(&second).await;
    assert_eq!(progress.record["state"]["failure"]["cause"], "EmailAlreadyExists", "{}", progress.record);
    listener.wait_for("AccountCreationFailed", "cause", "InvalidRequest", PATIENCE).await;
    one_table::every_way(theatre, &second, &by_id).await;
    listener.wait_for("BaselineApplied", "request_id", &first, PATIENCE * 2).await;

    // Every control, from a state in which each has something to change; then a unit, and the whole organization.
    let account = theatre.organization.account_with_email(&email("By Path")).expect("an account");
    controls::break_everything(theatre, &account).await;
    let unit = theatre.organization.unit_id("/Workloads");
    for input in [
        json!({"account_ids": [account], "mode": "apply"}),
        json!({"organizational_unit": unit, "mode": "plan", "controls": ["account-tags"]}),
        json!({"all": true, "mode": "plan", "controls": ["account-tags"]}),
    ] {
        theatre.stack.baseline(&input).await.expect("the applier answers");
    }
    theatre.unprepare();
    let apply = json!({"mode": "apply", "delegated_administrators": {"iam.amazonaws.com": theatre.member()}});
    let answer = theatre.stack.invoke("OrganizationPreparerFunction", &apply).await.expect("the preparer answers");
    assert_eq!(answer["failed"], Value::Null, "{answer}");
    // The same news twice.
    let sample = include_str!("../events/activity-auditor/move-account.json");
    let sample: Value = serde_json::from_str(sample).expect("a sample");
    // Root work, on the organization and on a unit, and a policy that is put back.
    let root_task = async |input: &Value| {
        theatre.stack.invoke("RootTaskRunnerFunction", input).await.unwrap_or_else(|error| panic!("{input}: {error}"))
    };
    for task in ["disable", "enable"] {
        root_task(&json!({"task": task, "mode": "apply", "reason": "every way"})).await;
    }
    root_task(&json!({"task": "audit-credentials", "organizational_unit": "/Workloads", "reason": "every way"})).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": format!("arn:aws:s3:::every-way-{account}")}]});
    let member = theatre.cloud.client(&account);
    member.rest("s3", Method::PUT, &format!("/every-way-{account}"), "").await.expect("a bucket");
    member
        .rest("s3", Method::PUT, &format!("/every-way-{account}?policy"), policy.to_string())
        .await
        .expect("a policy");
    let unlock = json!({"task": "unlock-bucket-policy", "reason": "every way", "mode": "apply", "account_id": account,
        "bucket": format!("every-way-{account}"), "region": "us-east-1"});
    let unlocked = root_task(&unlock).await;
    assert_eq!(unlocked["rows"][0]["outcome"], "done");
    let mut restore = unlock.clone();
    (restore["task"], restore["backup"]) = ("restore-bucket-policy".into(), unlocked["rows"][0]["backup"].clone());
    assert_eq!(root_task(&restore).await["rows"][0]["outcome"], "done");
    // What was given up.
    theatre.stack.send("NotificationDeadLettersUrl", "{}").await.expect("a dead letter");
    let invocation = dead_letter_replayer::failed_invocation(theatre, "CreateAccountPollerFunction", &json!({}));
    theatre.stack.send("UndeliverableUrl", &invocation.to_string()).await.expect("a failed invocation");
    for mode in ["plan", "apply"] {
        let answer = theatre.stack.invoke("DeadLetterReplayerFunction", &json!({"mode": mode})).await;
        let answer = answer.expect("the replayer answers");
        assert_eq!(answer["letters"].as_array().map(Vec::len), Some(2), "{answer}");
    }
    let mail = include_str!("../events/notifier/region-policy-violated.json");
    let mail: Value = serde_json::from_str(mail).expect("a sample");
    for notified in ["sent", "again"] {
        let answer = theatre.stack.invoke("NotifierFunction", &mail).await.expect("the notifier answers");
        assert_eq!(answer["notified"], notified);
    }
    // One account causes more mails than it may.
    let mut more = mail.clone();
    for n in 0..20 {
        more["id"] = format!("every-way-{n}").into();
        let answer = theatre.stack.invoke("NotifierFunction", &more).await.expect("the notifier answers");
        assert!(n < 19 || answer["notified"] == "held", "{answer}");
    }
    for audited in ["told", "again"] {
        let answer = theatre.stack.invoke("ActivityAuditorFunction", &sample).await.expect("the auditor answers");
        assert_eq!(answer["audited"], audited);
    }
    sweep(theatre, &account).await;
    // After the sweeps, which have seen the tags that the document names.
    regions(theatre, &account).await;
    last_good(theatre, &account).await;
}

/// A document that one function has read before the next one is refused: the others, which hold an older one, read it then.
async fn last_good(theatre: &Theatre, account: &str) {
    let status = json!({"task": "status", "reason": "every way"});
    let plan = json!({"account_ids": [account], "mode": "plan", "controls": ["account-tags"]});
    let root_task = async || theatre.stack.invoke("RootTaskRunnerFunction", &status).await.expect("the runner answers");
    let apply = async || theatre.stack.baseline(&plan).await.expect("the applier answers");
    let region = include_str!("../events/region-opt-auditor/region-enabled.json");
    let region: Value = serde_json::from_str(region).expect("a sample");
    let audit = async || theatre.stack.invoke("RegionOptAuditorFunction", &region).await.expect("the auditor answers");

    // An event that comes in between lets a function read the good one before its turn, or record it in the place of the one
    // whose turn it is: then it is done once more.
    let calls_of = |function: &str| {
        theatre.cloud.calls().by_function(function).by_account(theatre.organization.management_account())
    };
    let read_by = |function: &str| calls_of(function).actions().iter().any(|action| action == "s3:GetObjectVersion");
    let recorded_by = |function: &str| {
        let calls = calls_of(function);
        let mut touched = calls.iter().flat_map(one_table::touched);
        touched.any(|(_, action, key)| action == "dynamodb:PutItem" && key == "baseline-document")
    };
    for n in 0.. {
        assert!(n < 10, "no function reads a version of the document");
        theatre.put_document(&format!("{}# newer {n}\n", controls::DOCUMENT)).await;
        root_task().await;
        theatre.put_document("version: 0").await;
        assert_eq!(apply().await["baseline_refused"]["cause"], "BaselineDocumentRefused");
        audit().await;
        theatre.put_document(&format!("{}# newest {n}\n", controls::DOCUMENT)).await;
        apply().await;
        theatre.put_document("version: 0").await;
        assert_eq!(root_task().await["baseline_refused"]["cause"], "BaselineDocumentRefused");
        if ["baseline-applier", "region-opt-auditor", "root-task-runner"].into_iter().all(read_by)
            && ["baseline-applier", "root-task-runner"].into_iter().all(recorded_by)
        {
            break;
        }
    }
    // Steward has made it, and has not heard of this joining.
    theatre.organization.set_joined(account, Duration::from_hours(1));
    let sweep = theatre.stack.start_sweep().await.expect("the sweep starts");
    theatre.stack.end_of_sweep(&sweep, PATIENCE * 2).await;
}

/// A sweep that mends everything in one account, and finds another one that no event has told of.
async fn sweep(theatre: &Theatre, account: &str) {
    let everything = controls::DOCUMENT.replace("remediate: [regions]", &controls::remediate_all());
    controls::break_everything(theatre, account).await;
    theatre.organization.set_joined(account, Duration::from_hours(24 * 30));
    theatre.organization.set_joined(&theatre.member(), Duration::from_hours(1));
    theatre.stack.watch_for_years().await.expect("the table takes it");
    theatre.organization.set_region_time(Duration::ZERO);
    let regions = theatre.organization.regions_of(account);
    let installation =
        json!({"TableName": theatre.stack.output("RequestsTable"), "Key": {"pk": {"S": "installation"}}});
    for document in [everything.as_str(), &everything] {
        theatre.put_document(document).await;
        // Others mend regions as well, at their own time.
        regions.set("eu-central-2", "DISABLED");
        regions.set("eu-south-1", "ENABLED");
        let sweep = theatre.stack.start_sweep().await.expect("the sweep starts");
        theatre.stack.end_of_sweep(&sweep, PATIENCE * 2).await;
        // The next one is the first of the stack.
        theatre.stack.client.json("dynamodb", "DeleteItem", installation.clone()).await.expect("it is forgotten");
    }
    theatre.stack.watch_for_years().await.expect("the table takes it");
}

/// Somebody changes regions against the document, and they are changed back.
async fn regions(theatre: &Theatre, account: &str) {
    theatre.organization.set_region_time(Duration::from_secs(20));
    let regions = theatre.organization.regions_of(account);
    regions.set("eu-central-2", "ENABLED");
    regions.set("eu-south-1", "DISABLED");
    for (path, region) in [("/enableRegion", "eu-south-1"), ("/disableRegion", "eu-central-2")] {
        let body = json!({"AccountId": account, "RegionName": region}).to_string();
        theatre.stack.client.rest("account", Method::POST, path, body).await.expect("the region is changed");
    }
    eventually("the regions to be as before", PATIENCE, async || {
        let as_before =
            regions.status("eu-south-1") == Some("DISABLED") && regions.status("eu-central-2") == Some("ENABLED");
        as_before.then_some(())
    })
    .await;
}

/// Whether a policy is a function's own, or that of a second role which it assumes in its own account.
fn roles_of(function: &str, policy: &str) -> bool {
    policy.strip_prefix(function).is_some_and(|rest| rest.is_empty() || rest.starts_with("-writer"))
}

#[tokio::test]
async fn every_function_calls_exactly_what_its_policy_allows() {
    let theatre = Theatre::with_member_as("DelegatedAdministrators", controls::DOCUMENT).await;
    every_way(&theatre).await;
    let policies = policies(&theatre).await.unwrap();
    let mut of_tables = Vec::new();
    for function in FUNCTIONS {
        let own = policies.iter().filter(|(_, name, _)| roles_of(function, name));
        let allowed: BTreeSet<_> = own.clone().flat_map(|(_, _, document)| allowed(document)).collect();
        let calls = theatre.cloud.calls().by_function(function).by_account(theatre.organization.management_account());
        // Whoever has credentials may ask who it is.
        let called: BTreeSet<_> =
            calls.actions().into_iter().filter(|action| action != "sts:GetCallerIdentity").collect();
        assert_eq!(called, allowed, "{function}: left is called, right is allowed");
        // The same of the items of the tables.
        let touched = calls.iter().flat_map(one_table::touched).collect();
        let allowed = own.flat_map(|(_, _, document)| one_table::allowed(document)).collect();
        let differences = one_table::differences(&touched, &allowed).into_iter();
        of_tables.extend(differences.map(|difference| format!("{function}: {difference}")));
    }
    assert!(of_tables.is_empty(), "{of_tables:#?}");
}

#[tokio::test]
async fn without_one_permission_a_request_fails_and_says_which() {
    let theatre = Theatre::own(&[]).await;
    without(&theatre, "create-account-poller", "organizations:MoveAccount").await;

    let mut wish = wish("Not Moved");
    wish["organizational_unit"] = "/Workloads".into();
    let id = theatre.request(&wish).await;
    let progress = theatre.end_of(&id).await;
    let failure = &progress.record["state"]["failure"];
    assert_eq!((progress.state(), failure["cause"].as_str()), ("FAILED", Some("AccessDenied")), "{}", progress.record);
    assert!(failure["message"].as_str().unwrap().contains("organizations:MoveAccount"), "{failure}");
    assert!(progress.account_id().is_some(), "the account that exists is named");
}
