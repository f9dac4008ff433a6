//! `organization-preparer`: what an organization lacks, shown and enabled.

use serde_json::{Value, json};

use crate::{
    permissions::without,
    scenario::{PATIENCE, Scenario, TRUSTED},
};

async fn prepare(scenario: &Scenario, input: &Value) -> Value {
    scenario.stack.invoke("OrganizationPreparerFunction", input).await.expect("the preparer answers")
}

fn steps(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|step| step["what"].as_str()).collect()
}

#[tokio::test]
async fn a_bare_organization_is_planned_prepared_and_has_nothing_left_to_plan() {
    let scenario = Scenario::with_member_as("DelegatedAdministrators", "version: 1").await;
    scenario.unprepare();
    let (member, listener) = (scenario.member(), scenario.listen("prepared").await);
    let mailbox = scenario.mailbox("prepared").await;
    let delegated = json!({"account.amazonaws.com": member, TRUSTED[3]: member});
    let plan = json!({"delegated_administrators": delegated});
    let planned = prepare(&scenario, &plan).await;
    assert_eq!(planned["mode"], "plan", "nobody has said apply: {planned}");
    assert_eq!(planned["organization_id"], json!(scenario.organization.id()));
    let all = steps(&planned["planned"]);
    assert_eq!(all.len(), 8, "four services, two root features, two administrators: {planned}");
    let places = planned["by_hand"].as_array().unwrap().iter().map(|item| item["at"].as_str().unwrap());
    assert!(places.clone().count() >= 4 && places.clone().all(|at| at.starts_with("https://")), "{planned}");

    let apply = json!({"mode": "apply", "delegated_administrators": delegated});
    let applied = prepare(&scenario, &apply).await;
    assert_eq!(steps(&applied["applied"]), all, "{applied}");
    assert_eq!((&applied["failed"], &applied["remaining"]), (&Value::Null, &Value::Null), "{applied}");

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

    assert_eq!(prepare(&scenario, &plan).await["planned"], json!([]));
    assert_eq!(prepare(&scenario, &apply).await["applied"], json!([]), "there is nothing to do twice");
    let listed = scenario.stack.client.json("organizations", "ListDelegatedAdministrators", json!({})).await.unwrap();
    assert_eq!(listed["DelegatedAdministrators"].as_array().unwrap().len(), 2, "{listed}");
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
    assert_eq!(steps(&answer["applied"]).len(), 5, "{answer}");
    assert_eq!(steps(&answer["failed"]), ["enable the root feature RootSessions"], "{answer}");
    let failed = &answer["failed"][0];
    assert_eq!(failed["cause"], "AccessDenied", "{answer}");
    assert!(failed["message"].as_str().unwrap().contains("iam:EnableOrganizationsRootSessions"), "{answer}");
    assert!(failed["remedy"].as_str().unwrap().contains("permission"), "{answer}");
    assert_eq!(steps(&answer["remaining"]), ["enable the root feature RootSessions"], "{answer}");
}

#[tokio::test]
async fn without_permission_to_read_the_answer_names_the_call_and_the_remedy() {
    let scenario = Scenario::own(&[]).await;
    without(&scenario, "organization-preparer", "organizations:ListAWSServiceAccessForOrganization").await;
    let refused = scenario.stack.invoke("OrganizationPreparerFunction", &json!({})).await.unwrap_err().to_string();
    for word in ["AccessDenied", "organizations:ListAWSServiceAccessForOrganization", "permission"] {
        assert!(refused.contains(word), "{word}: {refused}");
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
