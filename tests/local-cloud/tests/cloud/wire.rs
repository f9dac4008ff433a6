//! The wire shapes, checked by a client that nobody here wrote.

use local_cloud::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{CLOUD, python};

/// Runs a script beside these tests with botocore at hand, and returns what it prints.
async fn botocore(script: &str, accounts: impl Into<Vec<String>>) -> String {
    let (script, mut arguments) = (script.to_owned(), accounts.into());
    arguments.insert(0, CLOUD.endpoint());
    tokio::task::spawn_blocking(move || python(&script, &arguments)).await.unwrap()
}

#[tokio::test]
async fn botocore_understands_every_answer_of_organizations() {
    let printed = botocore("organizations_wire.py", [CLOUD.new_account_id()]).await;
    assert!(printed.starts_with("36 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_understands_every_answer_of_account_management() {
    let (organization, _, mut members) = crate::account::with_members(1).await;
    let accounts = [organization.management_account().to_owned(), members.remove(0)];
    let printed = botocore("account_wire.py", accounts).await;
    assert!(printed.starts_with("15 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_blocks_public_access() {
    let printed = botocore("s3_control_wire.py", [CLOUD.new_account_id()]).await;
    assert!(printed.starts_with("3 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_keeps_a_template_of_quotas() {
    let (organization, _, _) = crate::account::with_members(0).await;
    organization.set_trusted_access("servicequotas.amazonaws.com", true);
    let printed = botocore("service_quotas_wire.py", [organization.management_account().to_owned()]).await;
    assert!(printed.starts_with("4 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_deploys_a_stack_set() {
    let (organization, _, members) = crate::account::with_members(1).await;
    organization.make_stack_set("own", None);
    organization.make_stack_set("units", Some(&["ou-ab12-cdef3456"]));
    let failed = ("OUTDATED", "FAILED", "Account <1> & region");
    organization.set_stack_instance("units", (&members[0], "us-east-1"), failed);
    let accounts = [organization.management_account().to_owned(), members[0].clone()];
    let printed = botocore("stack_sets_wire.py", accounts).await;
    assert!(printed.starts_with("5 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_asks_what_an_account_costs() {
    let (organization, _, members) = crate::account::with_members(1).await;
    organization.set_cost(&members[0], "12.3456");
    let accounts = [organization.management_account().to_owned(), members[0].clone()];
    let printed = botocore("cost_explorer_wire.py", accounts).await;
    assert!(printed.starts_with("1 operation"), "{printed}");
}

#[tokio::test]
async fn botocore_has_policies_looked_at() {
    let printed = botocore("access_analyzer_wire.py", [CLOUD.new_account_id()]).await;
    assert!(printed.starts_with("1 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_colors_a_console() {
    let printed = botocore("uxc_wire.py", [CLOUD.new_account_id()]).await;
    assert!(printed.starts_with("2 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_keeps_a_budget_and_looks_at_a_recorder() {
    let printed = botocore("budgets_wire.py", [CLOUD.new_account_id()]).await;
    assert!(printed.starts_with("7 operations"), "{printed}");
    let printed = botocore("config_wire.py", [CLOUD.new_account_id()]).await;
    assert!(printed.starts_with("7 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_manages_root_users() {
    let (organization, _, _) = crate::root_access::organization().await;
    let printed = botocore("root_access_wire.py", [organization.management_account().to_owned()]).await;
    assert!(printed.starts_with("18 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_asks_a_simulated_account() {
    let (organization, member) = crate::simulated::organization().await;
    let printed = botocore("simulated_wire.py", [organization.management_account().to_owned(), member]).await;
    assert!(printed.starts_with("17 operations"), "{printed}");
}

#[tokio::test]
async fn botocore_understands_errors_in_every_protocol() {
    let account = CLOUD.new_account_id();
    let _guard = CLOUD.faults().add(Fault::new(FaultKind::Throttle).account(&account));
    let codes: Value = serde_json::from_str(&botocore("throttled_wire.py", [account]).await).unwrap();
    let expected = json!({
        "cloudwatch": "Throttling",
        "dynamodb": "ThrottlingException",
        "lambda": "TooManyRequestsException",
        "organizations": "TooManyRequestsException",
        "s3": "SlowDown",
        "sts": "Throttling",
    });
    assert_eq!(codes, expected);
}
