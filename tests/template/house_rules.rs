//! The house rules of template.yaml and of the folders beside it.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};
use syn::{Expr, ExprCall, visit::Visit};

use super::{
    event_sources, functions, items, logical_id, names_in, one_or_many, read, resources, root, statements, template,
};

/// The longest a function's main.rs may be: it only wires things up.
const MAIN_LINES: usize = 25;

#[test]
fn every_function_is_built_from_its_folder_and_stands_in_its_flow_with_its_role_and_log() {
    let template = template();
    let blocks = resources(&template, "AWS::Serverless::Function");
    assert_eq!(blocks.len(), functions().len());
    let flows = flows();
    for function in functions() {
        let id = logical_id(&function);
        assert_eq!(template["Resources"][&id]["Metadata"]["BuildProperties"]["Binary"], *function);
        let stands_in = |suffix: &str| flows.iter().position(|ids| ids.contains(&format!("{id}{suffix}")));
        let of_function = stands_in("");
        assert!(of_function.is_some(), "{id} stands in no flow");
        for suffix in ["Role", "Logs"] {
            assert_eq!(stands_in(suffix), of_function, "{id}{suffix} stands away from {id}");
        }
    }
}

/// The resources of each flow: what stands below one banner, in their order.
fn flows() -> Vec<Vec<String>> {
    let text = read("template.yaml");
    let (_, resources) = text.split_once("\nResources:\n").expect("resources");
    let (resources, _) = resources.split_once("\nOutputs:\n").expect("outputs");
    let mut flows = Vec::new();
    for line in resources.lines() {
        let id = line.strip_prefix("  ").filter(|line| line.starts_with(char::is_alphabetic));
        if line.starts_with("  # ---- ") {
            flows.push(Vec::new());
        } else if let Some(id) = id {
            let flow = flows.last_mut().unwrap_or_else(|| panic!("{id} stands before the first flow"));
            flow.push(id.trim_end_matches(':').to_owned());
        }
    }
    flows
}

#[test]
fn every_function_has_a_readme_and_samples_that_it_checks() {
    for function in functions() {
        assert!(!read(format!("functions/{function}/README.md")).is_empty());
        assert!(!payloads::of(&function).is_empty());
        let mut checks = SampleChecks(0);
        checks.visit_sources(&root().join("functions").join(&function).join("src"));
        assert_eq!(checks.0, 1, "{function} checks what its samples ask for, in one test");
    }
    let folders: Vec<_> = names_in("events").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    assert_eq!(folders, functions(), "events has a folder for each function");
}

#[test]
fn every_function_has_its_row_in_the_readme() {
    let readme = read("README.md");
    let (_, table) = readme.split_once("| function | does |\n| --- | --- |\n").expect("the table");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let named = rows.map(|row| row.split(['[', ']']).nth(1).expect("a link").to_owned());
    assert_eq!(named.collect::<BTreeSet<_>>(), functions().into_iter().collect());
}

/// Counts the calls of `payloads::check`.
struct SampleChecks(usize);

impl SampleChecks {
    fn visit_sources(&mut self, folder: &Path) {
        for name in names_in(folder) {
            let path = folder.join(name);
            if path.is_dir() {
                self.visit_sources(&path);
            } else {
                self.visit_file(&syn::parse_file(&read(path)).expect("Rust"));
            }
        }
    }
}

impl<'ast> Visit<'ast> for SampleChecks {
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(called) = &*call.func {
            let path: Vec<_> = called.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.0 += usize::from(path == ["payloads", "check"]);
        }
        syn::visit::visit_expr_call(self, call);
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
