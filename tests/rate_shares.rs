//! What the functions take of the rates that AWS publishes for the management account, where they work side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::template::{read, resources, statements_of, template};

/// The functions that people invoke beside whatever else is at work, one at a time.
const BY_HAND: [&str; 7] = [
    "AccountCloser",
    "AccountRequester",
    "AccountUpdater",
    "BaselineApplier",
    "JumpUserManager",
    "OrganizationPreparer",
    "RootTaskRunner",
];
/// Operations that one process of a function calls at a time, however many there are, and why.
const ONE_AT_A_TIME: [(&str, &str, &str); 10] = [
    ("AccountRequester", "ListAccounts", "whoever lists holds a lock in the table"),
    ("AccountUpdater", "DeleteAlternateContact", ASKED_BY_PEOPLE),
    ("AccountUpdater", "GetAlternateContact", ASKED_BY_PEOPLE),
    ("AccountUpdater", "GetContactInformation", ASKED_BY_PEOPLE),
    ("AccountUpdater", "ListAccounts", ASKED_BY_PEOPLE),
    ("AccountUpdater", "ListOrganizationalUnitsForParent", ASKED_BY_PEOPLE),
    ("AccountUpdater", "ListRegions", ASKED_BY_PEOPLE),
    ("AccountUpdater", "ListRoots", ASKED_BY_PEOPLE),
    ("AccountUpdater", "PutAlternateContact", ASKED_BY_PEOPLE),
    (
        "BaselineApplier",
        "ListAccounts",
        "the queue names its accounts; a person selects from all of them, or a turn in the table makes the groups of the jump account",
    ),
];

/// Why the processes of a queue do not make a call that the function makes for people.
const ASKED_BY_PEOPLE: &str = "the queue knows its accounts and changes addresses alone; people ask one at a time";

/// A function that calls what AWS counts for the management account.
struct Caller {
    name: String,
    operations: BTreeSet<String>,
    /// Processes of it that work at the same time.
    at_once: f64,
    variables: Value,
}

impl Caller {
    fn share_of(&self, operation: &str) -> f64 {
        let own = self.shares().remove(operation);
        own.unwrap_or_else(|| {
            self.variables["RATE_SHARE"].as_str().map_or(1.0, |share| share.parse().expect("a number"))
        })
    }

    /// The shares of single operations.
    fn shares(&self) -> BTreeMap<String, f64> {
        let pairs =
            self.variables["RATE_SHARES"].as_str().unwrap_or_default().split(',').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (operation, share) = pair.split_once(' ').expect("an operation and its share");
            (operation.to_owned(), share.parse().expect("a number"))
        };
        pairs.map(pair).collect()
    }

    /// What all processes of it take of the rate of an operation.
    fn takes(&self, operation: &str) -> f64 {
        let is_alone = ONE_AT_A_TIME.iter().any(|(name, alone, _)| *name == self.name && *alone == operation);
        self.share_of(operation) * if is_alone { 1.0 } else { self.at_once }
    }
}

/// The operations of AWS Organizations, Account Management and the index of tags that a role may call.
fn operations(role: &Value) -> BTreeSet<String> {
    let policies = role["Policies"].as_array().into_iter().flatten();
    let statements = policies.flat_map(|policy| statements_of(&policy["PolicyDocument"]));
    let allowed = statements.filter(|statement| statement["Effect"] == "Allow");
    let actions = allowed.flat_map(|statement| match &statement["Action"] {
        Value::Array(actions) => actions.clone(),
        action => vec![action.clone()],
    });
    let names = actions.filter_map(|action| {
        let (service, operation) = action.as_str()?.split_once(':')?;
        ["organizations", "account", "tag"].contains(&service).then(|| operation.to_owned())
    });
    names.collect()
}

fn callers() -> Vec<Caller> {
    let template = template();
    let roles = resources(&template, "AWS::IAM::Role");
    let definition: Value = serde_json::from_str(&read("statemachines/compliance-sweep.asl.json")).expect("JSON");
    let batches = crate::state_machine::looking(&definition)["MaxConcurrency"].as_f64().expect("a concurrency");
    let caller = |(name, function): (String, Value)| {
        let of_queues = function["Events"].as_object().into_iter().flat_map(|events| events.values());
        let of_queues =
            of_queues.filter_map(|event| event["Properties"]["ScalingConfig"]["MaximumConcurrency"].as_f64());
        let of_sweep = match name.as_str() {
            "AccountLister" => 1.0,
            "ComplianceChecker" => batches,
            _ => 0.0,
        };
        let by_hand = if BY_HAND.contains(&name.as_str()) { 1.0 } else { 0.0 };
        // A function's own role, and one that it assumes, are named after it.
        let of_it = roles.iter().filter(|(role, _)| role.starts_with(&name));
        Caller {
            operations: of_it.flat_map(|(_, role)| operations(role)).collect(),
            at_once: of_queues.sum::<f64>() + of_sweep + by_hand,
            variables: function["Environment"]["Variables"].clone(),
            name,
        }
    };
    let all = resources(&template, "AWS::Serverless::Function").into_iter().map(caller);
    all.filter(|caller| !caller.operations.is_empty()).collect()
}

#[test]
fn the_functions_that_work_side_by_side_take_no_more_than_aws_publishes_of_any_rate() {
    let callers = callers();
    let operations: BTreeSet<&String> = callers.iter().flat_map(|caller| &caller.operations).collect();
    assert!(operations.len() > 20, "{operations:?}");
    for operation in operations {
        let (mut listing, mut checking, mut requests, mut others) = (0.0, 0.0, 0.0, 0.0);
        let mut said = Vec::new();
        for caller in callers.iter().filter(|caller| caller.operations.contains(operation)) {
            let takes = caller.takes(operation);
            assert!(takes > 0.0, "{} never calls {operation}", caller.name);
            said.push(format!("{} {takes:.2}", caller.name));
            match caller.name.as_str() {
                "AccountLister" => listing += takes,
                "ComplianceChecker" => checking += takes,
                // Whoever lists for the index of accounts holds a lock in the table, and so does a sweep.
                "AccountRequester" if operation == "ListAccounts" => requests += takes,
                _ => others += takes,
            }
        }
        // What both ask for is never asked for at the same time: whoever deploys stack sets asks for tags before any account is
        // looked at, and whoever changes accounts looks units up when all are listed.
        let all = listing.max(checking).max(requests) + others;
        assert!(all <= 1.0 + 1e-9, "{all:.2} of the rate of {operation}: {}", said.join(", "));
    }
}

#[test]
fn a_share_of_one_operation_is_of_one_that_the_function_calls() {
    for caller in callers() {
        let named: BTreeSet<String> = caller.shares().into_keys().collect();
        assert!(named.is_subset(&caller.operations), "{}: {named:?}", caller.name);
    }
}

#[test]
fn calls_that_close_accounts_are_further_apart_than_aws_publishes() {
    // With a burst of one, two calls that are twenty seconds apart when they leave may be less when they arrive.
    let closer = callers().into_iter().find(|caller| caller.name == "AccountCloser").expect("the function");
    assert!(closer.takes("CloseAccount") < 0.99, "{}", closer.takes("CloseAccount"));
}

/// As deep as AWS lets units be under a root.
const DEEPEST: f64 = 5.0;
/// Calls of `DescribeOrganizationalUnit` that AWS takes in a second.
const DESCRIBED_UNITS: f64 = 2.0;
/// What an invocation needs beside the names, in seconds: what it keeps back for its end, and half as much for its other calls.
const OTHER_SECONDS: f64 = 45.0;

#[test]
fn whoever_reads_the_names_above_an_account_has_the_time_for_the_deepest() {
    let timeouts: BTreeMap<String, f64> = resources(&template(), "AWS::Serverless::Function")
        .into_iter()
        .map(|(name, function)| (name, function["Timeout"].as_f64().expect("a timeout")))
        .collect();
    let operation = "DescribeOrganizationalUnit";
    let readers: Vec<Caller> = callers().into_iter().filter(|caller| caller.operations.contains(operation)).collect();
    assert!(readers.len() > 3);
    for reader in readers {
        // Whoever asks for an account names its unit, of which no more than that is looked up.
        let names = if reader.name == "AccountRequester" { 1.0 } else { DEEPEST };
        let seconds = names / (DESCRIBED_UNITS * reader.share_of(operation)) + OTHER_SECONDS;
        assert!(seconds <= timeouts[&reader.name], "{} needs {seconds:.0} s", reader.name);
    }
}
