//! Who may do what with Steward: roles with the policies of `docs/policies`, told apart by IAM and by the functions.

use local_cloud::{AwsClient, AwsError, Method};
use serde_json::{Value, json};

use crate::{scenario::Scenario, template::read};

const DOCUMENT: &str = "
version: 1
defaults:
  account-alias: {alias: \"steward-{account_id}\"}
remediate: [account-alias]
";

const BASELINE: &str = "BaselineApplierFunction";
const REPLAYER: &str = "DeadLetterReplayerFunction";
const PREPARER: &str = "OrganizationPreparerFunction";
const RUNNER: &str = "RootTaskRunnerFunction";
/// The functions that people call to plan and to apply, by the outputs that name them.
const CALLED: [&str; 4] = [BASELINE, REPLAYER, PREPARER, RUNNER];

/// A stack, and somebody in its account with exactly one of the sample policies.
struct Person<'a> {
    scenario: &'a Scenario,
    client: AwsClient,
}

impl<'a> Person<'a> {
    /// Somebody with the policy of `docs/policies/<name>.json`, made theirs as its page says.
    async fn with(scenario: &'a Scenario, policy: &str) -> Self {
        let (account, stack) = (scenario.organization.management_account(), scenario.stack.name());
        let sample = read(format!("docs/policies/{policy}.json"));
        assert!(sample.contains("111111111111") || sample.contains("steward-reports-1a2b3c4d5e6f"), "{policy}");
        let own = sample
            .replace("111111111111", account)
            .replace("steward-reports-1a2b3c4d5e6f", scenario.stack.output("ReportsBucket"))
            .replace("function:steward-", &format!("function:{stack}-"))
            .replace("stateMachine:steward", &format!("stateMachine:{stack}"))
            .replace("event-bus/steward", &format!("event-bus/{stack}"));
        Self { scenario, client: scenario.person(account, policy, "somebody", &own).await }
    }

    /// Invokes a function by itself.
    async fn invoke(&self, function: &str, input: &Value) -> Result<Value, AwsError> {
        self.client.invoke(self.scenario.stack.output(function), input).await
    }

    /// Invokes a function by its alias `plan`.
    async fn plan(&self, function: &str, input: &Value) -> Result<Value, AwsError> {
        self.client.invoke(&format!("{}:plan", self.scenario.stack.output(function)), input).await
    }

    /// Invokes a function with an alias or a version that is named beside it, as `--qualifier` does.
    async fn qualified(&self, function: &str, qualifier: &str, input: &Value) -> Result<(), AwsError> {
        let name = self.scenario.stack.output(function);
        let path = format!("/2015-03-31/functions/{name}/invocations?Qualifier={qualifier}");
        self.client.rest("lambda", Method::POST, &path, input.to_string()).await.map(drop)
    }

    async fn is_denied(&self, function: &str, input: &Value) {
        let denied = self.invoke(function, input).await.expect_err(function);
        assert_eq!(denied.code, "AccessDeniedException", "{function}: {denied}");
    }
}

/// What one of the functions has called in this organization since then.
fn called(scenario: &Scenario, since: u64) -> Vec<String> {
    let (management, member) = (scenario.organization.management_account(), scenario.member());
    let of_people = ["baseline-applier", "dead-letter-replayer", "organization-preparer", "root-task-runner"];
    let calls = scenario.cloud.calls().since(since).only(|call| {
        call.function.as_deref().is_some_and(|function| of_people.contains(&function))
            && call.account.as_deref().is_some_and(|account| account == management || account == member)
    });
    calls.actions()
}

/// What people ask the functions for in order to change something, and what rules send to them.
fn changes(account: &str) -> Vec<(&'static str, Value)> {
    let root = |task: &str| json!({"task": task, "reason": "x", "mode": "apply", "account_ids": [account]});
    let features = |task: &str| json!({"task": task, "reason": "x", "mode": "apply"});
    let bucket = |task: &str, mode: &str| {
        json!({"task": task, "reason": "x", "mode": mode, "account_id": account, "bucket": "locked",
            "region": "us-east-1"})
    };
    let mut restore = bucket("restore-bucket-policy", "apply");
    restore["backup"] =
        format!("root-task-backups/{account}/us-east-1/bucket/locked/2026-11-23T10-00-00.000Z.json").into();
    let joined = json!({"source": "aws.organizations", "detail-type": "AWS Service Event via CloudTrail",
        "detail": {"eventName": "AccountJoinedOrganization", "eventTime": "2026-11-23T10:00:00Z",
            "serviceEventDetails": {"accountId": account}}});
    let message = json!({"account_id": account, "since": "2026-11-23T10:00:00Z"});
    let batch = json!({"Records": [{"messageId": "1", "body": message.to_string(), "eventSource": "aws:sqs"}]});
    vec![
        (BASELINE, json!({"account_ids": [account], "mode": "apply"})),
        (BASELINE, joined),
        (BASELINE, batch),
        (REPLAYER, json!({"mode": "apply"})),
        (PREPARER, json!({"mode": "apply"})),
        (RUNNER, root("delete-credentials")),
        (RUNNER, root("allow-password-recovery")),
        (RUNNER, features("enable")),
        (RUNNER, features("disable")),
        (RUNNER, bucket("unlock-bucket-policy", "apply")),
        // To see it takes a session that could remove it.
        (RUNNER, bucket("unlock-bucket-policy", "plan")),
        (RUNNER, restore),
    ]
}

#[tokio::test]
async fn who_may_plan_is_shown_what_would_be_done_and_has_no_way_to_do_it() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = scenario.member();
    let planner = Person::with(&scenario, "plan").await;

    let baseline = json!({"account_ids": [account]});
    let answer = planner.plan(BASELINE, &baseline).await.expect("a plan");
    assert_eq!((&answer["mode"], answer["rows"].as_array().map(Vec::is_empty)), (&json!("plan"), Some(false)));
    let rows = answer["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["outcome"] == "drifted" && row["notes"].is_null()), "{answer}");
    planner.qualified(BASELINE, "plan", &baseline).await.expect("the alias, named beside the function");
    let credentials = json!({"task": "delete-credentials", "reason": "x", "account_ids": [account]});
    let answer = planner.plan(RUNNER, &credentials).await.expect("a plan");
    assert_eq!(answer["rows"][0]["outcome"], "planned", "{answer}");
    for function in [REPLAYER, PREPARER] {
        assert_eq!(planner.plan(function, &json!({})).await.expect("a plan")["mode"], "plan", "{function}");
    }

    // The function asked by the alias says why not, and calls nothing.
    let since = scenario.cloud.sequence();
    for (function, input) in changes(&account) {
        let refused = planner.plan(function, &input).await.expect_err("it changes something");
        assert_eq!(refused.code, "PlanOnly", "{function} {input}: {refused}");
    }
    assert_eq!(called(&scenario, since), [""; 0]);

    // IAM does not let anybody past the alias who may use nothing else.
    for function in CALLED {
        planner.is_denied(function, &json!({})).await;
        let latest = planner.qualified(function, "%24LATEST", &json!({})).await.expect_err("no alias");
        assert_eq!(latest.code, "AccessDeniedException", "{latest}");
    }
    planner.is_denied("AccountRequesterFunction", &json!({})).await;
    let sweep = json!({"stateMachineArn": scenario.stack.output("ComplianceSweepArn")});
    assert!(planner.client.json("states", "StartExecution", sweep).await.is_err());
    assert_eq!(called(&scenario, since), [""; 0]);
    assert!(scenario.organization.root_credentials_of(&account).password, "the root password is still there");
}

#[tokio::test]
async fn who_may_apply_baselines_hands_out_no_power_and_does_no_root_work() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = scenario.member();
    let applier = Person::with(&scenario, "apply").await;
    let input = json!({"account_ids": [account], "mode": "apply"});
    assert_eq!(applier.plan(BASELINE, &input).await.expect_err("a plan alone").code, "PlanOnly");
    assert_eq!(applier.plan(BASELINE, &json!({"account_ids": [account]})).await.expect("a plan")["mode"], "plan");
    let answer = applier.invoke(BASELINE, &input).await.expect("it is applied");
    let rows = answer["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["outcome"] == "fixed"), "{answer}");
    assert_eq!(applier.invoke(REPLAYER, &json!({"mode": "apply"})).await.expect("an answer")["mode"], "apply");
    let sweep = json!({"stateMachineArn": scenario.stack.output("ComplianceSweepArn")});
    applier.client.json("states", "StartExecution", sweep).await.expect("the sweep starts");

    for function in [PREPARER, RUNNER, "AccountRequesterFunction"] {
        applier.is_denied(function, &json!({"mode": "apply"})).await;
    }
    for function in [PREPARER, RUNNER] {
        assert_eq!(applier.plan(function, &json!({})).await.expect_err(function).code, "AccessDeniedException");
    }
}

#[tokio::test]
async fn root_work_and_the_organization_are_each_for_people_of_their_own() {
    let scenario = Scenario::own(&[]).await;
    let account = scenario.member();
    let (worker, preparer) =
        (Person::with(&scenario, "root-work").await, Person::with(&scenario, "prepare-organization").await);
    let input = json!({"task": "delete-credentials", "reason": "x", "mode": "apply", "account_ids": [account]});
    let answer = worker.invoke(RUNNER, &input).await.expect("root work");
    assert_eq!(answer["rows"][0]["outcome"], "done", "{answer}");
    assert_eq!(preparer.invoke(PREPARER, &json!({"mode": "apply"})).await.expect("an answer")["mode"], "apply");
    for function in CALLED {
        if function != RUNNER {
            worker.is_denied(function, &json!({})).await;
        }
        if function != PREPARER {
            preparer.is_denied(function, &json!({})).await;
        }
    }
}

#[tokio::test]
async fn accounts_are_closed_by_people_of_their_own_and_planned_by_planners() {
    const CLOSER: &str = "AccountCloserFunction";
    let scenario = Scenario::that_closes(0, "7", "version: 1").await;
    let account = scenario.member();
    let (planner, closer) = (Person::with(&scenario, "plan").await, Person::with(&scenario, "close-accounts").await);
    let mut input = json!({"account_id": account, "account_name": "Shop", "reason": "x"});
    let answer = planner.plan(CLOSER, &input).await.expect("a plan");
    assert_eq!(answer["rows"][0]["outcome"], "planned", "{answer}");
    input["mode"] = "apply".into();
    let keep = json!({"account_id": account, "keep": true, "mode": "apply"});
    for change in [&input, &keep, &json!({"advance": true, "mode": "apply"})] {
        assert_eq!(planner.plan(CLOSER, change).await.expect_err("a plan alone").code, "PlanOnly");
        planner.is_denied(CLOSER, change).await;
    }
    assert_eq!(closer.invoke(CLOSER, &input).await.expect("it begins")["rows"][0]["outcome"], "under_way");
    assert_eq!(closer.invoke(CLOSER, &keep).await.expect("it is called off")["rows"][0]["outcome"], "ended");
    for function in CALLED {
        closer.is_denied(function, &json!({})).await;
    }
}

#[tokio::test]
async fn who_may_read_reports_or_ask_for_accounts_does_nothing_else() {
    let scenario = Scenario::own(&[]).await;
    let reader = Person::with(&scenario, "read-reports").await;
    let (reports, documents) = (scenario.stack.output("ReportsBucket"), scenario.stack.output("DocumentsBucket"));
    let root = &scenario.stack.client;
    let read = [format!("/{reports}/latest/report.html"), format!("/{reports}/reports/2026-11-23/a/report.json")];
    let kept = [format!("/{reports}/sweeps/a/batch.json"), format!("/{documents}/root-task-backups/a.json")];
    for path in read.iter().chain(&kept) {
        root.rest("s3", Method::PUT, path, "{}").await.expect("it is written");
    }
    for path in &read {
        reader.client.rest("s3", Method::GET, path, "").await.expect(path);
        assert_eq!(reader.client.rest("s3", Method::PUT, path, "").await.expect_err(path).code, "AccessDenied");
    }
    for path in kept.into_iter().chain([format!("/{reports}")]) {
        assert_eq!(reader.client.rest("s3", Method::GET, &path, "").await.expect_err(&path).code, "AccessDenied");
    }
    let portal = Person::with(&scenario, "request-accounts").await;
    for function in CALLED {
        reader.is_denied(function, &json!({})).await;
        portal.is_denied(function, &json!({})).await;
    }
}
