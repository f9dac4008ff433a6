//! The house rules of template.yaml and of the folders beside it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{
    event_sources, functions, items, logical_id, names_in, one_or_many, read, resources, run_tool, statements, template,
};

/// The longest a function's main.rs may be: it only wires things up.
const MAIN_LINES: usize = 25;

#[test]
fn cfn_lint_finds_nothing() {
    run_tool("cfn-lint", &["template.yaml", "stacks/config-recorder.yaml", "stacks/member-events.yaml"]);
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
fn every_function_has_a_readme_and_samples_that_it_checks() {
    for function in functions() {
        assert!(!read(format!("functions/{function}/README.md")).is_empty());
        assert!(!payloads::of(&function).is_empty());
        let code = sources(&Path::new("functions").join(&function).join("src"));
        assert!(code.contains("payloads::check("), "{function} does not check what its samples ask for");
    }
    let folders: Vec<_> = names_in("events").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    assert_eq!(folders, functions(), "events has a folder for each function");
}

/// The code in a folder and those below it.
fn sources(folder: &Path) -> String {
    let text = |name: &PathBuf| {
        let path = folder.join(name);
        if name.extension().is_some() { read(path) } else { sources(&path) }
    };
    names_in(folder).iter().map(text).collect()
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
    // An alias has its name within its function, and a permission names the function that it is of.
    let is_alias = |resource: &Value| {
        ["AWS::Lambda::Alias", "AWS::Lambda::Permission"].iter().any(|of_function| resource["Type"] == *of_function)
    };
    let resources_of = template["Resources"].as_object().expect("resources");
    for (id, resource) in resources_of.iter().filter(|(_, resource)| !is_alias(resource)) {
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
