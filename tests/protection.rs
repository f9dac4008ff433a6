//! Protected accounts: looked at or left out, and never changed, whoever asks.

use local_cloud::{AwsClient, Call};
use serde_json::{Value, json};

use crate::{
    one_table,
    scenario::{PATIENCE, Scenario, TRUSTED},
    template::{resources, template},
};

const DOCUMENT: &str = "
version: 1
defaults:
  account-alias: {alias: \"steward-{account_id}\"}
  root-credentials: {}
  alternate-contacts:
    security: {name: Security, title: On call, email: security@example.com, phone: \"+1 555 0100\"}
remediate: [account-alias, root-credentials, alternate-contacts]
";

/// What was changed in the account, or for it from the management account.
fn changes(scenario: &Scenario, account: &str, since: u64) -> Vec<String> {
    let of_account = |call: &Call| {
        let is_about = ["account", "organizations"].contains(&call.service.as_str());
        call.account.as_deref() == Some(account) || is_about && call.input.to_string().contains(account)
    };
    let reads = ["Get", "List", "Describe"];
    let changes = |action: &String| {
        let (_, name) = action.split_once(':').expect("an action");
        !reads.iter().any(|verb| name.starts_with(verb))
    };
    scenario.cloud.calls().since(since).only(of_account).actions().into_iter().filter(changes).collect()
}

async fn sweep(scenario: &Scenario) {
    let execution = scenario.stack.start_sweep().await.expect("the sweep starts");
    scenario.stack.end_of_sweep(&execution, PATIENCE * 2).await;
}

fn row<'a>(answer: &'a Value, control: &str) -> &'a Value {
    let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("{answer}"));
    rows.iter().find(|row| row["control"] == control).unwrap_or_else(|| panic!("{control}: {answer}"))
}

#[tokio::test]
async fn what_the_document_protects_is_looked_at_by_all_and_changed_by_nobody() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = scenario.member();
    scenario.put_document(&format!("{DOCUMENT}protected: {{accounts: [\"{account}\"]}}\n")).await;
    scenario.stack.watch_for_years().await.expect("the table takes it");
    let since = scenario.cloud.sequence();

    let answer = scenario.stack.baseline(&json!({"account_ids": [account], "mode": "apply"})).await.unwrap();
    for control in ["account-alias", "root-credentials", "alternate-contacts"] {
        let row = row(&answer, control);
        assert_eq!(row["outcome"], "drifted", "{row}");
        assert!(row["notes"].to_string().contains("protected by the baseline document"), "{row}");
    }
    sweep(&scenario).await;
    assert_eq!(changes(&scenario, &account, since), [""; 0]);
    assert!(scenario.organization.root_credentials_of(&account).password, "the root password is still there");
}

/// What the policies of a role say of an action on a resource.
async fn verdict(client: &AwsClient, role: &str, action: &str, resource: &str) -> String {
    let input = [("PolicySourceArn", role), ("ActionNames.member.1", action), ("ResourceArns.member.1", resource)];
    let answer = client.query("iam", "SimulatePrincipalPolicy", "2010-05-08", &input).await.expect("a verdict");
    answer.text("EvalDecision").expect("a decision")
}

/// What the roles of the template's schedules are called after.
fn schedules(template: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (id, resource) in template["Resources"].as_object().expect("resources") {
        for (name, source) in resource["Properties"]["Events"].as_object().into_iter().flatten() {
            if source["Type"] == "ScheduleV2" {
                found.push(format!("{id}{name}"));
            }
        }
    }
    found
}

#[tokio::test]
async fn the_stack_keeps_every_role_of_its_own_out_of_a_protected_account() {
    let scenario = Scenario::with_member_as("ProtectedAccounts", DOCUMENT).await;
    let (account, client) = (scenario.member(), &scenario.stack.client);
    scenario.stack.watch_for_years().await.expect("the table takes it");
    let since = scenario.cloud.sequence();

    let answer = scenario.stack.baseline(&json!({"account_ids": [account], "mode": "apply"})).await.unwrap();
    for control in ["account-alias", "root-credentials"] {
        assert!(row(&answer, control)["why"].to_string().contains("ProtectedAccounts"), "{answer}");
    }
    assert!(row(&answer, "alternate-contacts")["notes"].to_string().contains("ProtectedAccounts"), "{answer}");
    for (task, mode) in [("audit-credentials", "plan"), ("delete-credentials", "plan"), ("delete-credentials", "apply")]
    {
        let input = json!({"task": task, "reason": "x", "mode": mode, "account_ids": [account]});
        let answer = scenario.stack.invoke("RootTaskRunnerFunction", &input).await.unwrap();
        assert_eq!(answer["rows"][0]["outcome"], "refused", "{answer}");
    }
    sweep(&scenario).await;
    assert_eq!(changes(&scenario, &account, since), [""; 0]);
    let entered = scenario.cloud.calls().since(since).by_account(&account);
    assert!(entered.is_empty(), "{:?}", entered.actions());

    // Also where the code is not asked: with a function's own credentials.
    let management = scenario.organization.management_account();
    let organization = scenario.organization.id();
    let calls = [
        ("sts:AssumeRole", format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole")),
        ("sts:AssumeRoot", format!("arn:aws:iam::{account}:root")),
        ("account:PutAlternateContact", format!("arn:aws:account::{management}:account/{organization}/{account}")),
        ("account:EnableRegion", format!("arn:aws:account::{management}:account/{organization}/{account}")),
        ("organizations:MoveAccount", format!("arn:aws:organizations::{management}:account/{organization}/{account}")),
        ("organizations:CloseAccount", format!("arn:aws:organizations::{management}:account/{organization}/{account}")),
    ];
    let roles = client.query("iam", "ListRoles", "2010-05-08", &[]).await.unwrap().texts("Arn");
    let template = template();
    let schedules = schedules(&template);
    let (mut denied, mut others) = (0, 0);
    for role in roles.iter().filter(|role| role.contains(scenario.stack.name())) {
        for (action, resource) in &calls {
            match verdict(client, role, action, resource).await.as_str() {
                "explicitDeny" => denied += 1,
                // SAM makes a role for each schedule, which may start one thing.
                "implicitDeny" if schedules.iter().any(|schedule| role.contains(schedule)) => others += 1,
                verdict => panic!("{role} {action}: {verdict}"),
            }
        }
    }
    let expected = (resources(&template, "AWS::IAM::Role").len() * calls.len(), schedules.len() * calls.len());
    assert_eq!((denied, others), expected, "{roles:?}");
}

#[tokio::test]
async fn an_account_of_another_organization_is_not_entered_although_its_role_trusts_the_management_account() {
    let scenario = Scenario::own(&[]).await;
    let management = scenario.organization.management_account();
    let (stranger, lonely) = (scenario.cloud.new_account_id(), scenario.cloud.new_account_id());
    let other = scenario.cloud.organization(&stranger).create().await.expect("another organization");
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": management}, "Action": "sts:AssumeRole"}]});
    for account in [&stranger, &lonely] {
        let input = [("RoleName", "OrganizationAccountAccessRole"), ("AssumeRolePolicyDocument", &trust.to_string())];
        scenario.cloud.client(account).query("iam", "CreateRole", "2010-05-08", &input).await.expect("a role");
    }
    for function in ["baseline-applier", "compliance-checker"] {
        let function = one_table::as_function(&scenario, function).await;
        let enter = async |account: &str| {
            let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
            function.assume_role(&role, "somebody", None).await.map(drop).map_err(|error| error.code)
        };
        assert_eq!(enter(&scenario.member()).await, Ok(()));
        for account in [&stranger, &lonely] {
            assert_eq!(enter(account).await, Err("AccessDenied".to_owned()), "{account}, of {}", other.id());
        }
    }
}

#[tokio::test]
async fn while_the_switch_is_on_every_apply_is_a_plan() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = scenario.member();
    scenario.stack.watch_for_years().await.expect("the table takes it");
    let switch = json!({"pk": {"S": "switch"}, "why": {"S": "Ticket 8"}});
    scenario.stack.put_item(&switch).await.expect("the table takes it");
    let since = scenario.cloud.sequence();

    let apply = json!({"account_ids": [account], "mode": "apply"});
    let answer = scenario.stack.baseline(&apply).await.unwrap();
    for control in ["account-alias", "root-credentials", "alternate-contacts"] {
        let row = row(&answer, control);
        assert_eq!(row["outcome"], "drifted", "{row}");
        assert!(row["notes"].to_string().contains("switch is on"), "{row}");
    }
    let delete = json!({"task": "delete-credentials", "reason": "x", "mode": "apply", "account_ids": [account]});
    let answer = scenario.stack.invoke("RootTaskRunnerFunction", &delete).await.unwrap();
    assert_eq!(answer["rows"][0]["outcome"], "refused", "{answer}");
    let refused = async |function: &str, input: Value| {
        let refused = scenario.stack.invoke(function, &input).await.expect_err("it is refused").to_string();
        assert!(refused.contains("SwitchedOff"), "{function}: {refused}");
    };
    refused("RootTaskRunnerFunction", json!({"task": "disable", "reason": "x", "mode": "apply"})).await;
    scenario.organization.set_trusted_access(TRUSTED[2], false);
    refused("OrganizationPreparerFunction", json!({"mode": "apply"})).await;
    sweep(&scenario).await;
    assert_eq!(changes(&scenario, &account, since), [""; 0]);
}
