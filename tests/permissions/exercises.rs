//! One exercise for each function: every way through it that needs a permission of its own. They work on one organization, one
//! after the other.

use std::time::Duration;

use harness::eventually;
use local_cloud::{Fault, FaultKind, Method};
use serde_json::{Value, json};

use crate::{
    account_closer, account_updater, controls, dead_letter_replayer, jump_user_manager,
    member_events::forward_events,
    one_table, own_account,
    scenario::{PATIENCE, Scenario, email, spec},
};

/// Takes every way through the functions.
pub(super) async fn every_way(scenario: &Scenario) {
    let account = creation(scenario).await;
    baseline(scenario, &account).await;
    own_account(scenario).await;
    prepare(scenario).await;
    root_tasks(scenario, &account).await;
    account_updater::every_way(scenario).await;
    jump_user_manager::every_way(scenario).await;
    account_closer::every_way(scenario).await;
    letters(scenario).await;
    mails(scenario).await;
    activity(scenario).await;
    sweep(scenario, &account).await;
    // After the sweeps, which have seen the tags that the document names.
    regions(scenario, &account).await;
    stack_sets(scenario).await;
    last_good(scenario, &account).await;
    copies(scenario, &account).await;
}

/// account-requester and create-account-poller; the account that was made.
async fn creation(scenario: &Scenario) -> String {
    let listener = scenario.listen("every-way").await;
    // By path, with tags, moved; late enough that the baseline has to look again.
    scenario.organization.set_role_delay(Duration::from_mins(1));
    let mut by_path = spec("By Path");
    by_path["organizational_unit"] = "/Workloads/Sandbox".into();
    by_path["tags"] = json!({"team": "blue"});
    let first = scenario.request(&by_path).await;
    // By id, and an address that is taken, which is looked into.
    let mut by_id = spec("By Id");
    by_id["organizational_unit"] = scenario.organization.unit_id("/Workloads").into();
    scenario.organization.email_used_elsewhere(&email("By Id"));
    let second = scenario.request(&by_id).await;
    // An address of the organization, which is asked for at AWS before it counts.
    let taken = json!({"account_name": "Taken", "email": format!("shop@{}.example.com", scenario.organization.management_account())});
    let answer = scenario.stack.request(&taken).await.expect("the requester answers");
    assert_eq!(answer["cause"], "EmailInOrganization", "{answer}");
    // Refused, by an event.
    scenario.stack.put_event("AccountRequested", &json!({})).await.expect("the bus takes it");
    scenario.stack.poll(&json!({})).await.expect("the sweep works");

    let progress = scenario.end_of(&first).await;
    assert_eq!(progress.state(), "READY", "{}", progress.record);
    // The stack set comes to both accounts.
    for account in [progress.account_id().expect("an account"), &scenario.member()] {
        forward_events(scenario, &scenario.cloud.client(account)).await;
        controls::record_configuration(scenario, account).await;
    }
    let progress = scenario.end_of(&second).await;
    assert_eq!(progress.record["state"]["failure"]["cause"], "EmailAlreadyExists", "{}", progress.record);
    listener.wait_for("AccountCreationFailed", "cause", "InvalidRequest", PATIENCE).await;
    one_table::every_way(scenario, &second, &by_id).await;
    listener.wait_for("BaselineApplied", "request_id", &first, PATIENCE * 2).await;
    scenario.organization.account_with_email(&email("By Path")).expect("an account")
}

/// baseline-applier: every control, from a state in which each has something to change; then a unit, and the whole organization.
async fn baseline(scenario: &Scenario, account: &str) {
    controls::break_everything(scenario, account).await;
    let unit = scenario.organization.unit_id("/Workloads");
    for input in [
        json!({"account_ids": [account], "mode": "apply"}),
        json!({"organizational_unit": unit, "mode": "plan", "controls": ["account-tags"]}),
        json!({"all": true, "mode": "plan", "controls": ["account-tags"]}),
    ] {
        scenario.stack.baseline(&input).await.expect("the applier answers");
    }
    // What a policy denies inside the account is read from the management account.
    scenario.organization.deny_in_member(account, &READ_INSIDE);
    let input = json!({"account_ids": [account], "mode": "plan"});
    scenario.stack.baseline(&input).await.expect("the applier answers");
    scenario.organization.deny_in_member(account, &[]);
}

/// baseline-applier in the account that it runs in: every control that works there, from a state in which each has something to
/// change; then a topic that somebody has taken CloudWatch off.
async fn own_account(scenario: &Scenario) {
    let management = scenario.organization.management_account();
    let apply = async || {
        let input = json!({"account_ids": [management], "mode": "apply", "controls": own_account::CONTROLS});
        let answer = scenario.stack.baseline(&input).await.expect("the applier answers");
        assert!(!answer["rows"].to_string().contains("AccessDenied"), "{answer}");
    };
    apply().await;
    let topic = format!("arn:aws:sns:us-east-1:{management}:DefaultBillingAlertTopic");
    let statement =
        json!({"Effect": "Allow", "Principal": {"AWS": management}, "Action": "sns:Subscribe", "Resource": topic});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let input = [("TopicArn", topic.as_str()), ("AttributeName", "Policy"), ("AttributeValue", &policy)];
    scenario.stack.client.query("sns", "SetTopicAttributes", "2010-03-31", &input).await.expect("a policy");
    apply().await;
}

/// root-task-runner: root work, on the organization and on a unit, and a policy that is put back.
async fn root_tasks(scenario: &Scenario, account: &str) {
    let root_task = async |input: &Value| {
        scenario.stack.invoke("RootTaskRunnerFunction", input).await.unwrap_or_else(|error| panic!("{input}: {error}"))
    };
    for task in ["disable", "enable"] {
        root_task(&json!({"task": task, "mode": "apply", "reason": "every way"})).await;
    }
    root_task(&json!({"task": "audit-credentials", "organizational_unit": "/Workloads", "reason": "every way"})).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": format!("arn:aws:s3:::every-way-{account}")}]});
    let member = scenario.cloud.client(account);
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
}

/// dead-letter-replayer: what was given up.
async fn letters(scenario: &Scenario) {
    scenario.stack.send("NotificationDeadLettersUrl", "{}").await.expect("a dead letter");
    let invocation = dead_letter_replayer::failed_invocation(scenario, "CreateAccountPollerFunction", &json!({}));
    scenario.stack.send("UndeliverableUrl", &invocation.to_string()).await.expect("a failed invocation");
    for mode in ["plan", "apply"] {
        let answer = scenario.stack.invoke("DeadLetterReplayerFunction", &json!({"mode": mode})).await;
        let answer = answer.expect("the replayer answers");
        assert_eq!(answer["letters"].as_array().map(Vec::len), Some(2), "{answer}");
    }
}

/// notifier: a mail, the same again, and more of one account than it may cause.
async fn mails(scenario: &Scenario) {
    let mail = include_str!("../../events/notifier/region-policy-violated.json");
    let mail: Value = serde_json::from_str(mail).expect("a sample");
    for notified in ["sent", "again"] {
        let answer = scenario.stack.invoke("NotifierFunction", &mail).await.expect("the notifier answers");
        assert_eq!(answer["notified"], notified);
    }
    let mut more = mail.clone();
    for n in 0..20 {
        more["id"] = format!("every-way-{n}").into();
        let answer = scenario.stack.invoke("NotifierFunction", &more).await.expect("the notifier answers");
        assert!(n < 19 || answer["notified"] == "held", "{answer}");
    }
}

/// activity-auditor: the same news twice.
async fn activity(scenario: &Scenario) {
    let sample = include_str!("../../events/activity-auditor/move-account.json");
    let sample: Value = serde_json::from_str(sample).expect("a sample");
    for audited in ["published", "again"] {
        let answer = scenario.stack.invoke("ActivityAuditorFunction", &sample).await.expect("the auditor answers");
        assert_eq!(answer["audited"], audited);
    }
}

/// An organization that nobody has prepared is prepared, and its trail made and put right.
async fn prepare(scenario: &Scenario) {
    scenario.unprepare();
    let apply = json!({"mode": "apply", "delegated_administrators": {"iam.amazonaws.com": scenario.member()}});
    let answer = scenario.stack.invoke("OrganizationPreparerFunction", &apply).await.expect("the preparer answers");
    let is_done = |row: &Value| {
        ["fixed", "compliant", "not_converged", "skipped"].iter().any(|outcome| row["outcome"] == *outcome)
    };
    assert!(answer["checks"].as_array().expect("checks").iter().all(is_done), "{answer}");
    // A trail and a policy that are made, and put right, and a template of quotas.
    scenario.organization.set_trusted_access("servicequotas.amazonaws.com", true);
    let organization = |bucket: &str| {
        format!(
            "organization:\n  organization-trail: {{name: every-way, bucket: {bucket}}}\n  organization-policies:\n  \
             - {{name: every-way, type: SERVICE_CONTROL_POLICY, file: every-way.json, targets: [/Workloads]}}\n  \
             service-quota-template: [{{service: lambda, quota: L-B99A9384, region: us-east-1, value: 1000}}]\n"
        )
    };
    for bucket in ["every-way-logs", "every-way-logs-2"] {
        // Each is shown to IAM Access Analyzer before it is written.
        let action = if bucket.ends_with('2') { "cloudtrail:StopLogging" } else { "cloudtrail:DeleteTrail" };
        let policy =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]});
        scenario.stack.put_policy("every-way.json", &policy.to_string()).await.expect("a file");
        scenario.put_document(&format!("{}\n{}\n", controls::DOCUMENT, organization(bucket))).await;
        let apply = json!({"mode": "apply", "controls": ["organization-trail", "organization-policies", "service-quota-template"]});
        let answer = scenario.stack.invoke("OrganizationPreparerFunction", &apply).await.expect("the preparer answers");
        let rows = answer["checks"].as_array().expect("rows");
        let is_done = |row: &Value| row["outcome"] == "fixed" || row["control"] == "service-quota-template";
        assert!(rows.len() == 3 && rows.iter().all(is_done), "{answer}");
    }
    scenario.put_document(controls::DOCUMENT).await;
}

/// A message comes twice to each function that goes on looking by messages to itself.
async fn copies(scenario: &Scenario, account: &str) {
    let since = "2026-11-01T08:00:00Z";
    for (queue, message) in [
        ("AccountRequestQueueUrl", json!({"request": {}, "asked_at": since})),
        ("BaselineQueueUrl", json!({"account_id": account, "request_id": null, "since": since})),
        ("RegionAuditQueueUrl", json!({"remediate": account, "since": since})),
    ] {
        for _ in 0..2 {
            scenario.stack.send(queue, &message.to_string()).await.expect("a message");
        }
    }
    eventually("each to see that the look was taken", PATIENCE, async || {
        let has_seen = |function: &str| {
            let calls = scenario.cloud.calls().by_function(function);
            let mut touched = calls.iter().flat_map(|call| one_table::touched(call));
            touched.any(|(_, action, key)| action == "dynamodb:GetItem" && key.starts_with("look#"))
        };
        ["account-requester", "baseline-applier", "region-opt-auditor"].into_iter().all(has_seen).then_some(())
    })
    .await;
}

/// Stack sets are looked at and deployed by a sweep and by hand.
async fn stack_sets(scenario: &Scenario) {
    // For some accounts because of their tags.
    let document = "version: 1\ndefaults:\n  stack-instances: {sets: [{name: every-way, regions: [us-east-1]}]}\noverrides:\n\
                    - match: {tag: {every-way: more}}\n  stack-instances: {sets: [{name: every-way, regions: [us-east-1, eu-west-1]}]}\n\
                    remediate: [stack-instances]\nallow_unmatched: true\n";
    scenario.organization.make_stack_set("every-way", None);
    scenario.put_document(document).await;
    let by_hand = json!({"account_ids": [scenario.member()], "mode": "apply", "controls": ["stack-instances"]});
    eventually("the stack set to be deployed by a sweep and by hand", PATIENCE, async || {
        let sweep = scenario.stack.start_sweep().await.expect("the sweep starts");
        scenario.stack.end_of_sweep(&sweep, PATIENCE * 2).await;
        scenario.organization.set_stack_instance("every-way", (&scenario.member(), "us-east-1"), ("", "", ""));
        scenario.stack.baseline(&by_hand).await.expect("the applier answers");
        let calls = scenario.cloud.calls().by_account(scenario.organization.management_account());
        let made_by = |function: &str| {
            calls.clone().by_function(function).actions().contains(&"cloudformation:CreateStackInstances".to_owned())
        };
        ["account-lister", "baseline-applier"].into_iter().all(made_by).then_some(())
    })
    .await;
    scenario.put_document(controls::DOCUMENT).await;
}

/// A document that one function has read before the next one is refused: the others, which hold an older one, read it then.
async fn last_good(scenario: &Scenario, account: &str) {
    let status = json!({"task": "status", "reason": "every way"});
    let plan = json!({"account_ids": [account], "mode": "plan", "controls": ["account-tags"]});
    let root_task =
        async || scenario.stack.invoke("RootTaskRunnerFunction", &status).await.expect("the runner answers");
    let apply = async || scenario.stack.baseline(&plan).await.expect("the applier answers");
    let region = include_str!("../../events/region-opt-auditor/region-enabled.json");
    let region: Value = serde_json::from_str(region).expect("a sample");
    let audit = async || scenario.stack.invoke("RegionOptAuditorFunction", &region).await.expect("the auditor answers");
    let stranger = json!({"account_id": "000000000000", "account_name": "Nobody's", "reason": "every way"});
    let close = async || scenario.stack.invoke("AccountCloserFunction", &stranger).await.expect("the closer answers");
    let changes = json!({"task": "email-changes"});
    let update = async || scenario.stack.invoke("AccountUpdaterFunction", &changes).await.expect("the updater answers");

    // An event that comes in between lets a function read the good one before its turn, or record it in the place of the one
    // whose turn it is: then it is done once more.
    let calls_of = |function: &str| {
        scenario.cloud.calls().by_function(function).by_account(scenario.organization.management_account())
    };
    let read_by = |function: &str| calls_of(function).actions().iter().any(|action| action == "s3:GetObjectVersion");
    let recorded_by = |function: &str| {
        let calls = calls_of(function);
        let mut touched = calls.iter().flat_map(|call| one_table::touched(call));
        touched.any(|(_, action, key)| action == "dynamodb:PutItem" && key == "baseline-document")
    };
    for n in 0.. {
        assert!(n < 10, "no function reads a version of the document");
        scenario.put_document(&format!("{}# newer {n}\n", controls::DOCUMENT)).await;
        root_task().await;
        scenario.put_document("version: 0").await;
        assert_eq!(apply().await["baseline_refused"]["cause"], "BaselineDocumentRefused");
        assert_eq!(close().await["baseline_refused"]["cause"], "BaselineDocumentRefused");
        audit().await;
        update().await;
        scenario.put_document(&format!("{}# newest {n}\n", controls::DOCUMENT)).await;
        apply().await;
        scenario.put_document(&format!("{}# newest of all {n}\n", controls::DOCUMENT)).await;
        update().await;
        scenario.put_document("version: 0").await;
        assert_eq!(root_task().await["baseline_refused"]["cause"], "BaselineDocumentRefused");
        let readers =
            ["account-closer", "account-updater", "baseline-applier", "region-opt-auditor", "root-task-runner"];
        if readers.into_iter().all(read_by)
            && ["account-updater", "baseline-applier", "root-task-runner"].into_iter().all(recorded_by)
        {
            break;
        }
    }
    // Steward has made it, and has not heard of this joining.
    scenario.organization.set_joined(account, Duration::from_hours(1));
    let sweep = scenario.stack.start_sweep().await.expect("the sweep starts");
    scenario.stack.end_of_sweep(&sweep, PATIENCE * 2).await;
}

/// What controls read inside an account, where AWS counts the calls of that account.
const READ_INSIDE: [&str; 3] = ["GetAlternateContact", "GetContactInformation", "ListRegions"];

/// A sweep that remediates everything in one account, and finds another one that no event has announced.
async fn sweep(scenario: &Scenario, account: &str) {
    let everything = controls::DOCUMENT.replace("remediate: [regions]", &controls::remediate_all());
    // For the groups of the jump account, every account is listed.
    let jump_account = scenario.member();
    let everything = format!("{everything}access: {{jump_account: '{jump_account}', roles: {{admin: role-admin}}}}\n");
    controls::break_everything(scenario, account).await;
    scenario.organization.set_joined(account, Duration::from_hours(24 * 30));
    scenario.organization.set_joined(&scenario.member(), Duration::from_hours(1));
    scenario.stack.watch_for_years().await.expect("the table takes it");
    scenario.organization.set_region_time(Duration::ZERO);
    let regions = scenario.organization.regions_of(account);
    let installation = json!({"TableName": scenario.stack.output("StateTable"), "Key": {"pk": {"S": "installation"}}});
    // Of those that read a new document at the same time, the lister is to be the one that records it; the others wait less
    // than they have patience for.
    let _slow = ["baseline-applier", "organization-preparer", "region-opt-auditor"].map(|function| {
        let slow = Fault::new(FaultKind::Latency(Duration::from_secs(5))).function(function);
        scenario.fault(slow.operation("s3", "GetObject"))
    });
    // In the second sweep, a policy denies what is read inside the account.
    for denied in [&[][..], &READ_INSIDE] {
        scenario.organization.deny_in_member(account, denied);
        scenario.put_document(&everything).await;
        // Others remediate regions as well, at their own time.
        regions.set("eu-central-2", "DISABLED");
        regions.set("eu-south-1", "ENABLED");
        let sweep = scenario.stack.start_sweep().await.expect("the sweep starts");
        scenario.stack.end_of_sweep(&sweep, PATIENCE * 2).await;
        // The next one is the first of the stack.
        scenario.stack.client.json("dynamodb", "DeleteItem", installation.clone()).await.expect("it is forgotten");
    }
    scenario.organization.deny_in_member(account, &[]);
    scenario.stack.watch_for_years().await.expect("the table takes it");
}

/// Somebody changes regions against the document, and they are changed back.
async fn regions(scenario: &Scenario, account: &str) {
    scenario.organization.set_region_time(Duration::from_secs(20));
    let regions = scenario.organization.regions_of(account);
    regions.set("eu-central-2", "ENABLED");
    regions.set("eu-south-1", "DISABLED");
    for (path, region) in [("/enableRegion", "eu-south-1"), ("/disableRegion", "eu-central-2")] {
        let body = json!({"AccountId": account, "RegionName": region}).to_string();
        scenario.stack.client.rest("account", Method::POST, path, body).await.expect("the region is changed");
    }
    eventually("the regions to be as before", PATIENCE, async || {
        let as_before =
            regions.status("eu-south-1") == Some("DISABLED") && regions.status("eu-central-2") == Some("ENABLED");
        as_before.then_some(())
    })
    .await;
}
