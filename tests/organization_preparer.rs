//! `organization-preparer`: what an organization lacks, shown and enabled.

use std::collections::BTreeMap;

use harness::Package;
use serde_json::{Value, json};

use crate::{
    compliance_sweep::{report, sweep},
    permissions::without,
    scenario::{PATIENCE, Scenario, TRUSTED},
};

async fn prepare(scenario: &Scenario, input: &Value) -> Value {
    scenario.stack.invoke("OrganizationPreparerFunction", input).await.expect("the preparer answers")
}

/// The row of one check.
pub(crate) fn row<'a>(answer: &'a Value, check: &str) -> &'a Value {
    let rows = answer["checks"].as_array().into_iter().flatten();
    rows.into_iter().find(|row| row["control"] == check).unwrap_or_else(|| panic!("no {check}: {answer}"))
}

/// What each check came to, by its name.
fn outcomes(answer: &Value) -> BTreeMap<&str, &str> {
    let rows = answer["checks"].as_array().into_iter().flatten();
    rows.map(|row| (row["control"].as_str().expect("a check"), row["outcome"].as_str().expect("an outcome"))).collect()
}

/// Every step of one kind that the checks tell of.
fn steps<'a>(answer: &'a Value, kind: &str) -> Vec<&'a str> {
    let rows = answer["checks"].as_array().into_iter().flatten();
    rows.flat_map(|row| row[kind].as_array().into_iter().flatten()).filter_map(Value::as_str).collect()
}

/// What nobody in a member account may do.
const LEAVE: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Sid": "Leave", "Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]}"#;
const COST: &str = r#"{"tags": {"cost-center": {"tag_key": {"@@assign": "cost-center"}}}}"#;

/// A document that asks for a trail, an administrator and two policies.
fn document(member: &str) -> String {
    format!(
        "version: 1\norganization:\n  organization-trail: {{name: organization, bucket: steward-logs}}\n  \
         delegated-administrators: [{{service: account.amazonaws.com, account: '{member}'}}]\n  organization-policies:\n  \
         - {{name: leave, type: SERVICE_CONTROL_POLICY, file: leave.json, targets: [/, /Workloads]}}\n  \
         - {{name: cost, type: TAG_POLICY, file: tags/cost.json, targets: ['{member}']}}\n  \
         service-quota-template: [{{service: lambda, quota: L-B99A9384, region: us-east-1, value: 1000}}]\n"
    )
}

/// Puts that document and its files in force.
async fn put(scenario: &Scenario, member: &str) {
    for (name, content) in [("leave.json", LEAVE), ("tags/cost.json", COST)] {
        scenario.stack.put_policy(name, content).await.expect("a file");
    }
    scenario.organization.set_trusted_access("servicequotas.amazonaws.com", true);
    scenario.put_document(&document(member)).await;
}

/// The policy of this name, as the organization has it.
async fn policy(scenario: &Scenario, kind: &str, name: &str) -> Option<Value> {
    let client = &scenario.stack.client;
    let listed = client.json("organizations", "ListPolicies", json!({"Filter": kind})).await.expect("the policies");
    let id = listed["Policies"].as_array()?.iter().find(|policy| policy["Name"] == name)?["Id"].clone();
    let described = client.json("organizations", "DescribePolicy", json!({"PolicyId": id})).await.expect("the policy");
    Some(described["Policy"].clone())
}

#[tokio::test]
async fn a_bare_organization_comes_to_its_document_in_one_plan_and_one_apply() {
    let scenario = Scenario::with_member_as("DelegatedAdministrators", "version: 1").await;
    scenario.unprepare();
    let (member, listener) = (scenario.member(), scenario.listen("prepared").await);
    put(&scenario, &member).await;
    let mailbox = scenario.mailbox("prepared").await;
    let delegated = json!({TRUSTED[3]: member});
    let plan = json!({"delegated_administrators": delegated});
    let planned = prepare(&scenario, &plan).await;
    assert_eq!(planned["mode"], "plan", "nobody has said apply: {planned}");
    assert_eq!(planned["organization_id"], json!(scenario.organization.id()));
    let all = steps(&planned, "planned");
    assert_eq!(
        all.len(),
        20,
        "four services, two root features, two administrators, alerts, a trail that is made and started, two policies with \
         their types and three places, a quota that counts: {planned}"
    );
    let places = planned["by_hand"].as_array().unwrap().iter().map(|item| item["at"].as_str().unwrap());
    assert!(places.clone().count() >= 2 && places.clone().all(|at| at.starts_with("https://")), "{planned}");

    let apply = json!({"mode": "apply", "delegated_administrators": delegated});
    let applied = prepare(&scenario, &apply).await;
    assert_eq!(steps(&applied, "applied"), all, "{applied}");
    assert!(outcomes(&applied).values().all(|outcome| ["fixed", "compliant"].contains(outcome)), "{applied}");

    // What power was given is kept before and after, told, and mailed.
    let published =
        listener.wait_for("OrganizationPrepared", "organization_id", &scenario.organization.id(), PATIENCE).await;
    assert_eq!(published.detail["applied"], published.detail["planned"], "{}", published.detail);
    let row = async |moment: &str| {
        let invocation = published.detail["invocation"].as_str().expect("an id");
        let key = format!("organization#{invocation}#{}#{moment}", scenario.organization.id());
        scenario.stack.item_of("JournalTable", &key).await.unwrap().expect("a row")
    };
    assert_eq!((&row("begun").await["applied"], row("ended").await["applied"].clone()), (&json!([]), json!(all)));
    let mail = mailbox.wait_for("critical: the organization was changed", PATIENCE).await;
    assert!(mail.text.contains(&member), "{}", mail.text);

    let since = scenario.cloud.sequence();
    for input in [&plan, &apply] {
        let again = prepare(&scenario, input).await;
        assert!(outcomes(&again).values().all(|outcome| *outcome == "compliant"), "{again}");
    }
    let writes = scenario.calls_since(since).by_function("organization-preparer").only(|call| {
        ["Associate", "Attach", "Put", "Enable", "Register", "Create", "Update", "Start"]
            .iter()
            .any(|verb| call.operation.starts_with(verb))
    });
    assert_eq!(writes.iter().count(), 0, "there is nothing to do twice");
}

#[tokio::test]
async fn what_somebody_has_broken_is_named_by_the_next_sweep_and_put_right_alone() {
    let scenario = Scenario::with_member_as("DelegatedAdministrators", "version: 1").await;
    let member = scenario.member();
    put(&scenario, &member).await;
    prepare(&scenario, &json!({"mode": "apply"})).await;
    sweep(&scenario).await;
    let good = report(&scenario).await;
    let rows = good["sweep"]["organization"]["checked"]["rows"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row["outcome"] == "compliant"), "{rows:?}");
    assert_eq!(good["totals"]["organization"]["not_compliant"], 0, "{}", good["totals"]);

    let (client, mailbox) = (&scenario.stack.client, scenario.mailbox("broken").await);
    client.json("cloudtrail", "StopLogging", json!({"Name": "organization"})).await.expect("the trail stops");
    scenario.organization.set_trusted_access(TRUSTED[3], false);
    scenario.organization.set_billing_alerts(false);
    let leave =
        policy(&scenario, "SERVICE_CONTROL_POLICY", "leave").await.expect("the policy")["PolicySummary"]["Id"].clone();
    let weaker = json!({"PolicyId": leave, "Content": LEAVE.replace("LeaveOrganization", "EnableAllFeatures")});
    client.json("organizations", "UpdatePolicy", weaker).await.expect("the policy is changed");
    let loose = json!({"PolicyId": leave, "TargetId": scenario.organization.unit_id("/Workloads")});
    client.json("organizations", "DetachPolicy", loose).await.expect("the policy is detached");
    scenario.organization.set_root_access(false);
    let alone = json!({"AccountId": member, "ServicePrincipal": "account.amazonaws.com"});
    client.json("organizations", "DeregisterDelegatedAdministrator", alone).await.expect("it administers no more");
    let less =
        json!({"ServiceCode": "lambda", "QuotaCode": "L-B99A9384", "AwsRegion": "us-east-1", "DesiredValue": 50.0});
    let put = "ServiceQuotasV20190624.PutServiceQuotaIncreaseRequestIntoTemplate";
    client.json("servicequotas", put, less).await.expect("the template is changed");
    // What the account has room for is AWS's to say: here, the document asks for more.
    scenario.put_document(&format!("{}  lambda-concurrency: {{minimum: 10000}}\n", document(&member))).await;
    sweep(&scenario).await;
    let broken = report(&scenario).await;
    let rows = broken["sweep"]["organization"]["checked"]["rows"].as_array().expect("rows");
    let open: BTreeMap<_, _> = rows
        .iter()
        .filter(|row| row["outcome"] != "compliant")
        .map(|row| {
            let planned = row["planned"].as_array().into_iter().flatten().filter_map(Value::as_str);
            (row["control"].as_str().unwrap(), planned.collect::<Vec<_>>().join("; "))
        })
        .collect();
    let delegated = format!("let account {member} administer account.amazonaws.com");
    let expected = [
        ("billing-alerts", "turn on CloudWatch billing alerts"),
        ("delegated-administrators", delegated.as_str()),
        ("lambda-concurrency", "by hand: functions of this account may run "),
        (
            "organization-policies",
            "change the SERVICE_CONTROL_POLICY leave: statement Leave: Action adds organizations:LeaveOrganization; \
             statement Leave: Action removes organizations:EnableAllFeatures",
        ),
        ("organization-trail", "let the trail organization record"),
        ("root-features", "enable the root feature RootCredentialsManagement"),
        (
            "service-quota-template",
            "ask for 1000 of L-B99A9384 (lambda) in us-east-1 for each new account, and not for 50",
        ),
        (
            "trusted-access",
            "enable trusted access for iam.amazonaws.com; enable trusted access for member.org.stacksets.cloudformation.amazonaws.com",
        ),
    ];
    assert_eq!(open.keys().copied().collect::<Vec<_>>(), expected.map(|(check, _)| check), "{open:?}");
    assert_eq!(expected.len(), rows.len(), "every check is broken");
    assert!(expected.iter().all(|(check, step)| open[check].starts_with(step)), "{open:?}");
    let new =
        broken["new"].as_array().expect("changes").iter().filter(|change| change["account_name"] == "The organization");
    assert_eq!(new.count(), expected.len(), "{}", broken["new"]);
    let csv = scenario.stack.report_object("latest/report.csv").await.expect("a report");
    assert!(csv.contains(&format!("{},The organization", scenario.organization.id())), "{csv:.500}");
    let page = scenario.stack.report_object("latest/report.html").await.expect("a page");
    assert!(page.contains("let the trail organization record"));
    let mail = mailbox.wait_for("sweep of 2 accounts", PATIENCE).await;
    assert!(mail.text.contains("8 found something wrong"), "{}", mail.text);

    let applied = prepare(&scenario, &json!({"mode": "apply"})).await;
    assert_eq!(
        steps(&applied, "applied").len(),
        10,
        "the policy is put right and attached again, two services are trusted, two root features are enabled, and the other four \
         steps are one each: {applied}"
    );
    scenario.put_document(&document(&member)).await;
    sweep(&scenario).await;
    let remediated = report(&scenario).await;
    assert_eq!(remediated["totals"]["organization"]["not_compliant"], 0, "{}", remediated["totals"]);
    assert_eq!(remediated["resolved"].as_array().map(Vec::len), Some(expected.len()), "{}", remediated["resolved"]);
    assert!(scenario.organization.has_billing_alerts());
    let again = prepare(&scenario, &json!({"mode": "apply"})).await;
    assert_eq!(steps(&again, "applied"), Vec::<&str>::new(), "{again}");
}

#[tokio::test]
async fn a_policy_that_would_lock_steward_or_everybody_out_is_refused_with_the_statement_that_does_it() {
    let scenario = Scenario::with_document("version: 1").await;
    let lock = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "Trail", "Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"},
        {"Sid": "Everything", "Effect": "Deny", "Action": "*", "Resource": "*"}]}"#;
    let typo = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "Others", "Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*",
         "Condition": {"StringNotEquals": {"aws:PrincipalOrgIdentifier": "o-x"}}}]}"#;
    for (name, content) in [("lock.json", lock), ("typo.json", typo), ("leave.json", LEAVE), ("no-json.json", "{")] {
        scenario.stack.put_policy(name, content).await.expect("a file");
    }
    let entry = |name: &str| {
        format!("  - {{name: {name}, type: SERVICE_CONTROL_POLICY, file: {name}.json, targets: [/Workloads]}}\n")
    };
    let entries = ["lock", "typo", "leave", "no-json", "missing"].map(entry).concat();
    scenario.put_document(&format!("version: 1\norganization:\n  organization-policies:\n{entries}")).await;
    let input = json!({"mode": "apply", "controls": ["organization-policies"]});
    let applied = prepare(&scenario, &input).await;
    let row = row(&applied, "organization-policies");
    assert_eq!(row["outcome"], "not_converged", "{row}");
    assert_eq!(row["applied"].as_array().map(Vec::len), Some(3), "the good one is made all the same: {row}");
    let left = row["remaining"].to_string();
    for part in [
        "lock is not written: statement Everything denies iam:GetRole to OrganizationAccountAccessRole",
        "lock is not written: statement Everything denies iam:CreateLoginProfile, ",
        "typo is not written: IAM Access Analyzer finds in statement Others: The condition key aws:PrincipalOrgIdentifier does not \
         exist. Use a valid condition key. (INVALID_GLOBAL_CONDITION_KEY, https://docs.aws.amazon.com/",
        "no-json is not written: policies/no-json.json must be JSON",
        "missing is not written: there is no policies/missing.json beside the document",
    ] {
        assert!(left.contains(part), "{part}: {left}");
    }
    assert!(!left.contains("statement Trail"), "{left}");
    for (name, is_there) in [("lock", false), ("typo", false), ("leave", true), ("no-json", false)] {
        assert_eq!(policy(&scenario, "SERVICE_CONTROL_POLICY", name).await.is_some(), is_there, "{name}");
    }
}

#[tokio::test]
async fn where_iam_access_analyzer_may_not_be_asked_own_checks_decide_and_the_row_says_so() {
    let scenario = Scenario::with_document("version: 1").await;
    without(&scenario, "organization-preparer", "access-analyzer:ValidatePolicy").await;
    scenario.stack.put_policy("leave.json", LEAVE).await.expect("a file");
    let entry = "{name: leave, type: SERVICE_CONTROL_POLICY, file: leave.json, targets: [/]}";
    scenario.put_document(&format!("version: 1\norganization:\n  organization-policies: [{entry}]\n")).await;
    let planned = prepare(&scenario, &json!({"controls": ["organization-policies"]})).await;
    let planned = row(&planned, "organization-policies");
    assert_eq!(planned["outcome"], "drifted", "{planned}");
    assert!(planned["notes"].to_string().contains("access-analyzer:ValidatePolicy was denied"), "{planned}");
    let apply = json!({"mode": "apply", "controls": ["organization-policies"]});
    let applied = prepare(&scenario, &apply).await;
    assert_eq!(row(&applied, "organization-policies")["outcome"], "fixed", "{applied}");
}

#[tokio::test]
async fn what_an_s3_policy_keeps_in_accounts_is_compliant_by_it_and_no_account_is_written() {
    let scenario = Scenario::with_document("version: 1").await;
    let content = r#"{"s3_attributes": {"public_access_block_configuration": {"@@assign": "none"}}}"#;
    scenario.stack.put_policy("s3.json", content).await.expect("a file");
    let block = "version: 1\ndefaults: {s3-public-access-block: {}}\n";
    let entry = "{name: s3, type: S3_POLICY, file: s3.json, targets: [/Workloads]}";
    scenario.put_document(&format!("{block}organization:\n  organization-policies: [{entry}]\n")).await;
    prepare(&scenario, &json!({"mode": "apply", "controls": ["organization-policies"]})).await;
    let since = scenario.cloud.sequence();
    let input = json!({"account_ids": [scenario.member()], "mode": "apply"});
    let by_policy = scenario.stack.baseline(&input).await.expect("the applier answers")["rows"].clone();
    let of = |rows: &Value| {
        let rows = rows.as_array().into_iter().flatten();
        rows.into_iter().find(|row| row["control"] == "s3-public-access-block").expect("a row").clone()
    };
    assert_eq!(of(&by_policy)["outcome"], "compliant", "{by_policy}");
    let note = of(&by_policy)["notes"].to_string();
    assert!(note.contains("An S3 policy of the organization keeps the settings"), "{note}");
    let writes = scenario.cloud.calls().since(since).by_account(&scenario.member());
    assert!(writes.iter().all(|call| call.operation != "PutPublicAccessBlock"));

    let id = policy(&scenario, "S3_POLICY", "s3").await.expect("the policy")["PolicySummary"]["Id"].clone();
    let loose = json!({"PolicyId": id, "TargetId": scenario.organization.unit_id("/Workloads")});
    scenario.stack.client.json("organizations", "DetachPolicy", loose).await.expect("the policy is detached");
    let own = scenario.stack.baseline(&input).await.expect("the applier answers")["rows"].clone();
    assert_eq!(of(&own)["outcome"], "fixed", "{own}");
}

#[tokio::test]
async fn a_policy_on_trial_reaches_its_test_target_alone_until_the_trial_is_over() {
    let scenario = Scenario::with_document("version: 1").await;
    scenario.stack.put_policy("leave.json", LEAVE).await.expect("a file");
    let document = |trial: &str| {
        format!(
            "version: 1\norganization:\n  organization-policies:\n  - {{name: leave, type: SERVICE_CONTROL_POLICY, \
             file: leave.json, targets: [/]{trial}}}\n"
        )
    };
    let apply = json!({"mode": "apply", "controls": ["organization-policies"]});
    let at = async |target: String| {
        let input = json!({"TargetId": target, "Filter": "SERVICE_CONTROL_POLICY"});
        let listed =
            scenario.stack.client.json("organizations", "ListPoliciesForTarget", input).await.expect("policies");
        let names = listed["Policies"].as_array().into_iter().flatten().filter_map(|policy| policy["Name"].as_str());
        names.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let (root, test) =
        (scenario.organization.root_id(), scenario.organization.unit_id("/Workloads/Sandbox").expect("a unit"));
    scenario.put_document(&document(", test_target: /Workloads/Sandbox")).await;
    let tried = prepare(&scenario, &apply).await;
    assert_eq!(row(&tried, "organization-policies")["outcome"], "fixed", "{tried}");
    assert_eq!(
        (at(root.clone()).await, at(test.clone()).await),
        (vec!["FullAWSAccess".to_owned()], vec!["FullAWSAccess".to_owned(), "leave-test".to_owned()],)
    );
    scenario.put_document(&document("")).await;
    let done = prepare(&scenario, &apply).await;
    let done = row(&done, "organization-policies");
    assert_eq!(done["outcome"], "fixed", "{done}");
    assert!(done["notes"].to_string().contains("leave-test is left of a trial"), "{done}");
    assert_eq!(at(root).await, ["FullAWSAccess", "leave"]);
    assert_eq!(at(test).await, ["FullAWSAccess", "leave-test"], "nothing is detached");
}

#[tokio::test]
async fn power_over_others_goes_to_nobody_whom_the_stack_does_not_name() {
    let scenario = Scenario::own(&[]).await;
    let member = scenario.member();
    let apply = json!({"mode": "apply", "delegated_administrators": {"iam.amazonaws.com": member}});
    let refused = scenario.stack.invoke("OrganizationPreparerFunction", &apply).await.unwrap_err().to_string();
    assert!(refused.contains("DelegatedAdministrators") && refused.contains(&member), "{refused}");
    // Not even with the credentials of the role that writes.
    let client = &scenario.stack.client;
    let roles = client.query("iam", "ListRoles", "2010-05-08", &[]).await.unwrap().texts("Arn");
    let writer = roles.iter().find(|role| role.contains("OrganizationPreparerWriter")).expect("the writer");
    let resource = format!(
        "arn:aws:organizations::{}:account/{}/{member}",
        scenario.organization.management_account(),
        scenario.organization.id()
    );
    let input = [
        ("PolicySourceArn", writer.as_str()),
        ("ActionNames.member.1", "organizations:RegisterDelegatedAdministrator"),
        ("ResourceArns.member.1", &resource),
    ];
    let answer = client.query("iam", "SimulatePrincipalPolicy", "2010-05-08", &input).await.unwrap();
    assert_eq!(answer.text("EvalDecision").as_deref(), Some("implicitDeny"));
}

#[tokio::test]
async fn a_plan_calls_nothing_that_writes_and_enters_no_role() {
    let scenario = Scenario::own(&[]).await;
    scenario.unprepare();
    prepare(&scenario, &json!({"mode": "plan"})).await;
    let calls = scenario.cloud.calls().by_function("organization-preparer");
    let actions = calls.by_account(scenario.organization.management_account()).actions();
    assert!(!actions.is_empty());
    let reads = |action: &String| {
        let (_, operation) = action.split_once(':').expect("service:Action");
        ["List", "Describe", "Get"].iter().any(|verb| operation.starts_with(verb))
    };
    assert!(actions.iter().all(reads), "{actions:?}");
}

#[tokio::test]
async fn a_denied_step_says_which_and_the_others_are_taken() {
    let scenario = Scenario::own(&[]).await;
    scenario.unprepare();
    without(&scenario, "organization-preparer-writer", "iam:EnableOrganizationsRootSessions").await;
    let answer = prepare(&scenario, &json!({"mode": "apply"})).await;
    let features = row(&answer, "root-features");
    assert_eq!(features["applied"], json!(["enable the root feature RootCredentialsManagement"]), "{answer}");
    assert_eq!((&features["outcome"], &features["failure"]["cause"]), (&json!("unknown"), &json!("AccessDenied")));
    let failure = &features["failure"];
    assert!(failure["message"].as_str().unwrap().contains("iam:EnableOrganizationsRootSessions"), "{answer}");
    assert!(failure["remedy"].as_str().unwrap().contains("permission"), "{answer}");
    let done = outcomes(&answer);
    assert_eq!((done["trusted-access"], done["billing-alerts"]), ("fixed", "fixed"), "{answer}");
}

#[tokio::test]
async fn without_permission_to_read_the_answer_names_the_call_and_the_remedy() {
    let scenario = Scenario::own(&[]).await;
    without(&scenario, "organization-preparer", "organizations:ListAWSServiceAccessForOrganization").await;
    let answer = prepare(&scenario, &json!({"controls": ["trusted-access"]})).await;
    let failure = row(&answer, "trusted-access")["failure"].to_string();
    for word in ["AccessDenied", "organizations:ListAWSServiceAccessForOrganization", "permission"] {
        assert!(failure.contains(word), "{word}: {failure}");
    }
}

#[tokio::test]
async fn a_member_account_learns_where_the_function_belongs() {
    let scenario = Scenario::shared().await;
    let organization = Scenario::own(&[]).await.organization;
    let email = format!("shop@{}.example.com", organization.management_account());
    let member = organization.account_with_email(&email).unwrap();
    let package = Package::of(&scenario.stack).await.unwrap();
    let stack = package.deploy(scenario.cloud, &member, &format!("steward-{member}"), &[]).await.unwrap();
    let refused = stack.invoke("OrganizationPreparerFunction", &json!({"mode": "apply"})).await.unwrap_err();
    let refused = refused.to_string();
    for word in
        ["NotManagementAccount", organization.management_account(), "Deploy Steward into the management account"]
    {
        assert!(refused.contains(word), "{word}: {refused}");
    }
}
