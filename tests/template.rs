//! The house rules of template.yaml and of the folders beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Value, json};

/// The longest a function's main.rs may be: it only wires things up.
const MAIN_LINES: usize = 25;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names in a folder of the checkout, in order.
pub(crate) fn names_in(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names: BTreeSet<_> = entries.map(|entry| PathBuf::from(entry.expect("an entry").file_name())).collect();
    names.into_iter().collect()
}

/// The folders of the functions, in order.
fn functions() -> Vec<String> {
    names_in("functions").iter().map(|name| name.to_str().expect("a name in UTF-8").to_owned()).collect()
}

/// `account-requester` as the template names it: `AccountRequester`.
pub(crate) fn logical_id(function: &str) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(capitalized).collect()
}

/// The template as JSON, its short forms written out: `!Ref A` is `{"Ref": "A"}`, `!GetAtt A.Arn` is
/// `{"Fn::GetAtt": "A.Arn"}`.
pub(crate) fn template() -> Value {
    template_in("template.yaml")
}

/// The same for another template.
pub(crate) fn template_in(path: &str) -> Value {
    let text = read(path);
    let documents = Yaml::load_from_str(&text).expect("a template is YAML");
    to_json(&documents[0])
}

fn to_json(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.0),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.as_str().expect("a key").to_owned(), to_json(value)));
            Value::Object(entries.collect())
        }
        Yaml::Tagged(tag, value) => match tag.suffix.as_str() {
            "Ref" => json!({"Ref": to_json(value)}),
            function => json!({format!("Fn::{function}"): to_json(value)}),
        },
        other => panic!("nothing that a template holds: {other:?}"),
    }
}

/// The resources of one type by logical id.
pub(crate) fn resources(template: &Value, of_type: &str) -> BTreeMap<String, Value> {
    let all = template["Resources"].as_object().expect("resources");
    let found = all.iter().filter(|(_, resource)| resource["Type"] == of_type);
    let found: BTreeMap<_, _> = found.map(|(id, resource)| (id.clone(), resource["Properties"].clone())).collect();
    assert!(!found.is_empty(), "no {of_type} in the template");
    found
}

/// The logical id in `!GetAtt Id.Attribute` or `!Ref Id`.
pub(crate) fn referred(value: &Value) -> &str {
    let name = value["Fn::GetAtt"].as_str().or(value["Ref"].as_str());
    let name = name.unwrap_or_else(|| panic!("no reference: {value}"));
    name.split('.').next().unwrap_or(name)
}

pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// One or many, as policies and patterns allow.
pub(crate) fn one_or_many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |many| many.iter().collect())
}

/// Every function's event sources: function, event, type and properties.
fn event_sources(template: &Value) -> Vec<(String, String, String, Value)> {
    let mut found = Vec::new();
    for (function, properties) in resources(template, "AWS::Serverless::Function") {
        for (event, source) in properties["Events"].as_object().into_iter().flatten() {
            let kind = source["Type"].as_str().expect("a type").to_owned();
            found.push((function.clone(), event.clone(), kind, source["Properties"].clone()));
        }
    }
    assert!(!found.is_empty());
    found
}

/// Every statement of every role: role and statement.
fn statements(template: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (role, properties) in resources(template, "AWS::IAM::Role") {
        for policy in items(&properties["Policies"]) {
            found.extend(items(&policy["PolicyDocument"]["Statement"]).map(|one| (role.clone(), one.clone())));
        }
    }
    assert!(!found.is_empty());
    found
}

/// Runs one of the pinned tools; a missing one is a failure.
pub(crate) fn run_tool(name: &str, arguments: &[&str]) {
    let program = root().join(".tools/sam/bin").join(name);
    let output = Command::new(&program)
        .args(arguments)
        .current_dir(root())
        .env("SAM_CLI_TELEMETRY", "0")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; `make tools` installs it", program.display()));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{name} {arguments:?}: {said}");
}

#[test]
fn cfn_lint_finds_nothing() {
    run_tool("cfn-lint", &["template.yaml", "stacks/member-events.yaml"]);
}

#[test]
fn sam_finds_the_template_valid() {
    run_tool("sam", &["validate", "--lint"]);
}

#[test]
fn every_function_has_its_block_in_the_order_of_the_folders() {
    let text = read("template.yaml");
    let built = text.lines().filter_map(|line| line.trim().strip_prefix("Binary: "));
    assert_eq!(built.collect::<Vec<_>>(), functions());
    let template = template();
    let blocks = resources(&template, "AWS::Serverless::Function");
    assert_eq!(blocks.len(), functions().len());
    for function in functions() {
        let metadata = &template["Resources"][logical_id(&function)]["Metadata"];
        assert_eq!(metadata["BuildProperties"]["Binary"], *function);
    }
}

#[test]
fn every_function_has_a_readme_and_samples() {
    for function in functions() {
        assert!(!read(format!("functions/{function}/README.md")).is_empty());
        let folder = Path::new("events").join(&function);
        let samples = names_in(&folder);
        assert!(!samples.is_empty(), "events/{function} holds no sample");
        for sample in samples {
            let text = read(folder.join(&sample));
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{} is no JSON", sample.display());
        }
    }
}

#[test]
fn every_main_only_wires_things_up() {
    for function in functions() {
        let lines = read(format!("functions/{function}/src/main.rs")).lines().count();
        assert!(lines <= MAIN_LINES, "functions/{function}/src/main.rs has {lines} lines");
    }
}

#[test]
fn a_panic_is_an_error_and_not_the_end_of_the_process() {
    let manifest = read("Cargo.toml");
    let (_, profile) = manifest.split_once("[profile.release]").expect("a release profile");
    let profile = profile.split("\n[").next().unwrap_or_default();
    assert!(profile.contains("panic = \"unwind\""), "where nothing is said, cargo-lambda makes panics abort");
}

#[test]
fn every_resource_says_what_it_is_for() {
    let text = read("template.yaml");
    let (_, resources) = text.split_once("\nResources:\n").expect("resources");
    let (resources, _) = resources.split_once("\nOutputs:\n").expect("outputs");
    let lines: Vec<_> = resources.lines().collect();
    for (above, line) in std::iter::once(&"").chain(&lines).zip(&lines) {
        let id = line.strip_prefix("  ").filter(|id| id.starts_with(char::is_alphabetic));
        assert!(id.is_none() || above.starts_with("  # "), "no comment above {line}");
    }
}

#[test]
fn every_parameter_is_described_and_checked() {
    for (name, parameter) in template()["Parameters"].as_object().expect("parameters") {
        assert!(parameter["Description"].is_string(), "{name}");
        let checks = ["AllowedPattern", "AllowedValues", "MinValue"];
        assert!(checks.iter().any(|check| !parameter[check].is_null()), "{name} takes anything");
    }
}

#[test]
fn nothing_has_a_name_that_clashes_with_another_stack() {
    let template = template();
    let naming =
        ["FunctionName", "RoleName", "QueueName", "TableName", "TopicName", "AlarmName", "ArchiveName", "Name"];
    for (id, resource) in template["Resources"].as_object().expect("resources") {
        for name in naming {
            let given = &resource["Properties"][name];
            let is_of_the_stack = *given == json!({"Ref": "AWS::StackName"})
                || given["Fn::Sub"].as_str().is_some_and(|name| name.starts_with("${AWS::StackName}-"));
            assert!(given.is_null() || is_of_the_stack, "{id} has a fixed {name}");
        }
    }
    for (id, group) in resources(&template, "AWS::Logs::LogGroup") {
        let name = group["LogGroupName"]["Fn::Sub"].as_str().unwrap_or_default();
        assert!(name.contains("${AWS::StackName}"), "{id} has a fixed name");
    }
    for (function, event, kind, source) in event_sources(&template) {
        assert!(source["Name"].is_null() && source["RuleName"].is_null(), "{function} {event}");
        assert!(kind != "ScheduleV2" || source["OmitName"] == true, "SAM gives {function} {event} a fixed name");
    }
}

#[test]
fn every_function_has_both_failure_doors() {
    let template = template();
    for (function, properties) in resources(&template, "AWS::Serverless::Function") {
        let failures = &properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"];
        assert_eq!(failures["Type"], "SQS", "{function} forgets asynchronous invocations that fail");
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

#[test]
fn every_queue_has_a_dead_letter_queue_with_an_alarm() {
    let template = template();
    let queues = resources(&template, "AWS::SQS::Queue");
    let mut last_resorts: BTreeSet<String> = BTreeSet::new();
    for queue in queues.values().filter(|queue| queue["RedrivePolicy"].is_object()) {
        last_resorts.insert(referred(&queue["RedrivePolicy"]["deadLetterTargetArn"]).to_owned());
    }
    for properties in resources(&template, "AWS::Serverless::Function").values() {
        let failures = &properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"];
        last_resorts.insert(referred(&failures["Destination"]).to_owned());
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
fn every_bucket_keeps_versions_and_is_reached_by_tls_alone() {
    let template = template();
    let policies = resources(&template, "AWS::S3::BucketPolicy");
    for (id, bucket) in resources(&template, "AWS::S3::Bucket") {
        assert_eq!(bucket["VersioningConfiguration"]["Status"], "Enabled", "{id}");
        let own = policies.values().find(|policy| policy["Bucket"]["Ref"] == id.as_str());
        let statements = items(&own.expect("a policy")["PolicyDocument"]["Statement"]);
        let denied = statements.filter(|one| {
            (&one["Effect"], &one["Principal"], &one["Action"]) == (&json!("Deny"), &json!("*"), &json!("s3:*"))
                && one["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
                && items(&one["Resource"]).count() == 2
        });
        assert_eq!(denied.count(), 1, "{id}");
    }
}

#[test]
fn a_role_reads_of_the_documents_what_it_works_with() {
    for (role, statement) in statements(&template()) {
        let reads = one_or_many(&statement["Action"])
            .into_iter()
            .any(|action| action.as_str().is_some_and(|action| action.starts_with("s3:GetObject")));
        for resource in one_or_many(&statement["Resource"]) {
            let resource = resource["Fn::Sub"].as_str().unwrap_or_default();
            assert!(!reads || resource != "${Documents.Arn}/*", "{role} reads every document and backup");
            let is_backups = resource.contains("root-task-backups");
            assert!(!is_backups || role == "RootTaskRunnerRole", "{role} reads backups");
        }
    }
}

#[test]
fn every_queue_admits_the_rules_of_this_stack_and_the_roles_that_send_to_it_and_nobody_else() {
    let template = template();
    let all = statements(&template);
    let schedules = ["ComplianceSweepDailyRole", "CreateAccountPollerSweepRole"].map(ToOwned::to_owned);
    for (id, policy) in resources(&template, "AWS::SQS::QueuePolicy") {
        let statements: Vec<_> = items(&policy["PolicyDocument"]["Statement"]).collect();
        let [deny, allow] = statements[..] else { panic!("{id} has other statements") };
        assert_eq!(
            (&deny["Effect"], &deny["Principal"], &deny["Action"]),
            (&json!("Deny"), &json!("*"), &json!("sqs:SendMessage"))
        );
        // Both must hold: whoever is neither a service nor one of these roles is denied.
        assert_eq!(deny["Condition"]["Bool"], json!({"aws:PrincipalIsAWSService": "false"}), "{id}");
        let queue = &deny["Resource"];
        let admitted: BTreeSet<_> = items(&deny["Condition"]["ArnNotEquals"]["aws:PrincipalArn"])
            .map(|role| referred(role).to_owned())
            .collect();
        let sends = |statement: &Value| {
            one_or_many(&statement["Action"]).contains(&&json!("sqs:SendMessage"))
                && one_or_many(&statement["Resource"]).contains(&queue)
        };
        let mut senders: BTreeSet<_> =
            all.iter().filter(|(_, statement)| sends(statement)).map(|(role, _)| role.clone()).collect();
        // The roles that SAM makes for schedules are not in the template.
        senders
            .extend(admitted.iter().filter(|role| id == "UndeliverablePolicy" && schedules.contains(*role)).cloned());
        assert_eq!(admitted, senders, "{id}: left is admitted, right sends by its policy");
        assert_eq!(allow["Principal"], json!({"Service": "events.amazonaws.com"}), "{id}");
        assert_eq!(allow["Action"], "sqs:SendMessage", "{id}");
        let sources = &allow["Condition"]["ArnEquals"]["aws:SourceArn"];
        assert!(one_or_many(sources).into_iter().all(|rule| !referred(rule).is_empty()), "{id}");
    }
}

#[test]
fn the_topic_is_encrypted_and_admits_every_alarm_of_this_stack_and_nobody_else() {
    let template = template();
    for (id, topic) in resources(&template, "AWS::SNS::Topic") {
        assert_eq!(topic["KmsMasterKeyId"], json!({"Fn::GetAtt": "AlertsKey.Arn"}), "{id}");
    }
    let mut admitted = BTreeSet::new();
    for (id, policy) in resources(&template, "AWS::SNS::TopicPolicy") {
        for statement in items(&policy["PolicyDocument"]["Statement"]) {
            assert_eq!(statement["Principal"], json!({"Service": "cloudwatch.amazonaws.com"}), "{id}");
            let sources = one_or_many(&statement["Condition"]["ArnEquals"]["aws:SourceArn"]);
            admitted.extend(sources.into_iter().map(|alarm| referred(alarm).to_owned()));
        }
    }
    let alarms = resources(&template, "AWS::CloudWatch::Alarm").into_keys().collect();
    assert_eq!(admitted, alarms, "left may publish, right has something to say");
}

#[test]
fn the_accounts_own_bus_admits_nobody_and_that_of_the_members_events_of_aws_alone() {
    let template = template();
    let policies = resources(&template, "AWS::Events::EventBusPolicy");
    for (id, policy) in &policies {
        assert_ne!(policy["EventBusName"], "default", "{id}");
    }
    let members = &policies["MemberBusPolicy"]["Statement"];
    assert!(members["Condition"]["StringEquals"]["aws:PrincipalOrgID"].is_object());
    assert_eq!(members["Condition"]["StringLikeIfExists"], json!({"events:source": "aws.*"}));
    for (id, rule) in resources(&template, "AWS::Events::Rule") {
        let sources: Vec<_> = items(&rule["EventPattern"]["source"]).collect();
        let by_aws = sources.iter().all(|source| {
            source.as_str().or_else(|| source["prefix"].as_str()).is_some_and(|text| text.starts_with("aws."))
        });
        let bus = &rule["EventBusName"];
        if bus.is_null() || *bus == json!({"Ref": "MemberBus"}) {
            assert!(!sources.is_empty() && by_aws, "{id} hears events that others can send");
        }
        // What members may forward is not believed by the rules on the organization.
        if sources.contains(&&json!("aws.organizations")) {
            assert_eq!(rule["EventPattern"]["account"], json!([{"Ref": "AWS::AccountId"}]), "{id}");
        }
    }
}

#[test]
fn what_steward_is_excused_for_is_what_its_roles_may_do() {
    let template = template();
    let mut may: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, properties) in resources(&template, "AWS::IAM::Role") {
        for policy in items(&properties["Policies"]) {
            let name = policy["PolicyName"].as_str().expect("a name").to_owned();
            let actions = may.entry(name).or_default();
            for statement in items(&policy["PolicyDocument"]["Statement"]) {
                for action in one_or_many(&statement["Action"]) {
                    let action = action.as_str().expect("an action");
                    let (service, call) = action.split_once(':').expect("service:Action");
                    let is_heard = matches!(service, "account" | "iam" | "organizations" | "cloudtrail")
                        || action == "sts:AssumeRoot";
                    let is_read = ["Get", "List", "Describe"].iter().any(|verb| call.starts_with(verb));
                    if is_heard && !is_read {
                        actions.insert(action.to_owned());
                    }
                }
            }
        }
    }
    // The state machine calls functions alone, and has no part in the list of roles.
    may.remove("compliance-sweep");
    let excused = steward::own_roles::MAY
        .iter()
        .map(|(name, actions)| ((*name).to_owned(), actions.iter().map(|action| (*action).to_owned()).collect()));
    assert_eq!(excused.collect::<BTreeMap<String, BTreeSet<String>>>(), may, "left is excused, right is allowed");
    for function in ["ActivityAuditor", "RegionOptAuditor"] {
        let variables = &template["Resources"][function]["Properties"]["Environment"]["Variables"];
        let told =
            items(&variables["OWN_ROLES"]["Fn::Join"][1]).map(|entry| entry["Fn::Sub"].as_str().expect("a text"));
        let told: BTreeSet<_> = told.filter_map(|entry| entry.split(' ').next()).collect();
        assert_eq!(told, steward::own_roles::MAY.iter().map(|(name, _)| *name).collect(), "{function}");
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
fn every_function_has_a_role_of_its_own_with_one_inline_policy() {
    let template = template();
    let roles = resources(&template, "AWS::IAM::Role");
    for function in functions() {
        let id = logical_id(&function);
        let properties = &template["Resources"][&id]["Properties"];
        assert_eq!(properties["Role"], json!({"Fn::GetAtt": format!("{id}Role.Arn")}));
        assert!(properties["Policies"].is_null(), "{id}: what SAM makes of this is wider than it looks");
        let role = &roles[&format!("{id}Role")];
        assert!(role["ManagedPolicyArns"].is_null(), "{id}");
        let names: Vec<_> = items(&role["Policies"]).map(|policy| policy["PolicyName"].clone()).collect();
        assert_eq!(names, [json!(function)]);
    }
}

#[test]
fn root_sessions_are_opened_by_three_functions_alone_for_the_tasks_that_they_have() {
    let mut may: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (role, statement) in statements(&template()) {
        if one_or_many(&statement["Action"]).contains(&&json!("sts:AssumeRoot")) {
            assert_eq!(statement["Resource"]["Fn::Sub"], "arn:${AWS::Partition}:iam::*:root", "{role}");
            let policies = items(&statement["Condition"]["StringEquals"]["sts:TaskPolicyArn"]);
            let name = |arn: &Value| arn["Fn::Sub"].as_str().and_then(|arn| arn.rsplit('/').next()).map(Into::into);
            may.insert(role, policies.filter_map(name).collect());
        }
    }
    let (audit, delete) = ("IAMAuditRootUserCredentials", "IAMDeleteRootUserCredentials");
    let all = [audit, "IAMCreateRootUserPassword", delete, "S3UnlockBucketPolicy", "SQSUnlockQueuePolicy"];
    let expected = [
        ("BaselineApplierRole", vec![audit, delete]),
        ("ComplianceCheckerRole", vec![audit, delete]),
        ("RootTaskRunnerRole", all.to_vec()),
    ];
    let owned = |(role, tasks): &(&str, Vec<&str>)| (role.to_string(), tasks.iter().map(ToString::to_string).collect());
    assert_eq!(may, expected.iter().map(owned).collect());
}

#[test]
fn that_an_account_was_created_only_its_creator_may_say_and_requests_have_a_bus_of_their_own() {
    let template = template();
    let may_put = statements(&template).into_iter().filter(|(_, one)| one["Action"] == "events:PutEvents");
    let mut without_condition = Vec::new();
    for (role, statement) in may_put {
        assert_eq!(statement["Resource"], json!({"Fn::GetAtt": "Bus.Arn"}), "{role}");
        let conditions = &statement["Condition"];
        assert_eq!(conditions["ForAllValues:StringEquals"]["events:source"], "steward", "{role}");
        if conditions["ForAllValues:StringNotEquals"]["events:detail-type"] != "AccountCreated" {
            without_condition.push(role);
        }
    }
    assert_eq!(without_condition, ["CreateAccountPollerRole"]);

    let rules = resources(&template, "AWS::Events::Rule");
    let on =
        |bus: &str| rules.iter().filter(|(_, rule)| rule["EventBusName"] == json!({"Ref": bus})).collect::<Vec<_>>();
    assert!(on("Bus").iter().all(|(_, rule)| rule["EventPattern"]["source"] == json!(["steward"])));
    let [(_, requests)] = on("RequestBus")[..] else { panic!("one rule hears requests") };
    assert_eq!(requests["EventPattern"]["detail-type"], json!(["AccountRequested"]));
}

#[test]
fn no_action_is_a_pattern() {
    for (role, statement) in statements(&template()) {
        assert!(statement["NotAction"].is_null() && statement["NotResource"].is_null(), "{role}");
        for action in one_or_many(&statement["Action"]) {
            let (service, name) = action.as_str().and_then(|text| text.split_once(':')).expect("service:Action");
            let exact = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric());
            assert!(exact(service) && exact(name) && !name.is_empty(), "{role}: {action}");
        }
    }
}

#[test]
fn every_statement_for_any_resource_says_why() {
    let template = template();
    let text = read("template.yaml");
    let lines: Vec<_> = text.lines().collect();
    let mut explained = 0;
    for (above, line) in lines.iter().zip(lines.iter().skip(1)) {
        if line.trim_start().trim_start_matches("- ").trim_end_matches('"').ends_with("Resource: \"*") {
            assert!(above.trim_start().starts_with("# "), "no reason above {line}");
            explained += 1;
        }
    }
    let anywhere = |statement: &&Value| one_or_many(&statement["Resource"]).contains(&&json!("*"));
    let keys = resources(&template, "AWS::KMS::Key");
    let of_keys = keys.values().flat_map(|key| items(&key["KeyPolicy"]["Statement"])).filter(anywhere).count();
    let of_roles = statements(&template).iter().map(|(_, statement)| statement).filter(anywhere).count();
    assert_eq!(of_roles + of_keys, explained, "a `*` is written in another way");
}

#[test]
fn every_function_logs_to_a_group_of_its_own_with_retention() {
    let template = template();
    let groups = resources(&template, "AWS::Logs::LogGroup");
    for function in functions() {
        let id = logical_id(&function);
        let group = format!("{id}Logs");
        let properties = &template["Resources"][&id]["Properties"];
        assert_eq!(properties["LoggingConfig"]["LogGroup"], json!({"Ref": group}));
        assert_eq!(groups[&group]["RetentionInDays"], json!({"Ref": "LogRetentionDays"}));
        let writes = statements(&template).into_iter().find(|(role, statement)| {
            *role == format!("{id}Role") && one_or_many(&statement["Action"]).contains(&&json!("logs:PutLogEvents"))
        });
        let (_, writes) = writes.unwrap_or_else(|| panic!("{id} cannot write its log"));
        assert_eq!(writes["Resource"], json!({"Fn::GetAtt": format!("{group}.Arn")}));
    }
}

#[test]
fn every_metric_that_an_alarm_or_the_dashboard_looks_at_is_told() {
    let template = template();
    let dashboard = resources(&template, "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"].clone();
    let body: Value = serde_json::from_str(dashboard.as_str().expect("a body")).expect("the body is JSON");
    let widgets =
        items(&body["widgets"]).flat_map(|widget| items(&widget["properties"]["metrics"]).collect::<Vec<_>>());
    let shown = widgets.filter(|metric| metric[0] == "Steward").map(|metric| metric[1].clone());
    let alarms = resources(&template, "AWS::CloudWatch::Alarm").into_values();
    let watched = alarms.filter(|alarm| alarm["Namespace"] == "Steward").map(|alarm| alarm["MetricName"].clone());
    let names: BTreeSet<_> = shown.chain(watched).map(|name| name.as_str().expect("a name").to_owned()).collect();
    let code = ["compliance-reporter/src/told.rs", "create-account-poller/src/work.rs"]
        .map(|file| format!("functions/{file}"));
    let code: String = code.iter().map(read).chain([read("shared/src/start/wire.rs")]).collect();
    assert!(names.len() > 6, "{names:?}");
    for name in names {
        assert!(code.contains(&format!("\"{name}\"")), "nobody tells {name}");
    }
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
    let expected = invoked_by_rules_and_schedules(&template);
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
    let told =
        items(&variables["REPLAY_FUNCTIONS"]["Fn::Join"][1]).map(|entry| entry["Fn::Sub"].as_str().expect("a text"));
    let told: BTreeSet<_> = told.map(|entry| entry.split_once(' ').expect("a name and an ARN")).collect();
    let named = functions().into_iter().filter(|function| expected.contains(&logical_id(function)));
    let named: Vec<_> = named.map(|name| (name.clone(), format!("${{{}.Arn}}", logical_id(&name)))).collect();
    assert_eq!(told, named.iter().map(|(name, arn)| (name.as_str(), arn.as_str())).collect());
    let ids: BTreeSet<_> = items(&variables["OWN_ROLE_IDS"]["Fn::Join"][1]).map(|id| referred(id).to_owned()).collect();
    assert_eq!(ids, functions().into_iter().map(|function| format!("{}Role", logical_id(&function))).collect());
    let shapes: BTreeSet<_> = steward::replay::INVOKED.iter().map(|(name, _)| *name).collect();
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
    let known: BTreeSet<_> =
        steward::replay::RULES.iter().map(|(name, source, _)| ((*name).to_owned(), (*source).to_owned())).collect();
    assert_eq!(sent, known, "left is sent by rules, right may be sent again");
}
