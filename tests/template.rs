//! template.yaml and the folders beside it, as tests read them; below it, what must hold of them.

mod delivery;
mod drawings;
mod grants;
mod house_rules;
mod parameters;
mod state_page;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Value, json};
use steward::table::keys::Kind;

/// The checkout.
pub(crate) fn root() -> &'static Path {
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
pub(crate) fn functions() -> Vec<String> {
    names_in("functions").iter().map(|name| name.to_str().expect("a name in UTF-8").to_owned()).collect()
}

/// `account-requester` as the template names it: `AccountRequester`.
pub(crate) fn logical_id(function: &str) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(capitalized).collect()
}

/// The kind of the items whose keys are like this pattern of a policy, as a pattern.
fn kind_of(kinds: &[Kind], pattern: &str) -> Option<String> {
    let is_of = |kind: &String| kind == pattern || kind.strip_suffix('*').is_some_and(|kind| pattern.starts_with(kind));
    kinds.iter().map(|kind| kind.pattern()).find(is_of)
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
    let got = &value["Fn::GetAtt"];
    let name = got.as_str().or(got[0].as_str()).or(value["Ref"].as_str());
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
            found.extend(statements_of(&policy["PolicyDocument"]).map(|one| (role.clone(), one.clone())));
        }
    }
    assert!(!found.is_empty());
    found
}

/// The statements of a policy document, with those that depend on a parameter.
pub(crate) fn statements_of(document: &Value) -> impl Iterator<Item = &Value> {
    items(&document["Statement"]).map(|one| one["Fn::If"].get(1).unwrap_or(one))
}

/// template.yaml as CloudFormation gets it, after SAM's transform.
pub(crate) fn translated() -> Value {
    let output = Command::new(root().join(".tools/sam/bin/python"))
        .arg(root().join("tools/translated.py"))
        .stdin(fs::File::open(root().join("template.yaml")).expect("the template"))
        .output()
        .unwrap_or_else(|error| panic!("the translator of SAM: {error}; `make tools` installs it"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the translator of SAM: {said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
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
