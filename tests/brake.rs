//! The brake: what goes to many accounts stops by itself and waits for a word.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    compliance_sweep::report,
    scenario::{PATIENCE, Scenario},
};

/// Of so many accounts the least that may always be changed, ten, is less than what was planned.
const MEMBERS: usize = 30;
/// A plan that somebody has not thought through: it changes every account of a unit.
const DOCUMENT: &str = "
version: 1
overrides:
  - match: {organizational_unit: /Workloads/Sandbox}
    account-tags: {tags: {stage: test}}
    alternate-contacts: {security: {name: A, title: B, email: a@example.com, phone: '+49 30 1'}}
remediate: [account-tags]
";

/// How many of the members have the tag.
fn tagged(scenario: &Scenario, members: &[String]) -> usize {
    let has = |id: &&String| scenario.organization.tags_of(id).contains_key("stage");
    members.iter().filter(has).count()
}

/// The accounts of the unit, as a plan names them.
async fn members(scenario: &Scenario) -> Vec<String> {
    let plan = json!({"organizational_unit": "/Workloads/Sandbox", "controls": ["account-tags"]});
    let plan = scenario.stack.baseline(&plan).await.expect("the applier answers");
    let rows = plan["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["account_id"].as_str().expect("an id").to_owned()).collect()
}

async fn sweep(scenario: &Scenario, input: &Value) -> String {
    let execution = scenario.stack.start_sweep_with(input).await.expect("the sweep starts");
    scenario.stack.end_of_sweep(&execution, PATIENCE * 2).await;
    report(scenario).await["sweep"]["note"].as_str().unwrap_or_default().to_owned()
}

fn outcomes(answer: &Value) -> BTreeMap<String, usize> {
    let mut outcomes = BTreeMap::new();
    for row in answer["rows"].as_array().expect("rows") {
        *outcomes.entry(row["outcome"].as_str().expect("an outcome").to_owned()).or_default() += 1;
    }
    outcomes
}

#[tokio::test]
async fn a_sweep_that_would_change_more_than_its_share_stops_and_waits_for_a_word() {
    let scenario = Scenario::with_members(MEMBERS, DOCUMENT).await;
    scenario.stack.watch_for_years().await.expect("the table takes it");
    let members = members(&scenario).await;
    for id in &members {
        scenario.organization.set_joined(id, Duration::from_hours(24 * 30));
    }
    let listener = scenario.listen("brake").await;

    let note = sweep(&scenario, &json!({})).await;
    assert_eq!(tagged(&scenario, &members), 10, "{note}");
    let published = listener.all("SweepBraked").await;
    assert_eq!(published.len(), 1);
    assert_eq!((&published[0].detail["changed"], &published[0].detail["failed"]), (&json!(10), &json!(0)));
    let stopped = published[0].detail["sweep_id"].as_str().expect("a sweep").to_owned();
    assert!(note.contains(&format!("{{\"continue\": \"{stopped}\"}}")), "{note}");

    for input in [json!({}), json!({"continue": "another"})] {
        let note = sweep(&scenario, &input).await;
        assert_eq!(tagged(&scenario, &members), 10, "it waits: {note}");
        assert!(note.starts_with("Nothing was changed"), "{note}");
    }
    let note = sweep(&scenario, &json!({"continue": stopped})).await;
    assert_eq!(tagged(&scenario, &members), MEMBERS, "{note}");
    assert_eq!(listener.all("SweepBraked").await.len(), 1);
}

#[tokio::test]
async fn a_sweep_deploys_stack_sets_to_its_share_of_the_accounts_and_waits_for_a_word() {
    const STACK_SETS: &str = "version: 1\noverrides:\n- match: {organizational_unit: /Workloads/Sandbox}\n  stack-instances: \
                              {sets: [{name: logging, regions: [us-east-1]}]}\nremediate: [stack-instances]\n";
    let scenario = Scenario::with_members(MEMBERS, STACK_SETS).await;
    scenario.stack.watch_for_years().await.expect("the table takes it");
    scenario.organization.make_stack_set("logging", None);
    let listener = scenario.listen("stack-brake").await;
    let asked_for = || {
        let operations = scenario.organization.stack_set_operations("logging");
        operations.into_iter().map(|(_, accounts)| accounts.len()).collect::<Vec<_>>()
    };

    let note = sweep(&scenario, &json!({})).await;
    assert_eq!(asked_for(), [10], "{note}");
    let published = listener.all("SweepBraked").await;
    assert_eq!(published.len(), 1, "{note}");
    let stopped = published[0].detail["sweep_id"].as_str().expect("a sweep").to_owned();
    assert!(note.contains(&format!("{{\"continue\": \"{stopped}\"}}")), "{note}");

    let plan = json!({"organizational_unit": "/Workloads/Sandbox", "controls": ["stack-instances"]});
    harness::eventually("AWS to have done with it", PATIENCE, async || {
        let plan = scenario.stack.baseline(&plan).await.expect("the applier answers");
        (outcomes(&plan).get("compliant") == Some(&10)).then_some(())
    })
    .await;
    let note = sweep(&scenario, &json!({"continue": stopped})).await;
    assert_eq!(asked_for(), [10, MEMBERS - 10], "{note}");
    assert_eq!(listener.all("SweepBraked").await.len(), 1);
}

#[tokio::test]
async fn an_apply_to_a_unit_stops_after_its_share_and_goes_on_when_its_plan_is_confirmed() {
    let scenario = Scenario::with_members(MEMBERS, DOCUMENT).await;
    let ask = |mode: &str, confirmation: Option<&Value>| {
        let mut input = json!({"organizational_unit": "/Workloads/Sandbox", "controls": ["alternate-contacts"]});
        input["mode"] = mode.into();
        if let Some(confirmation) = confirmation {
            input["continue"] = confirmation.clone();
        }
        input
    };
    let answer = async |input: &Value| scenario.stack.baseline(input).await.expect("the applier answers");

    let plan = answer(&ask("plan", None)).await;
    assert_eq!(plan["brake"]["would_change"], MEMBERS, "{plan}");
    let confirmation = &plan["brake"]["continue"];

    let applied = answer(&ask("apply", None)).await;
    // Those that were under way are finished.
    let changed = outcomes(&applied)["fixed"];
    assert!((10..18).contains(&changed), "{applied}");
    assert_eq!(outcomes(&applied)["drifted"], MEMBERS - changed);
    assert_eq!((&applied["brake"]["continue"], &applied["brake"]["changed"]), (confirmation, &json!(changed)));

    let mut other = ask("apply", Some(confirmation));
    other["controls"] = json!(["account-tags"]);
    let refused = scenario.stack.baseline(&other).await.expect_err("it was said of another plan");
    assert!(refused.to_string().contains("$.continue: is of another plan"), "{refused}");

    let confirmed = answer(&ask("apply", Some(confirmation))).await;
    assert_eq!((outcomes(&confirmed)["fixed"], &confirmed["brake"]), (MEMBERS - changed, &Value::Null), "{confirmed}");
}
