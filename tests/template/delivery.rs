//! Nothing is lost on its way: queues, dead letters, alarms, and what is sent again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use steward::{closed_set::ClosedSet, runtime::metrics::Metric};

use super::{
    event_sources, functions, items, logical_id, one_or_many, read, referred, resources, statements, template,
    translated,
};

/// The function whose asynchronous invocations are kept nowhere: an input may hold a code.
const FORGETFUL: &str = "AccountUpdater";

#[test]
fn an_input_that_may_hold_a_code_is_tried_once_and_kept_nowhere_if_that_fails() {
    let template = template();
    let config = &asynchronous_invocations()[FORGETFUL];
    assert_eq!((&config["MaximumEventAgeInSeconds"], &config["MaximumRetryAttempts"]), (&json!(60), &json!(0)));
    assert_eq!(config["DestinationConfig"], json!({}));
    for statement in statements(&template).iter().filter(|(role, _)| role == "AccountUpdaterRole") {
        if one_or_many(&statement.1["Action"]).contains(&&json!("sqs:SendMessage")) {
            let queues: Vec<_> = one_or_many(&statement.1["Resource"]).into_iter().map(referred).collect();
            assert_eq!(queues, ["AccountUpdateQueue"]);
        }
    }
}

#[test]
fn every_function_has_both_ways_out_of_a_failure() {
    let template = template();
    let asynchronous = asynchronous_invocations();
    for (function, properties) in resources(&template, "AWS::Serverless::Function") {
        let destination = &asynchronous[&function]["DestinationConfig"]["OnFailure"]["Destination"];
        let is_kept = destination.is_object() && referred(destination) == "Undeliverable";
        assert_eq!(is_kept, function != FORGETFUL, "{function} and asynchronous invocations that fail");
        assert!(properties["Timeout"].is_number(), "{function} has no timeout of its own");
    }
    let queues = resources(&template, "AWS::SQS::Queue");
    for (function, event, kind, source) in event_sources(&template) {
        if kind == "SQS" {
            let queue = referred(&source["Queue"]);
            assert!(queues[queue]["RedrivePolicy"].is_object(), "{queue} retries {function} for ever");
            assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{function} {event}");
        } else {
            assert!(source["DeadLetterConfig"]["Arn"].is_object(), "{function} {event} may be lost");
        }
    }
    for (rule, properties) in resources(&template, "AWS::Events::Rule") {
        for target in items(&properties["Targets"]) {
            assert!(target["DeadLetterConfig"]["Arn"].is_object(), "{rule} may lose events");
        }
    }
}

/// What CloudFormation is told of asynchronous invocations, by function: SAM puts what holds for all into what a function says
/// of its own, member by member.
fn asynchronous_invocations() -> BTreeMap<String, Value> {
    let translated = translated();
    let configs = resources(&translated, "AWS::Lambda::EventInvokeConfig").into_values();
    configs.map(|config| (referred(&config["FunctionName"]).to_owned(), config)).collect()
}

#[test]
fn every_queue_has_a_dead_letter_queue_with_an_alarm() {
    let template = template();
    let queues = resources(&template, "AWS::SQS::Queue");
    let mut last_resorts: BTreeSet<String> = BTreeSet::new();
    for queue in queues.values().filter(|queue| queue["RedrivePolicy"].is_object()) {
        last_resorts.insert(referred(&queue["RedrivePolicy"]["deadLetterTargetArn"]).to_owned());
    }
    for config in asynchronous_invocations().values().filter(|config| config["DestinationConfig"] != json!({})) {
        last_resorts.insert(referred(&config["DestinationConfig"]["OnFailure"]["Destination"]).to_owned());
    }
    for (id, queue) in &queues {
        assert!(queue["RedrivePolicy"].is_object() || last_resorts.contains(id), "{id} has no dead-letter queue");
    }
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    let watched = alarms.values().filter(|alarm| {
        alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
            && (&alarm["ComparisonOperator"], &alarm["Threshold"]) == (&json!("GreaterThanThreshold"), &json!(0))
            && items(&alarm["AlarmActions"]).count() > 0
    });
    let watched: BTreeSet<_> = watched.map(|alarm| referred(&alarm["Dimensions"][0]["Value"]).to_owned()).collect();
    assert_eq!(watched, last_resorts, "left has an alarm, right needs one");
}

#[test]
fn every_alarm_has_an_entry_in_the_runbook_that_says_how_to_send_again() {
    let runbook = read("docs/RUNBOOK.md");
    let (_, alarms) = runbook.split_once("\n## Alarms\n").expect("a part about alarms");
    let (alarms, _) = alarms.split_once("\n## ").expect("a part after it");
    let entries: BTreeSet<_> = alarms.lines().filter_map(|line| line.strip_prefix("### ")).map(Into::into).collect();
    let template = template();
    assert_eq!(entries, resources(&template, "AWS::CloudWatch::Alarm").into_keys().collect::<BTreeSet<String>>());
    for entry in alarms.split("\n### ").skip(1) {
        assert!(entry.contains("send again") || entry.contains("send\nagain"), "{entry}");
    }
    assert!(
        runbook.contains("DeadLetterReplayerFunction") && !template["Outputs"]["DeadLetterReplayerFunction"].is_null()
    );
}

#[test]
fn every_queue_is_encrypted_and_outwaits_its_function() {
    let template = template();
    let queues = resources(&template, "AWS::SQS::Queue");
    for (id, queue) in &queues {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{id}");
    }
    let functions = resources(&template, "AWS::Serverless::Function");
    for (function, _, _, source) in event_sources(&template).into_iter().filter(|source| source.2 == "SQS") {
        let visible = queues[referred(&source["Queue"])]["VisibilityTimeout"].as_i64();
        let timeout = functions[&function]["Timeout"].as_i64();
        assert!(visible >= timeout.map(|seconds| 6 * seconds), "{function}");
    }
}

#[test]
fn every_queue_that_a_function_works_off_has_an_alarm_on_the_age_of_its_messages() {
    let template = template();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm").into_values();
    let aged = alarms.filter(|alarm| alarm["MetricName"] == "ApproximateAgeOfOldestMessage");
    let watched: BTreeSet<_> = aged.map(|alarm| referred(&alarm["Dimensions"][0]["Value"]).to_owned()).collect();
    let sources = event_sources(&template).into_iter().filter(|source| source.2 == "SQS");
    let worked_off: BTreeSet<_> = sources.map(|source| referred(&source.3["Queue"]).to_owned()).collect();
    assert_eq!(watched, worked_off);
}

#[test]
fn every_metric_that_an_alarm_or_the_dashboard_looks_at_is_reported() {
    // Where the functions of this stack put their numbers, and no other stack does.
    const OWN: &str = "Steward/${AWS::StackName}";
    let template = template();
    assert_eq!(template["Globals"]["Function"]["Environment"]["Variables"]["METRICS_NAMESPACE"]["Fn::Sub"], OWN);
    let is_of_aws =
        |namespace: &Value| namespace.as_str().is_some_and(|name| name.starts_with("AWS/") || name == "...");
    let dashboard = resources(&template, "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"].clone();
    let body: Value = serde_json::from_str(dashboard.as_str().expect("a body")).expect("the body is JSON");
    let widgets =
        items(&body["widgets"]).flat_map(|widget| items(&widget["properties"]["metrics"]).collect::<Vec<_>>());
    let (searched, plain): (Vec<_>, Vec<_>) = widgets.partition(|metric| metric[0]["expression"].is_string());
    for metric in &searched {
        let expression = metric[0]["expression"].as_str().expect("a text");
        assert!(expression.starts_with(&format!("SEARCH('{{\"{OWN}\",")), "{expression}");
    }
    let own = plain.into_iter().filter(|metric| !is_of_aws(&metric[0])).inspect(|metric| assert_eq!(metric[0], OWN));
    let shown = own.map(|metric| metric[1].clone());
    let alarms = resources(&template, "AWS::CloudWatch::Alarm").into_values();
    let own = alarms
        .filter(|alarm| !is_of_aws(&alarm["Namespace"]))
        .inspect(|alarm| assert_eq!(alarm["Namespace"]["Fn::Sub"], OWN, "{}", alarm["MetricName"]));
    let watched = own.map(|alarm| alarm["MetricName"].clone());
    let names: BTreeSet<_> = shown.chain(watched).map(|name| name.as_str().expect("a name").to_owned()).collect();
    let emitted: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.name().to_owned()).collect();
    assert!(names.len() > 6 && names.is_subset(&emitted), "nobody emits {:?}", names.difference(&emitted));
}

/// The functions that rules and schedules invoke, by logical id.
fn invoked_by_rules_and_schedules(template: &Value) -> BTreeSet<String> {
    let by_event =
        event_sources(template).into_iter().filter(|(_, _, kind, _)| kind != "SQS").map(|(function, ..)| function);
    let functions = resources(template, "AWS::Serverless::Function");
    let rules = resources(template, "AWS::Events::Rule").into_values();
    let by_rule =
        rules.flat_map(|rule| items(&rule["Targets"]).map(|t| referred(&t["Arn"]).to_owned()).collect::<Vec<_>>());
    by_event.chain(by_rule.filter(|id| functions.contains_key(id))).collect()
}

#[test]
fn the_replayer_may_invoke_what_rules_and_schedules_invoke_and_nothing_that_people_call() {
    let template = template();
    let mut expected = invoked_by_rules_and_schedules(&template);
    // What people call as well is left to the next run of its schedule: a message is not to invoke it.
    for function in
        functions().iter().filter(|name| payloads::of(name).iter().any(|one| one.payload["mode"].is_string()))
    {
        let is_scheduled = expected.remove(&logical_id(function));
        let scheduled = event_sources(&template)
            .into_iter()
            .filter(|(id, _, kind, _)| *id == logical_id(function) && kind == "ScheduleV2");
        let mut inputs: Vec<_> =
            scheduled.map(|(_, _, _, source)| source["Input"].as_str().expect("an input").to_owned()).collect();
        let left = dead_letter_replayer::replay::LEFT_TO_THE_NEXT_RUN.iter().filter(|(name, _)| name == function);
        let mut left: Vec<_> = left.map(|(_, input)| (*input).to_owned()).collect();
        inputs.sort();
        left.sort();
        assert_eq!((inputs, is_scheduled), (left.clone(), !left.is_empty()), "{function}");
    }
    let mut allowed = BTreeSet::new();
    for (role, statement) in statements(&template) {
        if role == "DeadLetterReplayerRole"
            && one_or_many(&statement["Action"]).contains(&&json!("lambda:InvokeFunction"))
        {
            allowed.extend(one_or_many(&statement["Resource"]).into_iter().map(|arn| referred(arn).to_owned()));
        }
    }
    assert_eq!(allowed, expected, "left may be invoked, right is invoked by rules and schedules");
    let variables = &template["Resources"]["DeadLetterReplayer"]["Properties"]["Environment"]["Variables"];
    let named_in_setting =
        items(&variables["REPLAY_FUNCTIONS"]["Fn::Join"][1]).map(|entry| entry["Fn::Sub"].as_str().expect("a text"));
    let named_in_setting: BTreeSet<_> =
        named_in_setting.map(|entry| entry.split_once(' ').expect("a name and an ARN")).collect();
    let named = functions().into_iter().filter(|function| expected.contains(&logical_id(function)));
    let named: Vec<_> = named.map(|name| (name.clone(), format!("${{{}.Arn}}", logical_id(&name)))).collect();
    assert_eq!(named_in_setting, named.iter().map(|(name, arn)| (name.as_str(), arn.as_str())).collect());
    let ids: BTreeSet<_> = items(&variables["OWN_ROLE_IDS"]["Fn::Join"][1]).map(|id| referred(id).to_owned()).collect();
    assert_eq!(ids, functions().into_iter().map(|function| format!("{}Role", logical_id(&function))).collect());
    let shapes: BTreeSet<_> = dead_letter_replayer::replay::INVOKED.iter().map(|(name, _)| *name).collect();
    assert_eq!(shapes, named.iter().map(|(name, _)| name.as_str()).collect(), "each has a shape that it is sent");
}

#[test]
fn what_may_be_sent_to_a_queue_again_is_what_the_rules_of_this_stack_send_there() {
    let template = template();
    let variables = &template["Resources"]["DeadLetterReplayer"]["Properties"]["Environment"]["Variables"];
    let mut names = BTreeMap::new();
    for entry in items(&variables["REPLAY_QUEUES"]["Fn::Join"][1]) {
        let words: Vec<_> = entry["Fn::Sub"].as_str().expect("a text").split(' ').collect();
        names.insert(words[2].trim_matches(['$', '{', '}']).to_owned(), words[0].to_owned());
    }
    let mut sent = BTreeSet::new();
    for rule in resources(&template, "AWS::Events::Rule").into_values() {
        let sources = items(&rule["EventPattern"]["source"]);
        // The activity's rules are about whatever AWS says.
        let sources: Vec<_> = sources.map(|source| source.as_str().unwrap_or("aws.").to_owned()).collect();
        for target in items(&rule["Targets"]) {
            let Some(name) = names.get(referred(&target["Arn"])) else { continue };
            let sources = match name.as_str() {
                "activity" => vec!["aws.".to_owned()],
                // A rule without a source is about whatever anybody says.
                _ if sources.is_empty() => vec![String::new()],
                _ => sources.clone(),
            };
            sent.extend(sources.into_iter().map(|source| (name.clone(), source)));
        }
    }
    let known: BTreeSet<_> = dead_letter_replayer::replay::RULES
        .iter()
        .map(|(name, source, _)| ((*name).to_owned(), (*source).to_owned()))
        .collect();
    assert_eq!(sent, known, "left is sent by rules, right may be sent again");
}
