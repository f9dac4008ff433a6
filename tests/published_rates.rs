//! The rates that AWS publishes as they are: in a cloud of its own, whose time is not faster than AWS's, with a process for
//! each event that is at work, as on AWS Lambda.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use harness::{Stack, eventually, processes_of};
use local_cloud::{Fault, FaultKind, LocalCloud};
use serde_json::json;
use tokio::sync::Mutex;

use crate::scenario::{PATIENCE, Scenario, email, spec};

/// One at a time: what is at real time suffers where several make one machine slow.
static ALONE: Mutex<()> = Mutex::const_new(());
/// How long a line of twenty may take on a machine that others keep busy as well.
const LINE: Duration = Duration::from_mins(8);

/// How often AWS has refused a call of a function in this account because it came too fast.
fn throttled(cloud: &LocalCloud, scenario: &Scenario, function: &str) -> Vec<String> {
    let calls = cloud.calls().by_function(function).only(|call| {
        call.account.as_deref() == Some(scenario.organization.management_account())
            && call.error.as_deref().is_some_and(|error| error.contains("TooMany") || error.contains("Throttl"))
    });
    calls.actions()
}

/// Waits until the requests of these names are recorded.
async fn are_admitted(stack: &Stack, names: &[String]) {
    eventually("every request to be admitted", LINE, async || {
        let found = join_all(names.iter().map(|name| async { stack.find_request(&email(name)).await })).await;
        found.into_iter().all(|found| found.expect("the table can be read").is_some()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn twenty_events_at_once_are_twenty_requests_and_none_is_lost_or_refused() {
    let _alone = ALONE.lock().await;
    let scenario = Scenario::at_real_time(200, &[("MaxAccountsPerDay", "100")]).await;
    let listener = scenario.listen("at-once").await;
    let names: Vec<String> = (0..20).map(|n| format!("At Once {n}")).collect();
    let put = names.iter().map(|name| {
        let mut spec = spec(name);
        spec["organizational_unit"] = "/Workloads/Sandbox".into();
        let stack = &scenario.stack;
        async move { stack.put_event("AccountRequested", &spec).await.expect("an event can be put") }
    });
    join_all(put).await;
    are_admitted(&scenario.stack, &names).await;
    assert!(listener.all("AccountCreationFailed").await.is_empty(), "nothing is refused");
    for queue in ["AccountRequestDeadLettersUrl", "UndeliverableUrl"] {
        assert_eq!(scenario.stack.peek(queue).await.unwrap(), Vec::<String>::new(), "{queue}");
    }
}

#[tokio::test]
async fn twenty_people_at_once_have_a_process_each_and_nobody_is_refused() {
    let _alone = ALONE.lock().await;
    let scenario = Scenario::at_real_time(200, &[("MaxAccountsPerDay", "100")]).await;
    // All are at work at the same time, however fast the machine is.
    let slow = Fault::new(FaultKind::Latency(Duration::from_secs(3))).function("account-requester");
    let slow = slow.operation("dynamodb", "GetItem").account(scenario.organization.management_account());
    let slow = scenario.fault(slow);
    let names: Vec<String> = (0..20).map(|n| format!("Person {n}")).collect();
    let asked =
        join_all(names.iter().map(|name| async { scenario.stack.request(&spec(name)).await.expect("an answer") }));
    let function = scenario.stack.output("AccountRequesterFunction");
    let seen = eventually("twenty processes", PATIENCE, async || {
        let processes = processes_of(function).expect("processes can be looked at");
        (processes.len() >= 20).then_some(())
    });
    let (answers, ()) = tokio::join!(asked, seen);
    drop(slow);
    let states: BTreeSet<&str> = answers.iter().filter_map(|answer| answer["state"].as_str()).collect();
    assert!(states.is_subset(&["REQUESTED", "WAITING"].into()), "{answers:?}");
}

#[tokio::test]
async fn forty_accounts_by_hand_are_remediated_without_a_row_that_is_throttled() {
    let document = "version: 1\ndefaults:\n  alternate-contacts:\n    \
        security: {name: A, title: B, email: a@example.com, phone: '+49 30 1'}\n\
        overrides:\n  - match: {organizational_unit: /Workloads/Sandbox}\n    account-tags: {tags: {team: blue}}\n";
    let parameters = [("BaselineKey", "baseline.yaml"), ("MaxChangedPercent", "100")];
    let _alone = ALONE.lock().await;
    let scenario = Scenario::at_real_time(40, &parameters).await;
    scenario.put_document(document).await;
    let input = json!({"organizational_unit": "/Workloads/Sandbox", "mode": "apply",
        "controls": ["alternate-contacts", "account-tags"]});
    // Where a busy machine lets a call time out, people ask again, and what was not reached is remediated then.
    eventually("every account to be as the document says", PATIENCE, async || {
        let answer = scenario.stack.baseline(&input).await.unwrap();
        let rows = answer["rows"].as_array().expect("rows");
        assert_eq!((rows.len(), &answer["left"]), (80, &json!(null)), "{answer}");
        let open = rows.iter().filter(|row| row["outcome"] != "fixed" && row["outcome"] != "compliant");
        let open: Vec<_> = open.inspect(|row| assert_eq!(row["failure"]["cause"], "Unreachable", "{row}")).collect();
        open.is_empty().then_some(())
    })
    .await;
    assert_eq!(throttled(scenario.cloud, &scenario, "baseline-applier"), Vec::<String>::new());
}
