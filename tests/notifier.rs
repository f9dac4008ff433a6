//! `notifier`: what happened, in mails that people can read.

use std::time::Duration;

use local_cloud::Method;
use serde_json::{Value, json};

use crate::scenario::{PATIENCE, Scenario};

/// Only Zurich may be used beyond the regions that AWS enables by default.
const DOCUMENT: &str = "version: 1\ndefaults:\n  regions: {enabled: [eu-central-2], others: disable}\n";

/// An event of the stack's bus.
fn event(id: &str, detail_type: &str, detail: &Value) -> Value {
    json!({"version": "0", "id": id, "detail-type": detail_type, "source": "steward", "account": "111111111111",
        "time": "2026-11-26T08:00:00Z", "region": "us-east-1", "resources": [], "detail": detail})
}

#[tokio::test]
async fn a_region_that_somebody_enables_against_the_document_is_reported_by_mail_and_an_allowed_one_is_not() {
    let scenario = Scenario::with_document(DOCUMENT).await;
    scenario.organization.set_region_time(Duration::from_secs(20));
    let (mailbox, listener) = (scenario.mailbox("regions").await, scenario.listen("mails").await);
    let account = scenario.member();
    for region in ["eu-central-2", "eu-south-1"] {
        let body = json!({"AccountId": account, "RegionName": region}).to_string();
        scenario
            .stack
            .client
            .rest("account", Method::POST, "/enableRegion", body)
            .await
            .expect("the region is enabled");
        // AWS takes one such call in a second.
        listener.wait_for_any(&["RegionOptAudited", "RegionPolicyViolated"], "region", region, PATIENCE).await;
    }
    let mail = mailbox.wait_for(&format!("region eu-south-1 is ENABLED in account {account}"), PATIENCE).await;
    assert!(mail.subject.starts_with("Steward, warning: "), "{mail:?}");
    for part in ["Where\n", "What to do\n", "To look it up\n", "RegionPolicyViolated", &account] {
        assert!(mail.text.contains(part), "{part}: {}", mail.text);
    }
    assert!(mailbox.all().await.iter().all(|mail| !mail.subject.contains("eu-central-2")));
}

#[tokio::test]
async fn a_failed_request_reaches_people_with_the_remedy() {
    let scenario = Scenario::own(&[]).await;
    let mailbox = scenario.mailbox("failures").await;
    scenario.stack.put_event("AccountRequested", &json!({"email": "nobody"})).await.expect("the bus takes it");
    let mail = mailbox.wait_for("an account was not created: InvalidRequest", PATIENCE).await;
    assert!(mail.text.contains("account_name: is missing"), "{}", mail.text);
    assert!(mail.text.contains("Correct every problem listed"), "{}", mail.text);
}

#[tokio::test]
async fn people_get_mail_about_what_matters_as_much_as_they_have_said() {
    let scenario = Scenario::own(&[("NotifySeverity", "critical")]).await;
    let notify = async |severity: &str| {
        let detail = json!({"severity": severity, "action": "CloseAccount", "account_id": "222222222222"});
        let event = event(severity, "ActivityAudited", &detail);
        scenario.stack.invoke("NotifierFunction", &event).await.expect("the notifier answers")
    };
    assert_eq!(notify("warning").await, json!({"notified": "below_severity", "severity": "warning"}));
    let sent = notify("critical").await;
    assert_eq!(sent["notified"], "sent", "{sent}");
    assert!(sent["subject"].as_str().unwrap().contains("CloseAccount"), "{sent}");
}

#[tokio::test]
async fn a_thousand_events_doubled_and_shuffled_make_one_mail_each() {
    let scenario = Scenario::own(&[]).await;
    let mailbox = scenario.mailbox("thousand").await;
    let body = |n: usize| {
        let detail = json!({"account_id": format!("{n:012}"), "region": "eu-south-1", "status": "ENABLED"});
        event(&format!("event-{n}"), "RegionPolicyViolated", &detail).to_string()
    };
    // 7 has no factor in common with 2,000: every position once, neighbours far apart.
    let shuffled: Vec<_> = (0..2000).map(|position| (position * 7 % 2000) / 2).collect();
    let batches: Vec<Value> = shuffled
        .chunks(10)
        .map(|chunk| {
            let records =
                chunk.iter().map(|n| json!({"messageId": format!("{n}"), "body": body(*n), "eventSource": "aws:sqs"}));
            json!({"Records": records.collect::<Vec<_>>()})
        })
        .collect();
    for pair in batches.chunks(2) {
        let [one, other] = pair else { unreachable!("an even number of batches") };
        let answers = tokio::join!(
            scenario.stack.invoke("NotifierFunction", one),
            scenario.stack.invoke("NotifierFunction", other)
        );
        for answer in [answers.0, answers.1] {
            assert_eq!(answer.expect("the notifier answers")["batchItemFailures"], json!([]));
        }
    }
    let subjects: Vec<_> = mailbox.all().await.into_iter().map(|mail| mail.subject).collect();
    let distinct: std::collections::BTreeSet<_> = subjects.iter().collect();
    assert_eq!((subjects.len(), distinct.len()), (1000, 1000));
}

#[tokio::test]
async fn three_hundred_events_of_one_account_do_not_hide_the_one_that_is_critical() {
    let scenario = Scenario::own(&[]).await;
    let mailbox = scenario.mailbox("flood").await;
    let body = |n: usize| {
        let (severity, action) = if n == 284 { ("critical", "LeaveOrganization") } else { ("warning", "CreateUser") };
        // Whom its calls name is the attacker's to choose.
        let detail = json!({"severity": severity, "action": action, "actor": {"name": "Admin/mallory"},
            "recorded_in": "222222222222", "account_id": format!("{n:012}"), "error_code": "AccessDenied"});
        event(&format!("flood-{n}"), "ActivityAudited", &detail).to_string()
    };
    for batch in (0..300).collect::<Vec<_>>().chunks(10) {
        let records =
            batch.iter().map(|n| json!({"messageId": n.to_string(), "body": body(*n), "eventSource": "aws:sqs"}));
        let batch = json!({"Records": records.collect::<Vec<_>>()});
        let answer = scenario.stack.invoke("NotifierFunction", &batch).await.expect("the notifier answers");
        assert_eq!(answer["batchItemFailures"], json!([]));
    }
    let mails = mailbox.all().await;
    assert_eq!(mails.iter().filter(|mail| mail.subject.contains("LeaveOrganization")).count(), 1);
    // Twenty in each hour, of which this may have met two.
    assert!((21..=41).contains(&mails.len()), "{}", mails.len());
    // The hour after is looked at by the reminder; a reminder of an hour that is over sums it up at once.
    let hour = (std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs()) / 3600;
    let early = json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs",
        "body": json!({"sum_up": {"account": "222222222222", "hour": hour}}).to_string()}]});
    let answer = scenario.stack.invoke("NotifierFunction", &early).await.expect("the notifier answers");
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert!(mailbox.all().await.iter().all(|mail| !mail.subject.contains("more events")), "the hour is not over");
}

#[tokio::test]
async fn what_is_no_event_is_given_back_to_the_queue_for_its_dead_letters() {
    let scenario = Scenario::shared().await;
    let record = |id: &str, body: &str| json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    let batch = json!({"Records": [record("1", "{}"), record("2", "no JSON")]});
    let answer = scenario.stack.invoke("NotifierFunction", &batch).await.expect("the notifier answers");
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 2, "{answer}");
}
