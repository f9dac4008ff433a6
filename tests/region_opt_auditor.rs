//! Regions that are enabled and disabled, judged by the baseline document, told once, and remediated.

use std::time::Duration;

use futures_util::future::join_all;
use harness::{PublishedEvent, eventually};
use local_cloud::{Fault, FaultKind, Method};
use serde_json::{Value, json};

use crate::member_events::forward_events;
use crate::scenario::{PATIENCE, Scenario};

/// Only Zurich may be used beyond the regions that AWS enables by default.
const DOCUMENT: &str = "
version: 1
defaults:
  regions: {enabled: [eu-central-2], others: disable}
overrides:
  - match: {organizational_unit: /Workloads/Sandbox}
    regions: {others: leave}
";
const REMEDIATE: &str = "remediate: [regions]\n";

struct RegionScenario {
    scenario: Scenario,
    account: String,
}

impl RegionScenario {
    /// An organization with this document and an account in `/Workloads`, whose regions change within a second.
    async fn new(document: &str) -> Self {
        let scenario = Scenario::with_document(document).await;
        scenario.organization.set_region_time(Duration::from_secs(20));
        let account = scenario.member();
        Self { scenario, account }
    }

    fn status(&self, region: &str) -> Option<&'static str> {
        self.scenario.organization.regions_of(&self.account).status(region)
    }

    /// Somebody in the management account changes a region of the member.
    async fn change(&self, path: &str, region: &str) {
        let body = json!({"AccountId": self.account, "RegionName": region}).to_string();
        self.scenario.stack.client.rest("account", Method::POST, path, body).await.expect("the region is changed");
    }

    async fn audit(&self, event: &Value) -> Value {
        self.scenario.stack.invoke("RegionOptAuditorFunction", event).await.expect("the auditor answers")
    }
}

/// News of a region, as AWS words it.
fn news(account: &str, region: &str, status: &str, time: &str) -> Value {
    json!({
        "version": "0", "id": format!("{account}-{region}-{status}-{time}"), "detail-type": "Region Opt-In Status Change",
        "source": "aws.account", "account": "999999999999", "time": time, "region": "us-east-1", "resources": [],
        "detail": {"accountId": account, "regionName": region, "status": status},
    })
}

#[tokio::test]
async fn a_region_that_a_member_enables_against_the_document_is_reported_with_who_and_disabled_again() {
    let region_scenario = RegionScenario::new(&format!("{DOCUMENT}{REMEDIATE}")).await;
    let listener = region_scenario.scenario.listen("regions-remediated").await;
    // Everything comes twice, and in any order.
    region_scenario.scenario.organization.set_region_events(2, Duration::ZERO);
    region_scenario.scenario.organization.set_event_spread(Duration::from_secs(20));
    let member = region_scenario.scenario.cloud.client(&region_scenario.account);
    forward_events(&region_scenario.scenario, &member).await;
    // AWS takes minutes to hours for it; the record of the call must be heard before, also on a busy machine.
    region_scenario.scenario.organization.set_region_time(Duration::from_mins(5));
    let body = json!({"RegionName": "eu-south-1"}).to_string();
    member.rest("account", Method::POST, "/enableRegion", body).await.expect("the region is enabled");

    let published = listener.wait_for("RegionPolicyViolated", "status", "ENABLED", PATIENCE).await;
    region_scenario.scenario.organization.set_region_time(Duration::from_secs(20));
    assert_eq!(published.detail["account_id"], region_scenario.account.as_str(), "{}", published.detail);
    assert_eq!((&published.detail["region"], &published.detail["remediated"]), (&json!("eu-south-1"), &json!(true)));
    assert_eq!(published.detail["requested_by"]["kind"], "root", "{}", published.detail);
    assert_eq!(published.detail["cause"], "RegionPolicyViolated");
    assert!(published.detail["message"].as_str().unwrap().contains("eu-south-1 is ENABLED"), "{}", published.detail);
    eventually("the region to be disabled again", PATIENCE, async || {
        (region_scenario.status("eu-south-1") == Some("DISABLED")).then_some(())
    })
    .await;
    let back = listener.wait_for("RegionOptAudited", "status", "DISABLED", PATIENCE).await;
    assert_eq!(back.detail["region"], "eu-south-1");
    assert!(listener.all("BaselineIncomplete").await.is_empty());
    for detail_type in ["RegionPolicyViolated", "RegionOptAudited"] {
        let published = listener.all(detail_type).await;
        let states: std::collections::BTreeSet<_> =
            published.iter().map(|t| (t.detail["status"].to_string(), t.detail["at"].to_string())).collect();
        assert_eq!(published.len(), states.len(), "{published:?}");
    }
}

#[tokio::test]
async fn a_region_that_is_allowed_leaves_nothing_but_the_audit() {
    let region_scenario = RegionScenario::new(&format!("{DOCUMENT}{REMEDIATE}")).await;
    let listener = region_scenario.scenario.listen("regions-allowed").await;
    let since = region_scenario.scenario.cloud.sequence();
    region_scenario.change("/enableRegion", "eu-central-2").await;
    let published = listener.wait_for("RegionOptAudited", "status", "ENABLED", PATIENCE).await;
    assert_eq!(published.detail["document_says"], "the document wants eu-central-2 enabled");
    assert!(listener.all("RegionPolicyViolated").await.is_empty());
    let writes = region_scenario
        .scenario
        .cloud
        .calls()
        .since(since)
        .by_function("region-opt-auditor")
        .by_account(region_scenario.scenario.organization.management_account())
        .only(|call| call.service == "account");
    assert!(writes.is_empty(), "nothing is remediated: {writes:?}");
    assert_eq!(region_scenario.status("eu-central-2"), Some("ENABLED"));
}

#[tokio::test]
async fn nothing_is_undone_by_a_document_that_names_a_unit_that_is_not_there() {
    let renamed = DOCUMENT.replace("/Workloads/Sandbox", "/Workloads/Renamed");
    let region_scenario = RegionScenario::new(&format!("{renamed}{REMEDIATE}")).await;
    let listener = region_scenario.scenario.listen("regions-unmatched").await;
    region_scenario.change("/enableRegion", "eu-south-1").await;
    let published = listener.wait_for("RegionPolicyViolated", "status", "ENABLED", PATIENCE).await;
    assert_eq!(published.detail["remediated"], false, "{}", published.detail);
    let input = json!({"account_ids": [region_scenario.account], "mode": "plan", "controls": ["regions"]});
    let answer = region_scenario.scenario.stack.baseline(&input).await.unwrap();
    let unmatched = json!([{"path": "overrides[0].match.organizational_unit", "names": "/Workloads/Renamed"}]);
    assert_eq!(answer["unmatched"], unmatched, "{answer}");
    let input = json!({"account_ids": [region_scenario.account], "mode": "apply", "controls": ["regions"]});
    let refused = region_scenario.scenario.stack.baseline(&input).await.unwrap_err().to_string();
    assert!(refused.contains("BaselineSelectorUnmatched") && refused.contains("/Workloads/Renamed"), "{refused}");
    assert_eq!(region_scenario.status("eu-south-1"), Some("ENABLED"));
}

#[tokio::test]
async fn without_remediation_a_violation_is_reported_and_left_alone() {
    let region_scenario = RegionScenario::new(DOCUMENT).await;
    let listener = region_scenario.scenario.listen("regions-left").await;
    region_scenario.scenario.organization.set_region_events(2, Duration::ZERO);
    region_scenario.change("/enableRegion", "eu-south-1").await;
    for status in ["ENABLING", "ENABLED"] {
        let published = listener.wait_for("RegionPolicyViolated", "status", status, PATIENCE).await;
        assert_eq!(published.detail["remediated"], false);
    }
    // Whatever is still on its way is behind this one in the queue.
    let marker = news(&region_scenario.account, "eu-central-2", "ENABLED", "2026-01-01T00:00:00Z");
    region_scenario.scenario.stack.send("RegionAuditQueueUrl", &marker.to_string()).await.unwrap();
    listener.wait_for("RegionOptAudited", "region", "eu-central-2", PATIENCE).await;
    assert_eq!(listener.all("RegionPolicyViolated").await.len(), 2, "each state once, although each event came twice");
    assert_eq!(region_scenario.status("eu-south-1"), Some("ENABLED"));
}

#[tokio::test]
async fn what_cannot_be_judged_is_a_finding_and_no_crash() {
    let region_scenario = RegionScenario::new(DOCUMENT).await;
    let listener = region_scenario.scenario.listen("regions-odd").await;
    let stranger = region_scenario.scenario.cloud.new_account_id();
    let time = "2026-09-30T06:51:08Z";
    for (event, cause) in [
        (news(&stranger, "eu-south-1", "ENABLED", time), "AccountNotInOrganization"),
        (news(&region_scenario.account, "eu-south-1", "HALF_ENABLED", time), "RegionChangeNotJudged"),
        (news(&region_scenario.account, "not a region", "ENABLED", time), "RegionChangeNotJudged"),
        // A region of the future is judged like any other.
        (news(&region_scenario.account, "xx-north-9", "ENABLED", time), "RegionPolicyViolated"),
    ] {
        let answer = region_scenario.audit(&event).await;
        assert_eq!((&answer["audited"], &answer["remediated"]), (&json!("violated"), &json!(false)), "{answer}");
        let (account, region) = (&event["detail"]["accountId"], &event["detail"]["regionName"]);
        let published = listener.wait_for("RegionPolicyViolated", "region", region.as_str().unwrap(), PATIENCE).await;
        assert!(published.detail["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()));
        let all = listener.all("RegionPolicyViolated").await;
        let is_it = |published: &&PublishedEvent| {
            published.detail["account_id"] == *account && published.detail["cause"] == cause
        };
        assert!(all.iter().any(|published| is_it(&published)), "{cause}: {all:?}");
        assert_eq!(region_scenario.audit(&event).await["audited"], "again");
    }
}

#[tokio::test]
async fn a_message_about_nothing_ends_in_the_dead_letter_queue() {
    let region_scenario = RegionScenario::new(DOCUMENT).await;
    let stack = &region_scenario.scenario.stack;
    let soon = json!({"QueueUrl": stack.output("RegionAuditQueueUrl"), "Attributes": {"VisibilityTimeout": "1"}});
    stack.client.json("sqs", "SetQueueAttributes", soon).await.unwrap();
    let nothing = r#"{"detail-type": "Region Opt-In Status Change", "source": "aws.account", "detail": {}}"#;
    stack.send("RegionAuditQueueUrl", nothing).await.unwrap();
    let dead = eventually("the message among the dead letters", PATIENCE, async || {
        stack.peek("RegionAuditDeadLettersUrl").await.ok()?.pop()
    })
    .await;
    assert_eq!(dead, nothing);
}

#[tokio::test]
async fn a_region_is_remediated_although_aws_throttles_fails_and_is_still_at_work() {
    let region_scenario = RegionScenario::new(&format!("{DOCUMENT}{REMEDIATE}")).await;
    let listener = region_scenario.scenario.listen("regions-faults").await;
    let faults = [
        Fault::new(FaultKind::Throttle).operation("account", "DisableRegion"),
        Fault::new(FaultKind::Unavailable(500)).operation("account", "ListRegions"),
        Fault::new(FaultKind::Reset).operation("organizations", "DescribeAccount"),
    ]
    .map(|fault| {
        let management = region_scenario.scenario.organization.management_account();
        region_scenario.scenario.fault(fault.function("region-opt-auditor").account(management).times(1))
    });
    region_scenario.change("/enableRegion", "eu-south-2").await;
    listener.wait_for("RegionPolicyViolated", "status", "ENABLING", PATIENCE).await;
    eventually("the region to be disabled again", PATIENCE, async || {
        (region_scenario.status("eu-south-2") == Some("DISABLED")).then_some(())
    })
    .await;
    assert!(faults.iter().all(|fault| fault.hits() == 1), "{:?}", faults.each_ref().map(local_cloud::FaultGuard::hits));
}

#[tokio::test]
async fn of_a_thousand_events_doubled_and_shuffled_each_change_is_reported_once() {
    let region_scenario = RegionScenario::new("version: 1\ndefaults: {regions: {others: disable}}\n").await;
    let listener = region_scenario.scenario.listen("regions-thousand").await;
    // Half a thousand changes, twice each, in an order that is the same in every run.
    let mut events: Vec<String> = (0..1000)
        .map(|n| {
            let (change, minute) = (n % 500, n % 500 / 50);
            let status = if change % 2 == 0 { "ENABLED" } else { "DISABLED" };
            let time = format!("2026-09-30T06:{minute:02}:{:02}Z", change % 50);
            news(&region_scenario.account, "eu-south-1", status, &time).to_string()
        })
        .collect();
    for position in (1..events.len()).rev() {
        events.swap(position, position * 7919 % (position + 1));
    }
    // As the queue hands them over, five at a time in four invocations at once; what one gives back comes again.
    let mut left: Vec<Value> =
        (0..).zip(&events).map(|(id, body): (u32, _)| json!({"messageId": id.to_string(), "body": body})).collect();
    for _ in 0..5 {
        let mut given_back = Vec::new();
        for messages in left.chunks(20) {
            let batch = async |records: &[Value]| {
                let answer = region_scenario.audit(&json!({"Records": records})).await;
                let failures = answer["batchItemFailures"].as_array().cloned().unwrap_or_else(|| panic!("{answer}"));
                failures.into_iter().map(|failure| failure["itemIdentifier"].clone()).collect::<Vec<_>>()
            };
            let failures = join_all(messages.chunks(5).map(batch)).await.concat();
            given_back.extend(messages.iter().filter(|message| failures.contains(&message["messageId"])).cloned());
        }
        left = given_back;
    }
    assert!(left.is_empty(), "{left:?}");
    let violated = listener.all("RegionPolicyViolated").await;
    let in_order = listener.all("RegionOptAudited").await;
    let published = |all: &[PublishedEvent]| {
        let moments: std::collections::BTreeSet<_> =
            all.iter().map(|published| published.detail["at"].to_string()).collect();
        (all.len(), moments.len())
    };
    assert_eq!(published(&violated), (250, 250));
    assert_eq!(published(&in_order), (250, 250));
}
