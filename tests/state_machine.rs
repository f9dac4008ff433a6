//! The definition of the sweep's state machine against the template and the functions that it runs.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::template::{read, resources, template};

const DEFINITION: &str = "statemachines/compliance-sweep.asl.json";

fn definition() -> Value {
    serde_json::from_str(&read(DEFINITION)).expect("the definition is JSON")
}

/// The map in which the workers look at accounts.
pub(crate) fn looking(definition: &Value) -> &Value {
    &definition["States"]["Look"]["Branches"][2]["States"]["CheckBatches"]
}

/// The tasks of the machine, of its branches and of the maps in it, by the substitution that names their function.
fn tasks(states: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for state in states.as_object().expect("states").values() {
        if let Some(function) = state["Parameters"]["FunctionName"].as_str() {
            found.push((function.trim_matches(['$', '{', '}']).to_owned(), state.clone()));
        }
        let branches = state["Branches"].as_array().into_iter().flatten();
        for machine in branches.chain(state.get("ItemProcessor")) {
            found.extend(tasks(&machine["States"]));
        }
    }
    found
}

#[test]
fn the_template_gives_exactly_what_the_definition_asks_for() {
    let asked: BTreeSet<_> =
        read(DEFINITION).split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect();
    let machines = resources(&template(), "AWS::Serverless::StateMachine");
    let given = machines["ComplianceSweep"]["DefinitionSubstitutions"].as_object().expect("substitutions").clone();
    assert_eq!(asked, given.keys().cloned().collect());
    for (function, _) in tasks(&definition()["States"]) {
        match function.strip_suffix("Plan") {
            // By its alias, a function that people let change something changes nothing.
            Some(_) => assert_eq!(given[&function]["Ref"], function),
            None => assert_eq!(given[&function]["Fn::GetAtt"], format!("{function}.Arn")),
        }
    }
}

#[test]
fn a_task_outwaits_its_function_and_is_tried_again() {
    let functions = resources(&template(), "AWS::Serverless::Function");
    for (function, task) in tasks(&definition()["States"]) {
        let function = function.strip_suffix("Plan").unwrap_or(&function);
        let timeout = functions[function]["Timeout"].as_i64().expect("a timeout");
        assert!(task["TimeoutSeconds"].as_i64().expect("a timeout") > timeout, "{function}");
        let last = task["Retry"].as_array().and_then(|retries| retries.last()).expect("a retry");
        assert_eq!(last["ErrorEquals"], serde_json::json!(["States.ALL"]), "{function}");
    }
}

/// The errors of AWS Lambda itself that pass by (AWS Step Functions developer guide, "Handle transient Lambda service
/// exceptions"), with throttling among them: a new management account has a concurrency of 10.
const TRANSIENT: [&str; 5] = [
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
];

#[test]
fn minutes_of_throttles_and_outages_of_lambda_cost_no_task_its_result() {
    for (function, task) in tasks(&definition()["States"]) {
        let retry = &task["Retry"][0];
        let errors: BTreeSet<_> =
            retry["ErrorEquals"].as_array().expect("errors").iter().filter_map(Value::as_str).collect();
        assert_eq!(errors, TRANSIENT.into(), "{function}: these have an entry of their own, before all others");
        assert_eq!(retry["JitterStrategy"], "FULL", "{function}: batches do not come back together");
        let number = |member: &str| retry[member].as_f64().expect(member);
        let (attempts, mut wait, longest) =
            (number("MaxAttempts"), number("IntervalSeconds"), number("MaxDelaySeconds"));
        let mut patience = 0.0;
        let mut attempt = 0.0;
        while attempt < attempts {
            patience += wait.min(longest);
            wait *= number("BackoffRate");
            attempt += 1.0;
        }
        // Full jitter waits half of it on average.
        assert!(patience / 2.0 >= 120.0, "{function} gives up after {} s", patience / 2.0);
    }
}

#[test]
fn a_sweep_is_ended_when_its_right_to_fix_is_over() {
    assert_eq!(definition()["TimeoutSeconds"], steward::sweep::LONGEST_SWEEP.as_secs());
}

#[test]
fn whatever_happens_to_the_checks_of_the_organization_and_to_the_batches_the_report_is_next() {
    let definition = definition();
    let states = &definition["States"];
    for (branch, state) in [(1, "CheckOrganization"), (2, "CheckBatches")] {
        let states = &states["Look"]["Branches"][branch]["States"];
        let catch = &states[state]["Catch"][0];
        assert_eq!(catch["ErrorEquals"][0], "States.ALL", "{state}");
        let next = catch["Next"].as_str().expect("a state");
        assert_eq!((&states[next]["Type"], &states[next]["End"]), (&"Pass".into(), &true.into()), "{state}");
    }
    assert_eq!(states["Look"]["Next"], "MayChange");
    assert_eq!(states["MayChange"]["Default"], "Report");
    let changes = &states["ChangeBatches"];
    assert_eq!((&changes["Next"], &changes["Catch"][0]["Next"]), (&"Report".into(), &"Report".into()));
    assert_eq!(changes["Catch"][0]["ErrorEquals"][0], "States.ALL");
}

#[test]
fn every_batch_is_one_workers_and_each_worker_has_an_end() {
    let definition = definition();
    let workers: Vec<i64> =
        serde_json::from_value(definition["States"]["Begin"]["Result"]["workers"].clone()).expect("numbers");
    for map in [looking(&definition), &definition["States"]["ChangeBatches"]] {
        let every = map["ItemSelector"]["every"].as_i64().expect("a number");
        assert!(workers.iter().copied().eq(1..=every), "{workers:?} and every {every}");
        assert_eq!((&map["MaxConcurrency"], &map["ToleratedFailurePercentage"]), (&every.into(), &100.into()));
        let choices = map["ItemProcessor"]["States"]["GoOn"]["Choices"].as_array().expect("choices");
        let ends = choices.iter().filter(|choice| choice["Next"] == "End");
        let names: Vec<_> = ends.map(|choice| choice["Variable"].as_str().expect("a path")).collect();
        assert_eq!(names, ["$.step.progress", "$.step.in_a_row"], "done, or nothing but failures");
    }
}
