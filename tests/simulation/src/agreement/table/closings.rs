//! What is asked by whoever closes accounts.

use serde_json::{Value, json};

use super::organization;
use crate::agreement::row::Row;

pub(super) fn rows() -> Vec<Row> {
    [units_and_tags(), closings(), stack_sets(), vec![costs()]].into_iter().flatten().collect()
}

fn untag(says: &'static str, account: &str, key: &str) -> Row {
    organization(says, "UntagResource", json!({"ResourceId": account, "TagKeys": [key]}))
}

fn inside(says: &'static str, parent: &str) -> Row {
    organization(says, "ListAccountsForParent", json!({"ParentId": parent}))
}

fn units_and_tags() -> Vec<Row> {
    vec![
        inside("the accounts of the root are listed", "$root"),
        inside("the accounts of a unit that is not there", "ou-gone-00000000").refused("ParentNotFoundException"),
        organization("nobody administers a service", "ListDelegatedAdministrators", json!({})),
        untag("a tag is taken away", "$member", "a"),
        organization("the other tag is still there", "ListTagsForResource", json!({"ResourceId": "$member"})),
    ]
}

/// AWS takes one call that closes an account in twenty seconds: between two of them, something else is asked.
fn closings() -> Vec<Row> {
    let close = |says, account: &str| organization(says, "CloseAccount", json!({"AccountId": account}));
    vec![
        close("the management account is not closed", "$account").refused("ConstraintViolationException"),
        inside("nobody is in the unit", "$unit"),
        close("an account that is not there is not closed", "999999999999").refused("AccountNotFoundException"),
        untag("a tag that is not there is taken away", "$member", "a"),
        close("an account is closed", "$new account"),
        organization("after a while it is closed", "DescribeAccount", json!({"AccountId": "$new account"}))
            .settles("/members/Account/State", "CLOSED"),
        close("what is closed is not closed again", "$new account").refused("AccountAlreadyClosedException"),
        untag("a tag is taken from an account that is not there", "999999999999", "a")
            .refused("TargetNotFoundException"),
        close("another account is closed", "$other member"),
        organization("it has no tags", "ListTagsForResource", json!({"ResourceId": "$other member"})),
        close("what is being closed is not closed again", "$other member").refused("ConflictException"),
    ]
}

fn stack_sets() -> Vec<Row> {
    let ask = |says, operation, parameters| Row::new(says, "cloudformation", operation, parameters);
    let of = |set: &str| {
        json!({"StackSetName": set, "Accounts": ["$other member"], "Regions": ["us-east-1"], "RetainStacks": true,
            "OperationId": "one"})
    };
    let instances = |set: &str| json!({"StackSetName": set, "StackInstanceAccount": "$other member"});
    vec![
        ask("the stack sets are listed", "ListStackSets", json!({"Status": "ACTIVE"})),
        ask("what an account has of a stack set", "ListStackInstances", instances("shared")),
        ask("of a stack set that is not there", "ListStackInstances", instances("gone"))
            .refused("StackSetNotFoundException"),
        ask("a stack set is shown", "DescribeStackSet", json!({"StackSetName": "shared"})),
        ask("one that is not there is not", "DescribeStackSet", json!({"StackSetName": "gone"}))
            .refused("StackSetNotFoundException"),
        ask("an account is taken out", "DeleteStackInstances", of("shared")),
        ask("it is taken out once", "DeleteStackInstances", of("shared")).refused("OperationIdAlreadyExistsException"),
        ask("nobody is taken out of what is not there", "DeleteStackInstances", of("gone"))
            .refused("StackSetNotFoundException"),
    ]
}

fn costs() -> Row {
    let month: Value = json!({"TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"}, "Granularity": "MONTHLY",
        "Metrics": ["UnblendedCost"], "GroupBy": [{"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}],
        "Filter": {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": ["$other member"]}}});
    Row::new("nothing has cost anything", "ce", "GetCostAndUsage", month)
}
