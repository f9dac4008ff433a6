//! The sample policies in `docs/policies`: what a person copies from there is accepted by AWS.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::{functions, logical_id, names_in, one_or_many, read, referred, resources, run_tool, template};

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
                    "ArnNotLike",
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

/// Whether a pattern of IAM, in which `*` stands for anything, fits a text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|skipped| rest.is_char_boundary(skipped) && fits(after, &rest[skipped..]))
        }),
    }
}

#[test]
fn the_sample_that_protects_the_way_in_and_the_forwarder_binds_everybody_but_themselves_and_stack_sets() {
    let (_, policy) = policies().into_iter().find(|(name, _)| name == "protect-steward.json").expect("the sample");
    let denied = |principal: &str, action: &str, resource: &str| {
        statements(&policy).into_iter().any(|statement| {
            let spared = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"].as_str().expect("who is spared");
            one_or_many(&statement["Action"]).contains(&&json!(action))
                && fits(statement["Resource"].as_str().expect("a resource"), resource)
                && !fits(spared, principal)
        })
    };
    let administrator = "arn:aws:iam::222222222222:role/Administrator";
    let access = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole";
    let stack_sets = "arn:aws:iam::222222222222:role/stacksets-exec-0a1b2c3d";
    // The names that CloudFormation gives to what stacks/member-events.yaml has.
    let template = crate::template::template_in("stacks/member-events.yaml");
    let named = |logical_id: &str| format!("StackSet-steward-0a1b2c3d-{logical_id}-X1Y2Z3");
    for rule in crate::template::resources(&template, "AWS::Events::Rule").keys() {
        let rule = format!("arn:aws:events:us-east-1:222222222222:rule/{}", named(rule));
        assert!(denied(administrator, "events:RemoveTargets", &rule), "{rule}");
        assert!(!denied(stack_sets, "events:PutRule", &rule), "{rule}");
    }
    for role in crate::template::resources(&template, "AWS::IAM::Role").keys() {
        let role = format!("arn:aws:iam::222222222222:role/{}", named(role));
        assert!(denied(administrator, "iam:DeleteRolePolicy", &role), "{role}");
        assert!(!denied(stack_sets, "iam:DeleteRole", &role), "{role}");
    }
    assert!(denied(administrator, "iam:UpdateAssumeRolePolicy", access));
    assert!(!denied(access, "iam:UpdateAssumeRolePolicy", access));
    assert!(!denied(administrator, "iam:DeleteRole", administrator));
}

#[test]
fn every_function_that_takes_a_mode_has_an_alias_that_plans_and_planners_are_let_to_these_alone() {
    let template = template();
    let takes_a_mode =
        |function: &String| payloads::of(function).iter().any(|sample| sample.payload["mode"].is_string());
    let expected: BTreeSet<_> =
        functions().iter().filter(|name| takes_a_mode(name)).map(|name| logical_id(name)).collect();
    assert!(expected.len() >= 4, "{expected:?}");

    let aliases = resources(&template, "AWS::Lambda::Alias");
    for (id, alias) in &aliases {
        // It is the code that is deployed: an alias of a version would plan by another.
        assert_eq!((&alias["Name"], &alias["FunctionVersion"]), (&json!("plan"), &json!("$LATEST")), "{id}");
        assert!(alias["RoutingConfig"].is_null(), "{id}");
        let elsewhere = template.to_string().matches(&format!("\"{id}\"")).count();
        // The sweep looks at the organization: the alias is named in the definition of its machine and in the machine's role.
        let expected = if id == "OrganizationPreparerPlan" { 4 } else { 1 };
        assert_eq!(elsewhere, expected, "a rule, a schedule or a queue invokes {id}");
    }
    let planning: BTreeSet<_> = aliases.values().map(|alias| referred(&alias["FunctionName"]).to_owned()).collect();
    assert_eq!(planning, expected, "left has an alias, right takes a mode");

    let (_, policy) = policies().into_iter().find(|(name, _)| name == "plan.json").expect("the sample");
    let named = statements(&policy).into_iter().flat_map(|statement| {
        assert_eq!(statement["Action"], "lambda:InvokeFunction");
        one_or_many(&statement["Resource"])
    });
    let planned: BTreeSet<_> = named
        .map(|resource| {
            let (_, name) = resource.as_str().and_then(|arn| arn.split_once(":function:steward-")).expect("a function");
            name.strip_suffix("-*:plan").expect("the alias and nothing else").to_owned()
        })
        .collect();
    assert_eq!(planned, expected, "left may be planned with, right takes a mode");
}
