//! What members forward of themselves, and that it is noticed when they do not any more.

use harness::deploy_account_stack;
use local_cloud::AwsClient;
use serde_json::{Value, json};

use crate::{
    compliance_sweep::{cells, report, sweep},
    scenario::Scenario,
};

const DOCUMENT: &str = "version: 1\ndefaults:\n  member-events: {}\n";

/// Deploys what forwards a member's own events to the management account.
pub(crate) async fn forward_events(scenario: &Scenario, member: &AwsClient) {
    let (own, bus) = (scenario.organization.management_account(), scenario.stack.output("MemberBusName"));
    let parameters = [("ManagementAccountId", own), ("BusName", bus)];
    deploy_account_stack(member, "member-events", &parameters).await.expect("the member's stack");
}

/// The rules by which an account forwards its events.
async fn forwarders(scenario: &Scenario, member: &AwsClient) -> Vec<String> {
    let (own, bus) = (scenario.organization.management_account(), scenario.stack.output("MemberBusName"));
    let target = json!({"TargetArn": format!("arn:aws:events:us-east-1:{own}:event-bus/{bus}")});
    let answer = member.json("events", "AWSEvents.ListRuleNamesByTarget", target).await.expect("the rules are listed");
    let names = answer["RuleNames"].as_array().expect("names").iter();
    names.map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// Somebody turns off, or on again, the rule by which an account forwards what is changed in it.
pub(crate) async fn turn(scenario: &Scenario, account: &str, operation: &str) {
    let member = scenario.cloud.client(account);
    let rules = forwarders(scenario, &member).await;
    let rule = rules.iter().find(|name| !name.contains("RootSession")).expect("a rule");
    member.json("events", &format!("AWSEvents.{operation}"), json!({"Name": rule})).await.expect("the rule is turned");
}

#[tokio::test]
async fn an_account_that_deletes_what_forwards_its_events_is_reported_by_the_next_sweep() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = scenario.member();
    let member = scenario.cloud.client(&account);
    let seen = async || {
        sweep(&scenario).await;
        cells(&report(&scenario).await).remove(&(account.clone(), "member-events".to_owned())).expect("a row")
    };
    let plan = async || {
        let input = json!({"account_ids": [account], "controls": ["member-events"]});
        let answer = scenario.stack.baseline(&input).await.expect("the applier answers");
        answer["rows"][0].clone()
    };
    let lines = |row: &Value| row["planned"].as_array().expect("lines").len();
    let never = plan().await;
    assert_eq!((never["outcome"].as_str(), lines(&never)), (Some("drifted"), 2), "{never}");
    forward_events(&scenario, &member).await;
    assert_eq!(seen().await, "compliant", "{}", plan().await);

    let rules = forwarders(&scenario, &member).await;
    assert_eq!(rules.len(), 2, "{rules:?}");
    for rule in &rules {
        let targets = json!({"Rule": rule, "Ids": ["management"]});
        member.json("events", "AWSEvents.RemoveTargets", targets).await.expect("the target is removed");
        member.json("events", "AWSEvents.DeleteRule", json!({"Name": rule})).await.expect("the rule is deleted");
    }
    assert_eq!(seen().await, "drifted");
    let gone = plan().await;
    let first = gone["planned"][0].as_str().expect("a line");
    let expected = "by hand: deploy stacks/member-events.yaml again in us-east-1: no rule forwards what root users and";
    assert!(first.starts_with(expected) && lines(&gone) == 2, "{gone}");
}

#[tokio::test]
async fn an_account_whose_rules_forward_into_the_void_is_reported_with_what_they_lack() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    let account = scenario.member();
    let member = scenario.cloud.client(&account);
    forward_events(&scenario, &member).await;
    let roles = member.query("iam", "ListRoles", "2010-05-08", &[]).await.expect("the roles").texts("RoleName");
    let role = roles.iter().find(|name| name.contains("ForwarderRole")).expect("the role");
    let policy = [("RoleName", role.as_str()), ("PolicyName", "forward")];
    member.query("iam", "DeleteRolePolicy", "2010-05-08", &policy).await.expect("the policy is deleted");
    let input = json!({"account_ids": [account], "mode": "apply", "controls": ["member-events"]});
    let answer = scenario.stack.baseline(&input).await.expect("the applier answers");
    let row = &answer["rows"][0];
    assert_eq!(row["outcome"], "not_converged", "{row}");
    let first = row["remaining"][0].as_str().expect("a line");
    assert!(first.contains(&format!("the role {role} has no policy of its own by which it may put events")), "{row}");
}
