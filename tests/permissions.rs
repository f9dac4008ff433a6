//! Least privilege, both ways: what the functions call is what their deployed policies allow, no more and no less.

mod exercises;

use std::collections::BTreeSet;

use local_cloud::AwsError;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    controls, one_table,
    scenario::{Scenario, spec},
    template::functions,
};

/// The deployed inline policies of the functions' roles: role, policy name, document.
async fn policies(scenario: &Scenario) -> Result<Vec<(String, String, Value)>, AwsError> {
    let client = &scenario.stack.client;
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
pub(crate) async fn policy(scenario: &Scenario, policy: &str) -> (String, String, Value) {
    let all = policies(scenario).await.expect("the policies can be read");
    all.into_iter().find(|(_, name, _)| name == policy).expect("the policy")
}

/// Takes one action out of a deployed policy.
pub(crate) async fn without(scenario: &Scenario, policy: &str, action: &str) {
    let (role, name, mut document) = self::policy(scenario, policy).await;
    for statement in document["Statement"].as_array_mut().expect("statements") {
        if let Some(actions) = statement["Action"].as_array_mut() {
            actions.retain(|one| one != action);
        }
    }
    let document = document.to_string();
    let input = [("RoleName", role.as_str()), ("PolicyName", name.as_str()), ("PolicyDocument", document.as_str())];
    scenario.stack.client.query("iam", "PutRolePolicy", "2010-05-08", &input).await.expect("the policy is replaced");
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

/// The policy of the role by which functions work in the account that they run in.
const OWN_ACCOUNT: &str = "own-account";

/// Whether a policy is a function's own, or that of a second role which it assumes in its own account.
fn roles_of(function: &str, policy: &str) -> bool {
    policy.strip_prefix(function).is_some_and(|rest| rest.is_empty() || rest.starts_with("-writer"))
}

#[tokio::test]
async fn every_function_calls_exactly_what_its_policy_allows() {
    let scenario = Scenario::with_member_as_each(
        &["DelegatedAdministrators", "JumpAccountId"],
        controls::DOCUMENT,
        &[("EmailDomains", "new.example"), ("StackSetsToLeave", "closing"), ("AskCostExplorer", "yes")],
    )
    .await;
    exercises::every_way(&scenario).await;
    let policies = policies(&scenario).await.unwrap();
    let (mut of_actions, mut of_tables) = (Vec::new(), Vec::new());
    // Two functions work by this role, and what one of them does not call the other one does.
    let shared = policies.iter().filter(|(_, name, _)| name == OWN_ACCOUNT);
    let shared: BTreeSet<_> = shared.flat_map(|(_, _, document)| allowed(document)).collect();
    let mut never_called = shared.clone();
    for function in functions() {
        let function = function.as_str();
        let own = policies.iter().filter(|(_, name, _)| roles_of(function, name));
        let allowed: BTreeSet<_> = own.clone().flat_map(|(_, _, document)| allowed(document)).collect();
        let calls = scenario.cloud.calls().by_function(function).by_account(scenario.organization.management_account());
        // Whoever has credentials may ask who it is.
        let called: BTreeSet<_> =
            calls.actions().into_iter().filter(|action| action != "sts:GetCallerIdentity").collect();
        let works_in_own = ["baseline-applier", "compliance-checker"].contains(&function);
        never_called.retain(|action| !works_in_own || !called.contains(action));
        let is_by_own_role = |action: &&String| works_in_own && shared.contains(*action);
        let never: Vec<_> = allowed.difference(&called).collect();
        let denied: Vec<_> = called.difference(&allowed).filter(|action| !is_by_own_role(action)).collect();
        if !never.is_empty() || !denied.is_empty() {
            of_actions.push(format!("{function}: {never:?} are never called, {denied:?} are not allowed"));
        }
        // The same of the items of the tables.
        let touched = calls.iter().flat_map(|call| one_table::touched(call)).collect();
        let allowed = own.flat_map(|(_, _, document)| one_table::allowed(document)).collect();
        let differences = one_table::differences(&touched, &allowed).into_iter();
        of_tables.extend(differences.map(|difference| format!("{function}: {difference}")));
    }
    assert!(never_called.is_empty() && !shared.is_empty(), "{OWN_ACCOUNT}: {never_called:?} are never called");
    assert!(of_actions.is_empty() && of_tables.is_empty(), "{of_actions:#?} {of_tables:#?}");
}

#[tokio::test]
async fn without_one_permission_a_request_fails_and_says_which() {
    let scenario = Scenario::own(&[]).await;
    without(&scenario, "create-account-poller", "organizations:MoveAccount").await;

    let mut spec = spec("Not Moved");
    spec["organizational_unit"] = "/Workloads".into();
    let id = scenario.request(&spec).await;
    let progress = scenario.end_of(&id).await;
    let failure = &progress.record["state"]["failure"];
    assert_eq!((progress.state(), failure["cause"].as_str()), ("FAILED", Some("AccessDenied")), "{}", progress.record);
    assert!(failure["message"].as_str().unwrap().contains("organizations:MoveAccount"), "{failure}");
    assert!(progress.account_id().is_some(), "the account that exists is named");
}
