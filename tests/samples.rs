//! The samples in `events`: each is what its function is really sent.

use payloads::Sample;
use serde_json::{Value, json};

use crate::scenario::Scenario;

/// The functions that hear of AWS's own events, and the outputs that name them.
const LISTENERS: [(&str, &str); 2] =
    [("activity-auditor", "ActivityAuditorFunction"), ("region-opt-auditor", "RegionOptAuditorFunction")];

/// The targets of the rules on the account's own bus whose patterns an event matches, as EventBridge says.
async fn targets(scenario: &Scenario, event: &Value) -> Vec<String> {
    let client = &scenario.stack.client;
    // The rules believe what is recorded in the management account, whose id is another in each organization.
    let mut event = event.clone();
    event["account"] = scenario.organization.management_account().into();
    let rules = client.json("events", "ListRules", json!({"Limit": 100})).await.expect("the rules");
    let mut found = Vec::new();
    for rule in rules["Rules"].as_array().into_iter().flatten() {
        let Some(pattern) = rule["EventPattern"].as_str() else { continue };
        let test = json!({"EventPattern": pattern, "Event": event.to_string()});
        if client.json("events", "TestEventPattern", test).await.expect("an answer")["Result"] == true {
            let input = json!({"Rule": rule["Name"]});
            let targets = client.json("events", "ListTargetsByRule", input).await.expect("the targets");
            found.extend(targets["Targets"].as_array().into_iter().flatten().map(|target| target["Arn"].to_string()));
        }
    }
    found
}

#[tokio::test]
async fn every_sample_matches_a_rule_that_leads_to_its_function_and_is_understood_there() {
    let scenario = Scenario::shared().await;
    for (function, output) in LISTENERS {
        let queue = if function == "activity-auditor" { "ActivityQueueUrl" } else { "RegionAuditQueueUrl" };
        let queue = scenario.stack.output(queue).rsplit('/').next().expect("a name").to_owned();
        for Sample { name, payload: event } in payloads::of(function) {
            let targets = targets(&scenario, &event).await;
            let leads_there = targets.iter().filter(|arn| arn.contains(&queue)).count();
            assert_eq!(leads_there, 1, "events/{function}/{name} goes to {targets:?}");
            let answer = scenario.stack.invoke(output, &event).await;
            assert!(answer.as_ref().is_ok_and(|answer| answer["audited"].is_string()), "{name}: {answer:?}");
        }
    }
}
