//! `organization-preparer`: what an organization lacks, shown and enabled.

use std::collections::BTreeMap;

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

/// A document that asks for a trail and an administrator.
fn document(member: &str) -> String {
    format!(
        "version: 1\norganization:\n  organization-trail: {{name: organization, bucket: steward-logs}}\n  \
         delegated-administrators: [{{service: account.amazonaws.com, account: '{member}'}}]\n"
    )
}

#[tokio::test]
async fn a_bare_organization_comes_to_its_document_in_one_plan_and_one_apply() {
    let scenario = Scenario::with_member_as("DelegatedAdministrators", "version: 1").await;
    scenario.unprepare();
    let (member, listener) = (scenario.member(), scenario.listen("prepared").await);
    scenario.put_document(&document(&member)).await;
    let mailbox = scenario.mailbox("prepared").await;
    let delegated = json!({TRUSTED[3]: member});
    let plan = json!({"delegated_administrators": delegated});
    let planned = prepare(&scenario, &plan).await;
    assert_eq!(planned["mode"], "plan", "nobody has said apply: {planned}");
    assert_eq!(planned["organization_id"], json!(scenario.organization.id()));
    let all = steps(&planned, "planned");
    assert_eq!(all.len(), 11, "four services, two root features, two administrators, alerts, a trail: {planned}");
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
        ["Enable", "Register", "Create", "Update", "Start"].iter().any(|verb| call.operation.starts_with(verb))
    });
    assert_eq!(writes.iter().count(), 0, "there is nothing to do twice");
}

#[tokio::test]
async fn what_somebody_has_broken_is_named_by_the_next_sweep_and_put_right_alone() {
    let scenario = Scenario::with_member_as("DelegatedAdministrators", "version: 1").await;
    let member = scenario.member();
    scenario.put_document(&document(&member)).await;
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
    sweep(&scenario).await;
    let broken = report(&scenario).await;
    let rows = broken["sweep"]["organization"]["checked"]["rows"].as_array().expect("rows");
    let open: BTreeMap<_, _> = rows
        .iter()
        .filter(|row| row["outcome"] != "compliant")
        .map(|row| (row["control"].as_str().unwrap(), row["planned"][0].as_str().unwrap_or_default()))
        .collect();
    let expected = [
        ("billing-alerts", "turn on CloudWatch billing alerts"),
        ("organization-trail", "let the trail organization record"),
        ("trusted-access", "enable trusted access for member.org.stacksets.cloudformation.amazonaws.com"),
    ];
    assert_eq!(open.keys().copied().collect::<Vec<_>>(), expected.map(|(check, _)| check), "{open:?}");
    assert!(expected.iter().all(|(check, step)| open[check].starts_with(step)), "{open:?}");
    let new =
        broken["new"].as_array().expect("changes").iter().filter(|change| change["account_name"] == "The organization");
    assert_eq!(new.count(), 3, "{}", broken["new"]);
    let csv = scenario.stack.report_object("latest/report.csv").await.expect("a report");
    assert!(csv.contains(&format!("{},The organization", scenario.organization.id())), "{csv:.500}");
    let page = scenario.stack.report_object("latest/report.html").await.expect("a page");
    assert!(page.contains("let the trail organization record"));
    let mail = mailbox.wait_for("sweep of 2 accounts", PATIENCE).await;
    assert!(mail.text.contains("3 found something wrong"), "{}", mail.text);

    let applied = prepare(&scenario, &json!({"mode": "apply"})).await;
    assert_eq!(steps(&applied, "applied").len(), 3, "{applied}");
    sweep(&scenario).await;
    let remediated = report(&scenario).await;
    assert_eq!(remediated["totals"]["organization"]["not_compliant"], 0, "{}", remediated["totals"]);
    assert_eq!(remediated["resolved"].as_array().map(Vec::len), Some(3), "{}", remediated["resolved"]);
    assert!(scenario.organization.has_billing_alerts());
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
    let stack = scenario.stack.copy(scenario.cloud, &member, &format!("steward-{member}"), &[]).await.unwrap();
    let refused = stack.invoke("OrganizationPreparerFunction", &json!({"mode": "apply"})).await.unwrap_err();
    let refused = refused.to_string();
    for word in
        ["NotManagementAccount", organization.management_account(), "Deploy Steward into the management account"]
    {
        assert!(refused.contains(word), "{word}: {refused}");
    }
}
