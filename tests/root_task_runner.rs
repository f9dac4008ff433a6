//! `root-task-runner`: what only a root user may do, shown first, backed up, and kept.

use std::collections::BTreeMap;

use harness::eventually;
use local_cloud::{AwsClient, Fault, FaultGuard, FaultKind, Method, RootCredentials};
use serde_json::{Value, json};

use crate::scenario::{PATIENCE, Scenario};

async fn run(scenario: &Scenario, input: &Value) -> Value {
    scenario.stack.invoke("RootTaskRunnerFunction", input).await.unwrap_or_else(|error| panic!("{input}: {error}"))
}

async fn refused(scenario: &Scenario, input: &Value) -> String {
    scenario.stack.invoke("RootTaskRunnerFunction", input).await.expect_err("refused").to_string()
}

/// The administrator of an account, with every permission there.
async fn owner(scenario: &Scenario, account: &str) -> AwsClient {
    scenario.administrator(account, "Owner", "owner").await
}

fn deny_all(service: &str, resource: &str) -> String {
    let statement = json!({"Sid": "NobodyAtAll", "Effect": "Deny", "Principal": "*", "Action": format!("{service}:*"), "Resource": resource});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// The calls that changed anything in a member account since then.
fn writes(scenario: &Scenario, account: &str, since: u64) -> Vec<String> {
    let calls = scenario.cloud.calls().since(since).by_function("root-task-runner").by_account(account);
    let reads = |action: &String| ["Get", "List", "Describe"].iter().any(|verb| action.contains(&format!(":{verb}")));
    calls.actions().into_iter().filter(|action| !reads(action)).collect()
}

#[tokio::test]
async fn a_locked_bucket_is_shown_opened_and_locked_again_with_the_identical_policy() {
    let scenario = Scenario::own(&[]).await;
    let account = scenario.member();
    let owner = owner(&scenario, &account).await;
    let bucket = format!("locked-{account}");
    owner.rest("s3", Method::PUT, &format!("/{bucket}"), "").await.expect("a bucket");
    let policy = deny_all("s3", &format!("arn:aws:s3:::{bucket}*"));
    owner.rest("s3", Method::PUT, &format!("/{bucket}?policy"), policy.clone()).await.expect("the mistake");
    let list = async || owner.rest("s3", Method::GET, &format!("/{bucket}"), "").await;
    assert!(list().await.is_err(), "the owner is locked out");

    let since = scenario.cloud.sequence();
    let mut task = json!({"task": "unlock-bucket-policy", "reason": "by mistake", "account_id": account, "bucket": bucket, "region": "us-east-1"});
    let planned = run(&scenario, &task).await;
    let row = &planned["rows"][0];
    assert_eq!((&row["outcome"], &row["policy"]), (&json!("planned"), &json!(policy)), "{planned}");
    assert!(row["why_it_locks"][0].as_str().unwrap().contains("\"NobodyAtAll\" denies everybody s3:*"), "{planned}");
    assert_eq!(writes(&scenario, &account, since), [""; 0]);

    task["mode"] = "apply".into();
    let unlocked = run(&scenario, &task).await;
    let row = &unlocked["rows"][0];
    assert_eq!((&row["outcome"], &row["sha256"]), (&json!("done"), &planned["rows"][0]["sha256"]), "{unlocked}");
    list().await.expect("the owner works again");
    assert_eq!(run(&scenario, &task).await["rows"][0]["outcome"], "nothing_to_do", "there is nothing to do twice");

    let restore = json!({"task": "restore-bucket-policy", "reason": "it was meant", "mode": "apply", "account_id": account,
        "bucket": bucket, "region": "us-east-1", "backup": row["backup"]});
    let restored = run(&scenario, &restore).await;
    assert_eq!(
        (&restored["rows"][0]["outcome"], &restored["rows"][0]["sha256"]),
        (&json!("done"), &row["sha256"]),
        "{restored}"
    );
    let stands =
        scenario.cloud.client(&account).rest("s3", Method::GET, &format!("/{bucket}?policy"), "").await.unwrap();
    assert_eq!(String::from_utf8_lossy(stands.body()), policy, "byte by byte");
    assert_eq!(run(&scenario, &restore).await["rows"][0]["outcome"], "nothing_to_do");
}

#[tokio::test]
async fn what_is_put_back_is_what_was_backed_up_whoever_has_written_over_it() {
    let scenario = Scenario::own(&[]).await;
    let (account, management) = (scenario.member(), scenario.stack.client.clone());
    let owner = owner(&scenario, &account).await;
    let bucket = format!("replaced-{account}");
    owner.rest("s3", Method::PUT, &format!("/{bucket}"), "").await.expect("a bucket");
    let policy = deny_all("s3", &format!("arn:aws:s3:::{bucket}*"));
    owner.rest("s3", Method::PUT, &format!("/{bucket}?policy"), policy.clone()).await.expect("the mistake");
    let unlock = json!({"task": "unlock-bucket-policy", "reason": "by mistake", "mode": "apply", "account_id": account,
        "bucket": bucket, "region": "us-east-1"});
    let unlocked = run(&scenario, &unlock).await;
    let backup = unlocked["rows"][0]["backup"].as_str().expect("a backup").to_owned();

    // Somebody who may write there lets a stranger in.
    let stranger = policy.replace("\"Deny\"", "\"Allow\"");
    let backups = scenario.stack.output("BackupsBucket");
    let path = format!("/{backups}/{backup}");
    management.rest("s3", Method::PUT, &path, stranger.clone()).await.expect("it is written");
    // What was backed up stays: no version can be deleted, and a deletion without one is a version more.
    let versions = management.rest("s3", Method::GET, &format!("/{backups}?versions"), "").await.expect("a list");
    let versions = String::from_utf8_lossy(versions.body()).into_owned();
    let versions: Vec<_> = versions.split("<VersionId>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(versions.len(), 2, "{versions:?}");
    for version in versions {
        let denied = management.rest("s3", Method::DELETE, &format!("{path}?versionId={version}"), "").await;
        assert_eq!(denied.expect_err("it is locked").code, "AccessDenied");
    }
    management.rest("s3", Method::DELETE, &path, "").await.expect("a marker");
    let mut restore = json!({"task": "restore-bucket-policy", "reason": "it was meant", "mode": "plan", "account_id": account,
        "bucket": bucket, "region": "us-east-1", "backup": backup});
    let planned = run(&scenario, &restore).await;
    assert_eq!(planned["rows"][0]["policy"], policy.as_str(), "{planned}");

    // And puts one there that was never made.
    let time = backup.rsplit('/').next().expect("a time");
    let forged = backup.replace(time, "2026-01-01T00-00-00.000Z.json");
    management.rest("s3", Method::PUT, &format!("/{backups}/{forged}"), stranger).await.expect("it is written");
    restore["backup"] = forged.into();
    let refused = run(&scenario, &restore).await;
    assert_eq!(refused["rows"][0]["cause"], "NotInRecord", "{refused}");
}

#[tokio::test]
async fn a_locked_queue_is_opened_and_a_newer_policy_is_not_overwritten_unless_that_is_said() {
    let scenario = Scenario::own(&[]).await;
    let account = scenario.member();
    let owner = owner(&scenario, &account).await;
    let created = owner.json("sqs", "CreateQueue", json!({"QueueName": "orders"})).await.expect("a queue");
    let url = created["QueueUrl"].as_str().unwrap().to_owned();
    let policy = deny_all("sqs", &format!("arn:aws:sqs:us-east-1:{account}:orders"));
    let set = async |client: &AwsClient, policy: &str| {
        let input = json!({"QueueUrl": url, "Attributes": {"Policy": policy}});
        client.json("sqs", "SetQueueAttributes", input).await
    };
    set(&owner, &policy).await.expect("the mistake");
    let send = async || owner.json("sqs", "SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
    assert!(send().await.is_err(), "the owner is locked out");

    let mut task = json!({"task": "unlock-queue-policy", "reason": "by mistake", "account_id": account, "queue_url": url, "region": "us-east-1"});
    // SQS takes up to a minute to show what was set.
    eventually("the policy to be shown", PATIENCE, async || {
        let planned = run(&scenario, &task).await;
        (planned["rows"][0]["policy"] == policy.as_str()).then_some(())
    })
    .await;
    task["mode"] = "apply".into();
    let unlocked = run(&scenario, &task).await;
    assert_eq!(unlocked["rows"][0]["outcome"], "done", "{unlocked}");
    send().await.expect("the owner works again");

    let newer = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sqs:*", "Resource": "*"}]});
    let newer = newer.to_string();
    set(&owner, &newer).await.expect("a better policy");
    eventually("the better policy to be shown", PATIENCE, async || {
        let input = json!({"QueueUrl": url, "AttributeNames": ["Policy"]});
        let shown = owner.json("sqs", "GetQueueAttributes", input).await.ok()?;
        (shown["Attributes"]["Policy"] == newer.as_str()).then_some(())
    })
    .await;
    let mut restore = json!({"task": "restore-queue-policy", "reason": "it was meant", "mode": "apply", "account_id": account,
        "queue_url": url, "region": "us-east-1", "backup": unlocked["rows"][0]["backup"]});
    let refused = run(&scenario, &restore).await;
    assert_eq!(refused["rows"][0]["outcome"], "refused", "{refused}");
    assert!(refused["rows"][0]["why"].as_str().unwrap().contains("replace"), "{refused}");
    restore["replace"] = true.into();
    let restored = run(&scenario, &restore).await;
    assert_eq!(
        (&restored["rows"][0]["outcome"], &restored["rows"][0]["sha256"]),
        (&json!("done"), &unlocked["rows"][0]["sha256"])
    );
    let backup = restored["rows"][0]["backup"].as_str().expect("what stood there is backed up as well");
    let path = format!("/{}/{backup}", scenario.stack.output("BackupsBucket"));
    let kept = scenario.stack.client.rest("s3", Method::GET, &path, "").await.unwrap();
    assert_eq!(String::from_utf8_lossy(kept.body()), newer);
}

#[tokio::test]
async fn of_two_hundred_accounts_each_has_one_row_and_nothing_is_called_deleted_that_was_not_seen_to_be_gone() {
    let scenario = Scenario::with_members_and(200, "version: 1\n", &[("MaxChangedPercent", "100")]).await;
    let organization = &scenario.organization;
    let members: Vec<_> =
        organization.account_ids().into_iter().filter(|id| id != organization.management_account()).collect();
    let everything = RootCredentials {
        password: true,
        access_keys: vec!["AKIAROOTEXAMPLE00001".to_owned()],
        signing_certificates: Vec::new(),
        mfa_devices: vec!["arn:aws:iam::123456789012:mfa/root".to_owned()],
    };
    let denied = |service: &str, operation: &str, account: &str| {
        let said = "User is not authorized to perform this action with an explicit deny in a service control policy";
        scenario.fault(Fault::error("AccessDenied", said).operation(service, operation).account(account))
    };
    // By position: nothing there, audit denied, deletion denied, throttled for good, throttled for a moment, or all well.
    let mut faults: Vec<FaultGuard> = Vec::new();
    let mut expected: BTreeMap<String, (&str, Option<&str>)> = BTreeMap::new();
    for (position, account) in members.iter().enumerate() {
        organization.set_root_credentials(account, everything.clone());
        let outcome = match position {
            0..20 => {
                organization.set_root_credentials(account, RootCredentials::default());
                ("nothing_to_do", None)
            }
            20..25 => {
                faults.push(denied("iam", "GetAccountSummary", account));
                ("failed", Some("AccessDenied"))
            }
            25..30 => {
                faults.push(denied("iam", "DeleteAccessKey", account));
                ("failed", Some("AccessDenied"))
            }
            30..33 => {
                let throttled = Fault::new(FaultKind::Throttle).operation("iam", "DeleteLoginProfile").account(account);
                faults.push(scenario.fault(throttled));
                ("failed", Some("Throttled"))
            }
            33..40 => {
                let throttled =
                    Fault::new(FaultKind::Throttle).operation("iam", "ListAccessKeys").account(account).times(1);
                faults.push(scenario.fault(throttled));
                ("done", None)
            }
            _ => ("done", None),
        };
        expected.insert(account.clone(), outcome);
    }
    let input = json!({"task": "delete-credentials", "all": true, "mode": "apply", "reason": "no root credentials"});
    let answer = run(&scenario, &input).await;
    let mut rows = answer["rows"].as_array().unwrap().clone();
    rows.retain(|row| row["account_id"] != organization.management_account());
    assert_eq!((rows.len(), &answer["left"]), (members.len(), &Value::Null));
    for row in rows {
        let account = row["account_id"].as_str().unwrap();
        let (outcome, cause) = expected.remove(account).expect("one row each");
        assert_eq!((row["outcome"].as_str(), row["cause"].as_str()), (Some(outcome), cause), "{row}");
        let there = organization.root_credentials_of(account);
        let steps: Vec<_> = row["steps"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (step, is_there) in [
            ("deleted login-profile", there.password),
            ("deleted access-keys", !there.access_keys.is_empty()),
            ("deleted mfa", !there.mfa_devices.is_empty()),
        ] {
            assert!(!(steps.contains(&step) && is_there), "{step} is said of {account}, and it is there");
            assert!(outcome != "done" || steps.contains(&step), "{row}");
        }
        // The second factor guards what could not be deleted.
        assert!(cause.is_none() || there.mfa_devices == everything.mfa_devices, "{row}");
    }
    assert!(expected.is_empty(), "{expected:?}");
}

#[tokio::test]
async fn what_is_wrong_or_guarded_is_refused_without_a_call_that_writes() {
    let document = "version: 1\nprotected:\n  accounts: [\"222222222222\"]\n  buckets: [crown-jewels]\n";
    let scenario = Scenario::with_document(document).await;
    let (account, management) = (scenario.member(), scenario.organization.management_account().to_owned());
    scenario.put_document(&document.replace("222222222222", &account)).await;
    let since = scenario.cloud.sequence();

    let said = refused(&scenario, &json!({"task": "delete-everything", "mode": "apply"})).await;
    assert!(said.contains("task: must be status, ") && said.contains("reason: is missing"), "{said}");
    let said = refused(
        &scenario,
        &json!({"task": "unlock-bucket-policy", "reason": "x", "account_id": account, "bucket": "b-u-c"}),
    )
    .await;
    assert!(said.contains("region: is missing"), "{said}");

    let stranger = scenario.cloud.new_account_id();
    for (id, why) in
        [(&account, "protected"), (&management, "management account"), (&stranger, "not in this organization")]
    {
        let input = json!({"task": "delete-credentials", "reason": "x", "mode": "apply", "account_ids": [id]});
        let answer = run(&scenario, &input).await;
        assert_eq!(answer["rows"][0]["outcome"], "refused", "{answer}");
        assert!(answer["rows"][0]["why"].as_str().unwrap().contains(why), "{why}: {answer}");
    }
    scenario.put_document("version: 1\nprotected: {buckets: [crown-jewels]}\n").await;
    let unlock = json!({"task": "unlock-bucket-policy", "reason": "x", "mode": "apply", "account_id": account, "bucket": "crown-jewels", "region": "us-east-1"});
    let answer = run(&scenario, &unlock).await;
    assert!(answer["rows"][0]["why"].as_str().unwrap().contains("crown-jewels is protected"), "{answer}");

    let plan = json!({"task": "delete-credentials", "reason": "x", "account_ids": [account]});
    let planned = run(&scenario, &plan).await;
    assert_eq!(planned["rows"][0]["steps"], json!(["delete login-profile"]), "{planned}");
    assert_eq!(writes(&scenario, &account, since), [""; 0]);
    let opened = scenario
        .cloud
        .calls()
        .since(since)
        .by_function("root-task-runner")
        .by_account(&management)
        .to("sts", "AssumeRoot");
    let tasks: Vec<_> = opened.iter().map(|call| call.input["TaskPolicyArn.arn"].clone()).collect();
    assert_eq!(
        tasks,
        ["arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"],
        "a plan gets no task that writes"
    );
}

#[tokio::test]
async fn a_root_password_can_be_recovered_and_that_is_undone_by_deleting_it() {
    let scenario = Scenario::own(&[]).await;
    let account = scenario.member();
    scenario.organization.set_root_credentials(&account, RootCredentials::default());
    let mut recovery = json!({"task": "allow-password-recovery", "reason": "a contract", "account_ids": [account]});
    assert_eq!(run(&scenario, &recovery).await["rows"][0]["outcome"], "planned");
    assert!(!scenario.organization.root_credentials_of(&account).password, "a plan changes nothing");
    recovery["mode"] = "apply".into();
    assert_eq!(run(&scenario, &recovery).await["rows"][0]["outcome"], "done");
    assert!(scenario.organization.root_credentials_of(&account).password);
    assert_eq!(run(&scenario, &recovery).await["rows"][0]["outcome"], "nothing_to_do");
    let undo = json!({"task": "delete-credentials", "reason": "done", "mode": "apply", "account_ids": [account], "credentials": ["login-profile"]});
    assert_eq!(run(&scenario, &undo).await["rows"][0]["steps"], json!(["deleted login-profile"]));
    assert!(!scenario.organization.root_credentials_of(&account).password);
}

#[tokio::test]
async fn the_features_are_shown_switched_and_shown_again() {
    let scenario = Scenario::own(&[]).await;
    let of = async |task: &str, mode: &str| {
        let input = if task == "status" {
            json!({"task": task, "reason": "x"})
        } else {
            json!({"task": task, "mode": mode, "reason": "x"})
        };
        run(&scenario, &input).await["rows"][0].clone()
    };
    assert_eq!(of("status", "plan").await["why"], "Enabled: RootCredentialsManagement, RootSessions.");
    assert_eq!(
        of("disable", "plan").await["steps"],
        json!(["disable RootCredentialsManagement", "disable RootSessions"])
    );
    assert_eq!(of("disable", "apply").await["outcome"], "done");
    assert_eq!(of("status", "plan").await["why"], "Neither feature is enabled.");
    assert_eq!(
        of("enable", "apply").await["steps"],
        json!(["enabled RootCredentialsManagement", "enabled RootSessions"])
    );
    assert_eq!(of("enable", "apply").await["outcome"], "nothing_to_do");

    // One of two is switched, and the second denied: what was done is kept with the failure.
    let denied = Fault::error("AccessDenied", "not today").operation("iam", "DisableOrganizationsRootSessions");
    let _denied = scenario.fault(denied.account(scenario.organization.management_account()));
    let listener = scenario.listen("features").await;
    let row = of("disable", "apply").await;
    assert_eq!(
        (&row["outcome"], &row["cause"], &row["steps"]),
        (&json!("failed"), &json!("AccessDenied"), &json!(["disabled RootCredentialsManagement"]))
    );
    listener.wait_for("RootTaskPerformed", "cause", "AccessDenied", PATIENCE).await;
}

#[tokio::test]
async fn every_attempt_is_reported_and_kept_for_a_year_and_the_work_is_known_as_stewards_own() {
    let scenario = Scenario::own(&[]).await;
    let listener = scenario.listen("root-tasks").await;
    let account = scenario.member();
    scenario
        .organization
        .set_root_credentials(&account, RootCredentials { password: true, ..RootCredentials::default() });
    let input = json!({"task": "delete-credentials", "reason": "Ticket 7", "requested_by": "alice", "mode": "apply", "account_ids": [account]});
    run(&scenario, &input).await;
    let published = listener.wait_for("RootTaskPerformed", "account_id", &account, PATIENCE).await.detail;
    assert_eq!(
        (&published["reason"], &published["requested_by"], &published["outcome"]),
        (&json!("Ticket 7"), &json!("alice"), &json!("done")),
        "{published}"
    );
    let row = async |moment: &str| {
        let key = format!("root-task#{}#{account}#{moment}", published["invocation"].as_str().unwrap());
        scenario.stack.item_of("JournalTable", &key).await.unwrap().expect("a row")
    };
    assert_eq!(row("begun").await["outcome"], "begun");
    let kept = row("ended").await;
    assert_eq!(
        (&kept["task"], &kept["steps"]),
        (&json!("delete-credentials"), &json!(["deleted login-profile"])),
        "{kept}"
    );
    let in_days = (kept["expires_at"].as_i64().unwrap() - published_at(&kept)) / 86_400;
    assert!((365..=366).contains(&in_days), "{kept}");

    eventually("the session to be told", PATIENCE, async || {
        let all = listener.received("ActivityAudited", "action", "AssumeRoot").await;
        all.iter().find(|published| published.detail["account_id"] == account.as_str()).map(|published| {
            assert_eq!(
                (&published.detail["severity"], &published.detail["actor"]["is_steward"]),
                (&json!("informational"), &json!(true))
            );
        })
    })
    .await;
    let failed = json!({"task": "audit-credentials", "reason": "x", "account_ids": ["000000000001"]});
    run(&scenario, &failed).await;
    let published = listener.wait_for("RootTaskPerformed", "account_id", "000000000001", PATIENCE).await.detail;
    assert_eq!(published["outcome"], "refused", "attempts that were refused are told as well: {published}");
}

fn published_at(kept: &Value) -> i64 {
    // `2026-11-26T08:00:00Z` without a crate for dates: what DynamoDB expires is a day more than a year later.
    let text = kept["at"].as_str().expect("a time");
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().expect("digits");
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (year, month) = if month <= 2 { (year - 1, month + 12) } else { (year, month) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 - 719_468;
    days * 86_400 + number(11..13) * 3600 + number(14..16) * 60 + number(17..19)
}

#[tokio::test]
async fn an_audit_of_all_is_a_table_and_a_failed_look_is_never_an_empty_one() {
    let scenario = Scenario::own(&[]).await;
    let account = scenario.member();
    let fault = Fault::error("AccessDenied", "no").operation("iam", "GetAccountSummary").account(&account);
    let fault = scenario.fault(fault);
    let input = json!({"task": "audit-credentials", "all": true, "csv": true, "reason": "quarterly"});
    let answer = run(&scenario, &input).await;
    let row = answer["rows"].as_array().unwrap().iter().find(|row| row["account_id"] == account.as_str()).unwrap();
    assert_eq!((&row["outcome"], &row["cause"]), (&json!("failed"), &json!("AccessDenied")), "{answer}");
    drop(fault);
    let answer = run(&scenario, &input).await;
    let csv = answer["csv"].as_str().unwrap();
    assert!(csv.starts_with("account_id,account_name,outcome,login-profile,"), "{csv}");
    assert!(csv.contains(&format!("{account},Shop,audited,yes,no,no,no,")), "{csv}");
    assert!(csv.contains("management account"), "who is left out is in the table: {csv}");
}

/// The AWS CLI with these credentials; a missing one is a failure.
fn aws(scenario: &Scenario, credentials: &local_cloud::Credentials, arguments: &[&str]) -> Result<Value, String> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/aws/bin/aws");
    let output = std::process::Command::new(program)
        // Named for each call: from the environment, this client does not take it for Amazon SQS.
        .args(["--endpoint-url", &scenario.cloud.endpoint()])
        .args(arguments)
        .env_clear()
        .envs([
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", &credentials.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key),
            ("AWS_SESSION_TOKEN", credentials.session_token.as_deref().unwrap_or_default()),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ])
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; `make tools` installs it"));
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

/// A root session that the AWS CLI has opened for one task.
fn assume_root(
    scenario: &Scenario,
    operator: &local_cloud::Credentials,
    account: &str,
    task: &str,
) -> local_cloud::Credentials {
    let policy = format!("arn=arn:aws:iam::aws:policy/root-task/{task}");
    let arguments = [
        "sts",
        "assume-root",
        "--target-principal",
        account,
        "--task-policy-arn",
        &policy,
        "--duration-seconds",
        "900",
    ];
    let opened = aws(scenario, operator, &arguments).expect("a root session");
    let text = |name: &str| opened["Credentials"][name].as_str().expect("credentials").to_owned();
    local_cloud::Credentials {
        access_key_id: text("AccessKeyId"),
        secret_access_key: text("SecretAccessKey"),
        session_token: Some(text("SessionToken")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_procedure_works_through_the_aws_cli_as_aws_documents_it() {
    let scenario = Scenario::own(&[]).await;
    scenario.unprepare();
    let account = scenario.member();
    let member = owner(&scenario, &account).await;
    let bucket = format!("by-hand-{account}");
    member.rest("s3", Method::PUT, &format!("/{bucket}"), "").await.unwrap();
    let policy = deny_all("s3", &format!("arn:aws:s3:::{bucket}*"));
    member.rest("s3", Method::PUT, &format!("/{bucket}?policy"), policy).await.unwrap();
    let created = member.json("sqs", "CreateQueue", json!({"QueueName": "by-hand"})).await.unwrap();
    let url = created["QueueUrl"].as_str().unwrap().to_owned();
    let policy = deny_all("sqs", &format!("arn:aws:sqs:us-east-1:{account}:by-hand"));
    let locked = json!({"QueueUrl": url, "Attributes": {"Policy": policy}});
    member.json("sqs", "SetQueueAttributes", locked).await.unwrap();

    let operator = owner(&scenario, scenario.organization.management_account()).await;
    let operator = operator.credentials();
    for arguments in [
        &["organizations", "enable-aws-service-access", "--service-principal", "iam.amazonaws.com"][..],
        &["iam", "enable-organizations-root-credentials-management"],
        &["iam", "enable-organizations-root-sessions"],
    ] {
        aws(&scenario, operator, arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    }
    let root = assume_root(&scenario, operator, &account, "S3UnlockBucketPolicy");
    let identity = aws(&scenario, &root, &["sts", "get-caller-identity"]).unwrap();
    assert_eq!(identity["Arn"], format!("arn:aws:iam::{account}:root"));
    aws(&scenario, &root, &["s3api", "delete-bucket-policy", "--bucket", &bucket]).unwrap();
    let more = aws(&scenario, &root, &["s3api", "delete-bucket", "--bucket", &bucket]).unwrap_err();
    assert!(more.contains("AccessDenied"), "the task allows no more: {more}");
    member.rest("s3", Method::GET, &format!("/{bucket}"), "").await.expect("the owner works again");

    let root = assume_root(&scenario, operator, &account, "SQSUnlockQueuePolicy");
    let queues = aws(&scenario, &root, &["sqs", "list-queues"]).unwrap();
    let listed = queues["QueueUrls"].as_array().unwrap().iter().any(|listed| listed == url.as_str());
    assert!(listed, "{queues}");
    aws(&scenario, &root, &["sqs", "set-queue-attributes", "--queue-url", &url, "--attributes", "Policy="]).unwrap();
    member
        .json("sqs", "SendMessage", json!({"QueueUrl": url, "MessageBody": "x"}))
        .await
        .expect("the owner works again");
}
