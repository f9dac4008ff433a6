use aws_sdk_accessanalyzer::{
    Client as AccessAnalyzer,
    operation::validate_policy::{ValidatePolicyError, ValidatePolicyOutput},
    types::{Location, PathElement, ValidatePolicyFinding, ValidatePolicyFindingType},
};
use aws_sdk_organizations::{
    Client as Organizations,
    operation::{
        attach_policy::AttachPolicyOutput, create_policy::CreatePolicyOutput, describe_policy::DescribePolicyOutput,
        enable_policy_type::EnablePolicyTypeOutput, list_policies::ListPoliciesOutput,
        list_policies_for_target::ListPoliciesForTargetOutput, list_roots::ListRootsOutput,
        list_targets_for_policy::ListTargetsForPolicyOutput, update_policy::UpdatePolicyOutput,
    },
    types::{
        Policy as SdkPolicy, PolicySummary as SdkSummary, PolicyTargetSummary, PolicyType, PolicyTypeStatus,
        PolicyTypeSummary, Root,
    },
};
use aws_sdk_s3::{
    Client as S3,
    operation::get_object::{GetObjectError, GetObjectOutput},
    primitives::ByteStream,
    types::error::NoSuchKey,
};
use aws_smithy_mocks::{Rule, mock};
use serde_json::json;

use super::*;
use crate::{
    control::{Mode, Outcome},
    organization_check::{self, CheckRow, testing::Rules},
};

const LEAVE: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Sid": "Leave", "Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]}"#;

fn policy(name: &str, targets: &[&str]) -> OrganizationPolicy {
    let value =
        json!({"name": name, "type": "SERVICE_CONTROL_POLICY", "file": format!("{name}.json"), "targets": targets});
    serde_json::from_value(value).unwrap()
}

fn section(policies: Vec<OrganizationPolicy>) -> OrganizationSection {
    OrganizationSection { organization_policies: policies, ..OrganizationSection::default() }
}

fn root(state: Option<PolicyTypeStatus>) -> Rule {
    mock!(Organizations::list_roots).then_output(move || {
        let types = state
            .clone()
            .map(|state| PolicyTypeSummary::builder().r#type(PolicyType::ServiceControlPolicy).status(state).build());
        let root = Root::builder().id("r-ab12").set_policy_types(types.map(|it| vec![it]));
        ListRootsOutput::builder().roots(root.build()).build()
    })
}

fn summary_of(id: &str, name: &str) -> SdkSummary {
    SdkSummary::builder().id(id).name(name).aws_managed(id == "p-FullAWSAccess").build()
}

fn listed(names: &'static [(&'static str, &'static str)]) -> Rule {
    mock!(Organizations::list_policies).then_output(move || {
        let all = names.iter().map(|(id, name)| summary_of(id, name));
        ListPoliciesOutput::builder().set_policies(Some(all.collect())).build()
    })
}

fn says(content: &'static str) -> Rule {
    mock!(Organizations::describe_policy).then_output(move || {
        DescribePolicyOutput::builder().policy(SdkPolicy::builder().content(content).build()).build()
    })
}

fn attached(targets: &'static [&'static str]) -> Rule {
    mock!(Organizations::list_targets_for_policy).then_output(move || {
        let all = targets.iter().map(|id| PolicyTargetSummary::builder().target_id(*id).build());
        ListTargetsForPolicyOutput::builder().set_targets(Some(all.collect())).build()
    })
}

fn at_target(count: usize) -> Rule {
    mock!(Organizations::list_policies_for_target).then_output(move || {
        let all = (0..count).map(|n| summary_of(&format!("p-{n:08}"), "other"));
        ListPoliciesForTargetOutput::builder().set_policies(Some(all.collect())).build()
    })
}

fn file(content: &'static str) -> Rule {
    mock!(S3::get_object)
        .match_requests(|input| input.key().is_some_and(|key| key.starts_with("policies/")))
        .then_output(move || {
            GetObjectOutput::builder().e_tag("1").body(ByteStream::from_static(content.as_bytes())).build()
        })
}

/// What IAM Access Analyzer finds: the weight and the name of each finding, in the first statement.
fn finds(found: &'static [(&'static str, &'static str)]) -> Rule {
    mock!(AccessAnalyzer::validate_policy).then_output(move || {
        let all = found.iter().map(|(weight, code)| {
            let path = [PathElement::Value("Statement".into()), PathElement::Index(0)];
            let at = Location::builder().set_path(Some(path.to_vec())).build().unwrap();
            let finding = ValidatePolicyFinding::builder().finding_type(ValidatePolicyFindingType::from(*weight));
            let finding = finding.issue_code(*code).finding_details("Words of AWS.").locations(at);
            finding.learn_more_link("https://docs.aws.amazon.com/x").build().unwrap()
        });
        ValidatePolicyOutput::builder().set_findings(Some(all.collect())).build().unwrap()
    })
}

async fn run(
    organizations: &[&Rule],
    s3: &[&Rule],
    policies: Vec<OrganizationPolicy>,
    mode: Mode,
) -> (CheckRow, Vec<String>) {
    validated(&finds(&[]), organizations, s3, policies, mode).await
}

/// The same with what IAM Access Analyzer says.
async fn validated(
    analyzer: &Rule,
    organizations: &[&Rule],
    s3: &[&Rule],
    policies: Vec<OrganizationPolicy>,
    mode: Mode,
) -> (CheckRow, Vec<String>) {
    let access_analyzer = &[analyzer];
    let (scope, recorder) = Rules { access_analyzer, organizations, s3, ..Rules::default() }.organization();
    let work = organization_check::run(&[&OrganizationPoliciesCheck], &scope, &section(policies), mode).await;
    (work.into_iter().next().unwrap(), recorder.calls())
}

#[tokio::test]
async fn a_policy_that_is_as_its_file_says_costs_its_reads_and_nothing_else() {
    let rules = [
        &root(Some(PolicyTypeStatus::Enabled)),
        &listed(&[("p-1", "leave")]),
        &says(LEAVE),
        &attached(&["222222222222"]),
    ];
    let (row, calls) = run(&rules, &[&file(LEAVE)], vec![policy("leave", &["222222222222"])], Mode::Apply).await;
    assert_eq!(row.outcome, Outcome::Compliant, "{row:?}");
    let mut sorted = calls.clone();
    sorted.sort();
    assert_eq!(sorted, ["DescribePolicy", "GetObject", "ListPolicies", "ListRoots", "ListTargetsForPolicy"]);
}

#[tokio::test]
async fn a_missing_policy_is_made_and_attached_and_its_type_turned_on_first() {
    let made = "p-1";
    let create = mock!(Organizations::create_policy)
        .match_requests(|input| input.name() == Some("leave") && !input.content().unwrap_or_default().contains(' '))
        .then_output(|| CreatePolicyOutput::builder().build());
    let enable = mock!(Organizations::enable_policy_type).then_output(|| EnablePolicyTypeOutput::builder().build());
    let attach = mock!(Organizations::attach_policy)
        .match_requests(move |input| input.policy_id() == Some(made) && input.target_id() == Some("ou-ab12-cdef3456"))
        .then_output(|| AttachPolicyOutput::builder().build());
    let nothing = mock!(Organizations::list_policies)
        .sequence()
        .output(|| ListPoliciesOutput::builder().build())
        .output(|| ListPoliciesOutput::builder().policies(summary_of("p-1", "leave")).build())
        .repeatedly()
        .build();
    let rules = [
        &root(None),
        &nothing,
        &at_target(0),
        &create,
        &enable,
        &attach,
        &says(LEAVE),
        &attached(&["ou-ab12-cdef3456"]),
    ];
    let (row, _) = run(&rules, &[&file(LEAVE)], vec![policy("leave", &["ou-ab12-cdef3456"])], Mode::Apply).await;
    let Outcome::NotConverged { applied, .. } = &row.outcome else { panic!("{row:?}") };
    assert_eq!(
        *applied,
        [
            "let policies of the type SERVICE_CONTROL_POLICY count in the organization",
            "make the SERVICE_CONTROL_POLICY leave: statement Leave: Deny organizations:LeaveOrganization on *",
            "attach the SERVICE_CONTROL_POLICY leave to ou-ab12-cdef3456",
        ],
        "the root that is asked here never shows the type"
    );
}

#[tokio::test]
async fn a_policy_that_somebody_has_changed_is_told_by_its_statements_and_put_right() {
    const CHANGED: &str = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "Leave", "Effect": "Deny", "Action": "organizations:InviteAccountToOrganization", "Resource": "*"}]}"#;
    let seen = mock!(Organizations::describe_policy)
        .sequence()
        .output(|| DescribePolicyOutput::builder().policy(SdkPolicy::builder().content(CHANGED).build()).build())
        .output(|| DescribePolicyOutput::builder().policy(SdkPolicy::builder().content(LEAVE).build()).build())
        .build();
    let update = mock!(Organizations::update_policy)
        .match_requests(|input| input.policy_id() == Some("p-1"))
        .then_output(|| UpdatePolicyOutput::builder().build());
    let rules = [
        &root(Some(PolicyTypeStatus::Enabled)),
        &listed(&[("p-1", "leave")]),
        &seen,
        &attached(&["222222222222"]),
        &update,
    ];
    let (row, _) = run(&rules, &[&file(LEAVE)], vec![policy("leave", &["222222222222"])], Mode::Apply).await;
    let Outcome::Fixed { applied } = &row.outcome else { panic!("{row:?}") };
    assert_eq!(
        *applied,
        ["change the SERVICE_CONTROL_POLICY leave: statement Leave: Action adds organizations:LeaveOrganization; \
          statement Leave: Action removes organizations:InviteAccountToOrganization"]
    );
}

#[tokio::test]
async fn a_policy_that_locks_out_is_refused_with_its_statement_and_nothing_is_written() {
    const LOCK: &str = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "Everything", "Effect": "Deny", "Action": "*", "Resource": "*"}]}"#;
    let rules = [&root(Some(PolicyTypeStatus::Enabled)), &listed(&[])];
    let (row, calls) = run(&rules, &[&file(LOCK)], vec![policy("lock", &["222222222222"])], Mode::Apply).await;
    let Outcome::NotConverged { applied, remaining } = &row.outcome else { panic!("{row:?}") };
    assert!(applied.is_empty() && row.outcome.is_left_to_people());
    assert!(remaining[0].contains("lock is not written: statement Everything denies "), "{remaining:?}");
    assert!(calls.iter().all(|call| call.starts_with("List") || call.starts_with("Get")), "{calls:?}");
}

#[tokio::test]
async fn what_iam_access_analyzer_calls_an_error_or_a_security_warning_refuses_the_policy_in_its_words() {
    for weight in ["ERROR", "SECURITY_WARNING"] {
        let found: &'static [_] = Box::leak(Box::new([(weight, "INVALID_ACTION"), ("SUGGESTION", "STYLE")]));
        let rules = [&root(Some(PolicyTypeStatus::Enabled)), &listed(&[])];
        let policies = vec![policy("leave", &["222222222222"])];
        let (row, calls) = validated(&finds(found), &rules, &[&file(LEAVE)], policies, Mode::Apply).await;
        let Outcome::NotConverged { applied, remaining } = &row.outcome else { panic!("{row:?}") };
        assert!(applied.is_empty() && row.outcome.is_left_to_people());
        assert_eq!(
            *remaining,
            [
                "by hand: the SERVICE_CONTROL_POLICY leave is not written: IAM Access Analyzer finds in statement Leave: Words of \
              AWS. (INVALID_ACTION, https://docs.aws.amazon.com/x)"
            ]
        );
        assert!(!calls.contains(&"CreatePolicy".to_owned()), "{calls:?}");
    }
}

#[tokio::test]
async fn what_it_only_warns_of_is_told_and_what_does_not_change_is_not_asked_about() {
    let rules = [&root(Some(PolicyTypeStatus::Enabled)), &listed(&[]), &at_target(1)];
    let policies = || vec![policy("leave", &["222222222222"])];
    let warns = finds(&[("WARNING", "MISSING_VERSION")]);
    let (row, _) = validated(&warns, &rules, &[&file(LEAVE)], policies(), Mode::Plan).await;
    assert!(matches!(&row.outcome, Outcome::Drifted { planned } if planned.len() == 2), "{row:?}");
    assert!(row.notes[0].contains("in statement Leave: Words of AWS. (MISSING_VERSION, "), "{:?}", row.notes);

    let rules = [
        &root(Some(PolicyTypeStatus::Enabled)),
        &listed(&[("p-1", "leave")]),
        &says(LEAVE),
        &attached(&["222222222222"]),
    ];
    let (row, calls) = validated(&finds(&[("ERROR", "X")]), &rules, &[&file(LEAVE)], policies(), Mode::Plan).await;
    assert_eq!(row.outcome, Outcome::Compliant);
    assert!(!calls.contains(&"ValidatePolicy".to_owned()), "{calls:?}");
}

#[tokio::test]
async fn where_iam_access_analyzer_may_not_be_asked_own_checks_decide_and_the_row_says_so() {
    let refuses = |code: &'static str| {
        mock!(AccessAnalyzer::validate_policy).then_error(move || {
            ValidatePolicyError::generic(crate::gateway::testing::said(code, "no identity-based policy allows it"))
        })
    };
    let policies = || vec![policy("leave", &["222222222222"]), policy("also", &["222222222222"])];
    let rules = [&root(Some(PolicyTypeStatus::Enabled)), &listed(&[]), &at_target(1)];
    let denied = refuses("AccessDeniedException");
    let (row, _) = validated(&denied, &rules, &[&file(LEAVE)], policies(), Mode::Plan).await;
    assert!(matches!(&row.outcome, Outcome::Drifted { planned } if planned.len() == 4), "{row:?}");
    assert_eq!(row.notes.len(), 2, "{:?}", row.notes);
    assert!(row.notes.iter().all(|note| note.contains("access-analyzer:ValidatePolicy was denied")), "{:?}", row.notes);
    assert_eq!(denied.num_calls(), 1, "who is denied once is not asked again");

    // Any other failure is a read that failed.
    let (row, _) =
        validated(&refuses("InternalServerException"), &rules, &[&file(LEAVE)], policies(), Mode::Plan).await;
    assert!(matches!(row.outcome, Outcome::Unknown { .. } | Outcome::NotReady { .. }), "{row:?}");
    // What it cannot read at all is refused.
    let (row, _) = validated(&refuses("ValidationException"), &rules, &[&file(LEAVE)], policies(), Mode::Plan).await;
    let Outcome::Drifted { planned } = &row.outcome else { panic!("{row:?}") };
    assert!(planned.iter().all(|line| line.contains("IAM Access Analyzer cannot read it: Validation")), "{planned:?}");
}

#[tokio::test]
async fn what_the_document_does_not_name_stays_attached_and_is_told() {
    let rules = [
        &root(Some(PolicyTypeStatus::Enabled)),
        &listed(&[("p-1", "leave"), ("p-FullAWSAccess", "FullAWSAccess")]),
        &says(LEAVE),
        &attached(&["222222222222", "333333333333"]),
    ];
    let (row, _) = run(&rules, &[&file(LEAVE)], vec![policy("leave", &["222222222222"])], Mode::Apply).await;
    let Outcome::NotConverged { remaining, .. } = &row.outcome else { panic!("{row:?}") };
    assert_eq!(
        *remaining,
        [
            "by hand: the SERVICE_CONTROL_POLICY leave is also attached to 333333333333: detach it there, or name it in the \
          document"
        ]
    );
}

#[tokio::test]
async fn a_target_without_room_and_a_file_that_is_missing_are_told_before_anything_is_written() {
    let missing = mock!(S3::get_object).then_error(|| GetObjectError::NoSuchKey(NoSuchKey::builder().build()));
    let rules = [&root(Some(PolicyTypeStatus::Enabled)), &listed(&[])];
    let (row, _) = run(&rules, &[&missing], vec![policy("leave", &["222222222222"])], Mode::Plan).await;
    let Outcome::Drifted { planned } = &row.outcome else { panic!("{row:?}") };
    assert_eq!(
        *planned,
        [
            "by hand: the SERVICE_CONTROL_POLICY leave is not written: there is no policies/leave.json beside the document"
        ]
    );

    let rules = [&root(Some(PolicyTypeStatus::Enabled)), &listed(&[]), &at_target(9)];
    let policies = vec![policy("leave", &["222222222222"]), policy("also", &["222222222222"])];
    let (row, _) = run(&rules, &[&file(LEAVE)], policies, Mode::Plan).await;
    let Outcome::Drifted { planned } = &row.outcome else { panic!("{row:?}") };
    assert_eq!(planned.iter().filter(|line| line.starts_with("attach ")).count(), 1, "{planned:?}");
    assert!(planned.last().unwrap().ends_with("as many policies of that type as AWS allows"), "{planned:?}");
}

#[tokio::test]
async fn on_trial_only_the_test_target_gets_what_the_file_says() {
    let mut on_trial = policy("leave", &["222222222222"]);
    on_trial.test_target = Some("333333333333".parse().unwrap());
    let rules = [&root(Some(PolicyTypeStatus::Enabled)), &listed(&[("p-1", "leave")]), &at_target(1)];
    let (row, _) = run(&rules, &[&file(LEAVE)], vec![on_trial], Mode::Plan).await;
    let Outcome::Drifted { planned } = &row.outcome else { panic!("{row:?}") };
    assert!(planned[0].starts_with("make the SERVICE_CONTROL_POLICY leave-test: "), "{planned:?}");
    assert_eq!(planned[1], "attach the SERVICE_CONTROL_POLICY leave-test to 333333333333");
    assert!(row.notes[0].starts_with("leave is on trial as leave-test"), "{:?}", row.notes);

    // The trial is over.
    let rules = [
        &root(Some(PolicyTypeStatus::Enabled)),
        &listed(&[("p-1", "leave"), ("p-2", "leave-test")]),
        &says(LEAVE),
        &attached(&["222222222222"]),
    ];
    let (row, _) = run(&rules, &[&file(LEAVE)], vec![policy("leave", &["222222222222"])], Mode::Plan).await;
    assert_eq!(row.outcome, Outcome::Compliant);
    assert_eq!(row.notes, ["leave-test is left of a trial; detach and delete it by hand."]);
}

#[tokio::test]
async fn a_type_that_aws_is_turning_on_is_waited_for() {
    let rules = [
        &root(Some(PolicyTypeStatus::PendingEnable)),
        &listed(&[("p-1", "leave")]),
        &says(LEAVE),
        &attached(&[]),
        &at_target(1),
    ];
    let (row, _) = run(&rules, &[&file(LEAVE)], vec![policy("leave", &["222222222222"])], Mode::Apply).await;
    assert!(matches!(row.outcome, Outcome::NotReady { .. }), "{row:?}");
}

#[tokio::test]
async fn a_denied_read_is_unknown_and_never_compliant() {
    let denied = mock!(Organizations::list_policies).then_error(|| {
        aws_sdk_organizations::operation::list_policies::ListPoliciesError::generic(
            aws_smithy_types::error::ErrorMetadata::builder().code("AccessDeniedException").message("no").build(),
        )
    });
    let rules = [&root(Some(PolicyTypeStatus::Enabled)), &denied];
    let (row, _) = run(&rules, &[&file(LEAVE)], vec![policy("leave", &["222222222222"])], Mode::Plan).await;
    assert!(matches!(row.outcome, Outcome::Unknown { .. }), "{row:?}");
}

#[test]
fn a_section_says_everything_that_is_wrong_with_it() {
    let mut wrong = policy("FullAWSAccess", &[]);
    wrong.file = "../secret.yaml".to_owned();
    let policies = [
        wrong,
        policy("aws-guardrails-x", &["/", "/"]),
        policy("a", &["/"]),
        policy("a", &["/"]),
        policy("a-test", &["/"]),
    ];
    let said: Vec<_> =
        problems(&policies, "organization.organization-policies").into_iter().map(|it| it.path).collect();
    let at = |position: usize, field: &str| format!("organization.organization-policies[{position}].{field}");
    assert_eq!(
        said,
        [
            at(0, "name"),
            at(0, "file"),
            at(0, "targets"),
            at(1, "name"),
            at(1, "targets[1]"),
            at(3, "name"),
            at(4, "name")
        ]
    );
    let many: Vec<_> = (0..41).map(|n| policy(&format!("p{n}"), &["/"])).collect();
    assert_eq!(problems(&many, "x").len(), 1);
}
