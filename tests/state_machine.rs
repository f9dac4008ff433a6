//! The definition of the sweep's state machine against the template and the functions that it runs.

use std::{collections::BTreeSet, iter};

use serde_json::Value;
use steward::sweep::{LONGEST_SWEEP, LONGEST_WORK};

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
        let last = last_retry(&task);
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

/// The entry of `Retry` that takes what no other one does.
fn last_retry(task: &Value) -> &Value {
    task["Retry"].as_array().and_then(|retries| retries.last()).expect("a retry")
}

/// The waits of an entry of `Retry`, in seconds.
fn waits(retry: &Value) -> Vec<f64> {
    let number = |member: &str| retry[member].as_f64();
    let longest = number("MaxDelaySeconds").unwrap_or(f64::INFINITY);
    let (attempts, rate) = (retry["MaxAttempts"].as_u64().expect("a bound"), number("BackoffRate").unwrap_or(2.0));
    let first = number("IntervalSeconds").unwrap_or(1.0);
    iter::successors(Some(first), |wait| Some(wait * rate))
        .map(|wait| wait.min(longest))
        .take(usize::try_from(attempts).expect("a small number"))
        .collect()
}

#[test]
fn minutes_of_throttles_and_outages_of_lambda_cost_no_task_its_result() {
    for (function, task) in tasks(&definition()["States"]) {
        let retry = &task["Retry"][0];
        let errors: BTreeSet<_> =
            retry["ErrorEquals"].as_array().expect("errors").iter().filter_map(Value::as_str).collect();
        assert_eq!(errors, TRANSIENT.into(), "{function}: these have an entry of their own, before all others");
        assert_eq!(retry["JitterStrategy"], "FULL", "{function}: batches do not come back together");
        let patience: f64 = waits(retry).iter().sum();
        // Full jitter waits half of it on average.
        assert!(patience / 2.0 >= 120.0, "{function} gives up after {} s", patience / 2.0);
    }
}

#[test]
fn an_outage_of_ten_minutes_costs_no_sweep_its_report() {
    for (function, task) in tasks(&definition()["States"]) {
        if ["AccountLister", "ComplianceReporter"].contains(&function.as_str()) {
            let patience: f64 = waits(last_retry(&task)).iter().sum();
            assert!(patience >= 900.0, "{function} gives up after {patience} s");
        }
    }
}

/// The events that a worker writes while it waits once for the list: three states, of which the task has five.
const EVENTS_OF_A_WAIT: f64 = 9.0;
/// The most events of an execution (AWS Step Functions developer guide, "Quotas related to state machine executions").
const MOST_EVENTS: f64 = 25_000.0;

#[test]
fn a_worker_may_wait_for_the_list_until_nobody_tries_to_make_it_any_more() {
    let definition = definition();
    let lister = &definition["States"]["Look"]["Branches"][0]["States"]["ListAccounts"];
    let retries = waits(last_retry(lister));
    let attempts = 1 + u32::try_from(retries.len()).expect("a small number");
    let timeout = resources(&template(), "AWS::Serverless::Function")["AccountLister"]["Timeout"].as_f64();
    let longest = f64::from(attempts) * timeout.expect("a timeout") + retries.iter().sum::<f64>();
    let wait = looking(&definition)["ItemProcessor"]["States"]["WaitForBatch"]["Seconds"].as_f64().expect("a time");
    let events = longest / wait * EVENTS_OF_A_WAIT;
    assert!(events < 0.8 * MOST_EVENTS, "{events} events in {longest} s");
}

#[test]
fn a_sweep_is_ended_when_its_right_to_fix_is_over() {
    assert_eq!(definition()["TimeoutSeconds"], LONGEST_SWEEP.as_secs());
}

#[test]
fn the_batches_that_are_under_way_when_the_work_is_over_leave_time_for_the_report() {
    let definition = definition();
    let tasks = tasks(&definition["States"]);
    let longest = |wanted: &str| {
        let of_it = tasks.iter().filter(|(function, _)| function == wanted);
        of_it.map(|(_, task)| task["TimeoutSeconds"].as_f64().expect("a timeout")).fold(0.0, f64::max)
    };
    // Its function ends itself in time; what is ended all the same is tried once more.
    let (batches, report) = (2.0 * longest("ComplianceChecker"), longest("ComplianceReporter"));
    let left = LONGEST_SWEEP.saturating_sub(LONGEST_WORK).as_secs_f64();
    assert!(left >= batches + report, "{left} s for {batches} and {report}");
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
