use aws_sdk_cloudformation::{
    Client as CloudFormation,
    operation::{
        create_stack_instances::{CreateStackInstancesError, CreateStackInstancesOutput},
        describe_stack_set::{DescribeStackSetError, DescribeStackSetOutput},
        list_stack_instances::ListStackInstancesOutput,
    },
    types::{
        PermissionModels, StackInstanceComprehensiveStatus, StackInstanceDetailedStatus, StackInstanceStatus,
        StackInstanceSummary, StackSet as SdkStackSet,
        error::{OperationIdAlreadyExistsException, OperationInProgressException, StackSetNotFoundException},
    },
};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;

use super::*;
use crate::control::{
    Mode, Outcome,
    testing::{Rules, account, run, stopped},
};

fn desired(regions: &[&str]) -> StackInstances {
    let regions = regions.iter().map(|region| region.parse().unwrap()).collect();
    StackInstances { sets: vec![WantedSet { name: "logging".to_owned(), regions }] }
}

fn set(units: Option<&'static str>) -> Rule {
    mock!(CloudFormation::describe_stack_set).then_output(move || {
        let model = if units.is_some() { PermissionModels::ServiceManaged } else { PermissionModels::SelfManaged };
        let set = SdkStackSet::builder().permission_model(model);
        let set = set.set_organizational_unit_ids(units.map(|unit| vec![unit.to_owned()]));
        DescribeStackSetOutput::builder().stack_set(set.build()).build()
    })
}

fn summary(region: &str, status: &str, detailed: &str, reason: &str) -> StackInstanceSummary {
    let detailed =
        StackInstanceComprehensiveStatus::builder().detailed_status(StackInstanceDetailedStatus::from(detailed));
    StackInstanceSummary::builder()
        .account(account().as_str())
        .region(region)
        .status(StackInstanceStatus::from(status))
        .status_reason(reason)
        .stack_instance_status(detailed.build())
        .build()
}

fn listed(instances: Vec<StackInstanceSummary>) -> Rule {
    mock!(CloudFormation::list_stack_instances)
        .match_requests(|input| {
            input.stack_instance_account() == Some(account().as_str()) && input.max_results() == Some(100)
        })
        .then_output(move || ListStackInstancesOutput::builder().set_summaries(Some(instances.clone())).build())
}

async fn outcome(cloudformation: &[&Rule], wanted: &StackInstances, mode: Mode) -> Outcome {
    let place = Rules { cloudformation, ..Rules::default() }.management();
    run(&StackInstancesControl, &place, wanted, mode).await
}

/// What a sweep knows of the account, without a call.
async fn in_sweep(seen: SetSeen, units: &[&str]) -> Outcome {
    let (mut scope, recorder) = Rules::default().management();
    scope.known.units = units.iter().map(|unit| unit.parse().unwrap()).collect();
    scope.known.stack_sets = Some(Arc::new(vec![SetFacts { name: "logging".to_owned(), seen }]));
    run(&StackInstancesControl, &(scope, recorder), &desired(&["us-east-1"]), Mode::Plan).await
}

fn there(is_service_managed: bool, units: &[&str], instances: Vec<StackInstance>) -> SetSeen {
    let units = units.iter().map(|unit| unit.parse().unwrap()).collect();
    SetSeen::There { set: StackSet { is_service_managed, units, queues: false }, instances, operations: Vec::new() }
}

fn instance(status: &str, detailed_status: &str, reason: Option<&str>) -> StackInstance {
    StackInstance {
        account: account(),
        region: "us-east-1".parse().unwrap(),
        status: status.to_owned(),
        detailed_status: detailed_status.to_owned(),
        reason: reason.map(ToOwned::to_owned),
        last_operation: None,
    }
}

fn planned(outcome: Outcome) -> Vec<String> {
    match outcome {
        Outcome::Drifted { planned } => planned,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_account_that_is_current_everywhere_is_compliant() {
    let rules = [
        &set(None),
        &listed(vec![
            summary("us-east-1", "CURRENT", "SUCCEEDED", ""),
            summary("eu-west-1", "CURRENT", "SUCCEEDED", ""),
        ]),
    ];
    assert_eq!(outcome(&rules, &desired(&["us-east-1", "eu-west-1"]), Mode::Apply).await, Outcome::Compliant);
}

#[tokio::test]
async fn what_is_missing_or_failed_is_deployed_in_one_operation_and_then_waited_for() {
    let before = vec![summary("eu-west-1", "OUTDATED", "FAILED", "no role")];
    let after = vec![summary("us-east-1", "OUTDATED", "PENDING", ""), summary("eu-west-1", "OUTDATED", "RUNNING", "")];
    let list = mock!(CloudFormation::list_stack_instances)
        .sequence()
        .output(move || ListStackInstancesOutput::builder().set_summaries(Some(before.clone())).build())
        .output(move || ListStackInstancesOutput::builder().set_summaries(Some(after.clone())).build())
        .build();
    let create = mock!(CloudFormation::create_stack_instances)
        .match_requests(|input| {
            let id = input.operation_id().unwrap_or_default();
            input.accounts() == [account().to_string()]
                && input.regions() == ["us-east-1", "eu-west-1"]
                && id.starts_with("steward-222222222222-")
                && id.len() <= 128
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
        .then_output(|| CreateStackInstancesOutput::builder().build());
    let rules = [&set(None), &list, &create];
    let (cause, applied) = stopped(outcome(&rules, &desired(&["us-east-1", "eu-west-1"]), Mode::Apply).await);
    assert_eq!(cause, Cause::StackSetBusy, "in progress is no drift, and not done either");
    assert_eq!(applied, ["deploy the stack set logging to us-east-1, eu-west-1"]);
    assert_eq!(create.num_calls(), 1);
}

#[tokio::test]
async fn while_another_operation_is_under_way_it_is_asked_again_later_and_what_was_asked_before_is_asked_once() {
    let busy = mock!(CloudFormation::create_stack_instances).then_error(|| {
        let meta = ErrorMetadata::builder().code("OperationInProgressException").message("busy").build();
        CreateStackInstancesError::OperationInProgressException(
            OperationInProgressException::builder().meta(meta).build(),
        )
    });
    let nothing = listed(Vec::new());
    let refused = outcome(&[&set(None), &nothing, &busy], &desired(&["us-east-1"]), Mode::Apply).await;
    assert!(matches!(refused, Outcome::NotReady { .. }), "{refused:?}");

    let again = mock!(CloudFormation::create_stack_instances).then_error(|| {
        CreateStackInstancesError::OperationIdAlreadyExistsException(
            OperationIdAlreadyExistsException::builder().build(),
        )
    });
    let asked = outcome(&[&set(None), &nothing, &again], &desired(&["us-east-1"]), Mode::Apply).await;
    let Outcome::NotConverged { applied, .. } = asked else { panic!("{asked:?}") };
    assert_eq!(applied.len(), 1);
}

#[test]
fn what_has_failed_before_is_told_in_the_words_of_aws_beside_what_is_deployed_again() {
    let wanted = &desired(&["us-east-1"]).sets[0];
    let failed = there(false, &[], vec![instance("OUTDATED", "FAILED", Some("no role"))]);
    let actual = Actual { account: account(), sets: vec![Seen::of(&account(), wanted, failed)], units: Vec::new() };
    let notes = StackInstancesControl.notes(&desired(&["us-east-1"]), &actual);
    assert_eq!(notes, ["the instance of the stack set logging in us-east-1 is OUTDATED (FAILED), no role."]);
}

#[tokio::test]
async fn in_a_sweep_nothing_is_asked_for_one_account() {
    assert_eq!(
        in_sweep(there(false, &[], vec![instance("CURRENT", "SUCCEEDED", None)]), &[]).await,
        Outcome::Compliant
    );
    let lines = planned(in_sweep(there(false, &[], Vec::new()), &[]).await);
    assert_eq!(lines, ["deploy the stack set logging to us-east-1"]);
    let running = in_sweep(there(false, &[], vec![instance("OUTDATED", "RUNNING", None)]), &[]).await;
    assert_eq!(stopped(running).0, Cause::StackSetBusy);
    let failed = SetSeen::Failed(Failure::new(Cause::AccessDenied));
    assert_eq!(stopped(in_sweep(failed, &[]).await).0, Cause::AccessDenied);
}

#[tokio::test]
async fn what_the_sweep_has_asked_for_is_under_way_with_its_operation() {
    let operations = vec![
        ("steward-other".to_owned(), BTreeSet::from(["333333333333".parse().unwrap()])),
        ("steward-sweep".to_owned(), BTreeSet::from([account()])),
    ];
    let set = StackSet { is_service_managed: false, units: Vec::new(), queues: true };
    let seen = SetSeen::There { set, instances: Vec::new(), operations };
    let Outcome::NotReady { failure, .. } = in_sweep(seen, &[]).await else { panic!() };
    assert!(failure.message.contains("(operation steward-sweep)"), "{failure}");
}

#[tokio::test]
async fn of_a_stack_set_of_units_the_reason_is_told_in_the_words_of_aws_and_nothing_is_deployed() {
    let unit = "ou-ab12-cdef3456";
    let wrong = planned(in_sweep(there(true, &[unit], Vec::new()), &["r-ab12", "ou-ab12-aaaaaaaa"]).await);
    assert!(wrong[0].contains("it is deployed to ou-ab12-cdef3456, and none of them holds the account"), "{wrong:?}");
    let right = planned(in_sweep(there(true, &[unit], Vec::new()), &["r-ab12", unit]).await);
    assert!(right[0].contains("although it is deployed to a unit that holds the account"), "{right:?}");
    let words = "Account 222222222222 should have 'AWSServiceRole' role";
    let failed =
        planned(in_sweep(there(true, &[unit], vec![instance("OUTDATED", "FAILED", Some(words))]), &["r-ab12"]).await);
    assert!(failed[0].contains(&format!("is OUTDATED (FAILED), {words}: correct what it says")), "{failed:?}");
    let suspended = instance("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT", None);
    // Nor to a suspended account, whoever the stack set is deployed by.
    let by_steward = planned(in_sweep(there(false, &[], vec![suspended.clone()]), &[]).await);
    assert!(by_steward[0].starts_with("by hand: ") && by_steward.len() == 1, "{by_steward:?}");
    let skipped = planned(in_sweep(there(true, &[unit], vec![suspended]), &["r-ab12"]).await);
    let expected = "OUTDATED (SKIPPED_SUSPENDED_ACCOUNT): AWS deploys nothing to a suspended account; look why";
    assert!(skipped[0].contains(expected), "{skipped:?}");
    for lines in [wrong, right, failed, skipped] {
        assert!(lines.iter().all(|line| line.starts_with("by hand: ")), "{lines:?}");
    }
}

#[tokio::test]
async fn a_stack_set_that_does_not_exist_and_an_inoperable_instance_are_left_to_people() {
    let missing = mock!(CloudFormation::describe_stack_set)
        .then_error(|| DescribeStackSetError::StackSetNotFoundException(StackSetNotFoundException::builder().build()));
    let lines = planned(outcome(&[&missing], &desired(&["us-east-1"]), Mode::Plan).await);
    assert!(lines[0].starts_with("by hand: there is no stack set logging in us-east-1"), "{lines:?}");
    let inoperable = there(false, &[], vec![instance("INOPERABLE", "INOPERABLE", Some("gone"))]);
    let lines = planned(in_sweep(inoperable, &[]).await);
    assert!(
        lines[0].starts_with("by hand: the instance of the stack set logging in us-east-1 is INOPERABLE, gone"),
        "{lines:?}"
    );
}

#[test]
fn a_section_says_everything_that_is_wrong_with_it() {
    let set = |name: &str, regions: &[&str]| WantedSet {
        name: name.to_owned(),
        regions: regions.iter().map(|region| region.parse().unwrap()).collect(),
    };
    let wrong =
        StackInstances { sets: vec![set("1st", &[]), set("a", &["us-east-1", "us-east-1"]), set("a", &["us-east-1"])] };
    let said: Vec<_> = wrong.problems("x").into_iter().map(|problem| problem.path).collect();
    assert_eq!(said, ["x.sets[0].name", "x.sets[0].regions", "x.sets[1].regions[1]", "x.sets[2]"]);
    assert_eq!(StackInstances { sets: Vec::new() }.problems("x").len(), 1);
}
