//! The sample policies in `docs/policies`: what a person copies from there is accepted by AWS.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::{names_in, one_or_many, read, run_tool};

/// The characters that AWS allows, white space left out: a managed policy, and a service control policy.
const MANAGED_POLICY: usize = 6144;
const SERVICE_CONTROL_POLICY: usize = 5120;

fn policies() -> Vec<(String, Value)> {
    let names = names_in("docs/policies").into_iter().filter(|name| name.extension().is_some_and(|e| e == "json"));
    let found: Vec<_> = names
        .map(|name| {
            let text = read(std::path::Path::new("docs/policies").join(&name));
            (name.display().to_string(), serde_json::from_str(&text).expect("a policy is JSON"))
        })
        .collect();
    assert!(found.len() >= 2, "{found:?}");
    found
}

fn statements(policy: &Value) -> Vec<&Value> {
    one_or_many(&policy["Statement"])
}

#[test]
fn cfn_lint_knows_every_word_and_every_action_of_the_sample_policies() {
    // What it checks in a template, it does not check in a file of its own.
    let resources: serde_json::Map<_, _> = policies()
        .into_iter()
        .enumerate()
        .map(|(n, (_, policy))| {
            (format!("Policy{n}"), json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy}}))
        })
        .collect();
    let folder = std::env::temp_dir().join(format!("policies-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("template.json");
    let lint = |resources: &Value| {
        std::fs::write(&file, json!({"Resources": resources}).to_string()).expect("a file");
        std::panic::catch_unwind(|| run_tool("cfn-lint", &[file.to_str().expect("a path in UTF-8")]))
    };
    let mut resources = Value::Object(resources);
    assert!(lint(&resources).is_ok());
    // It would have found something.
    resources["Policy0"]["Properties"]["PolicyDocument"]["Statement"][0]["Action"] = json!("account:DoAnything");
    assert!(lint(&resources).is_err());
    std::fs::remove_dir_all(&folder).expect("the folder is removed");
}

#[test]
fn every_condition_of_the_sample_policies_has_a_known_operator_and_a_key_with_its_source() {
    let page = read("docs/policies/README.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<_> = rows.filter_map(|row| row.split('`').nth(1)).map(ToOwned::to_owned).collect();
    let mut used = BTreeSet::new();
    for (name, policy) in policies() {
        for statement in statements(&policy) {
            for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
                let known = [
                    "ArnLike",
                    "Null",
                    "StringEqualsIgnoreCase",
                    "ForAllValues:StringEquals",
                    "ForAnyValue:StringLike",
                ];
                assert!(known.contains(&operator.as_str()), "{name}: {operator}");
                for key in keys.as_object().expect("keys").keys() {
                    // A key with several values in the request decides nothing without a quantifier.
                    assert_eq!(key.ends_with("OrgPaths"), operator.starts_with("ForAnyValue:"), "{name}: {key}");
                    assert_eq!(key == "events:detail-type", operator.starts_with("ForAllValues:"), "{name}: {key}");
                    used.insert(key.clone());
                }
            }
        }
    }
    assert_eq!(used, documented, "left is used, right is in the table");
}

#[test]
fn every_sample_policy_fits_the_size_that_aws_allows() {
    for (name, policy) in policies() {
        let is_control = statements(&policy).iter().all(|statement| statement["Effect"] == "Deny");
        let limit = if is_control { SERVICE_CONTROL_POLICY } else { MANAGED_POLICY };
        assert!(policy.to_string().len() <= limit, "{name}");
        assert_eq!(policy["Version"], "2012-10-17", "{name}");
    }
}

#[test]
fn the_sample_that_denies_root_users_lets_root_sessions_through() {
    let (_, policy) = policies().into_iter().find(|(name, _)| name == "deny-root-users.json").expect("the sample");
    let statement = statements(&policy)[0];
    assert_eq!((&statement["Effect"], &statement["Action"]), (&json!("Deny"), &json!("*")));
    assert_eq!(statement["Condition"]["ArnLike"]["aws:PrincipalArn"], "arn:aws:iam::*:root");
    // Denied is who has no such key.
    assert_eq!(statement["Condition"]["Null"]["aws:AssumedRoot"], "true");
}
