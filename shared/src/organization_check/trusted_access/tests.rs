use aws_sdk_organizations::{
    Client,
    operation::{
        enable_aws_service_access::EnableAwsServiceAccessOutput,
        list_aws_service_access_for_organization::{
            ListAWSServiceAccessForOrganizationError, ListAwsServiceAccessForOrganizationOutput,
        },
    },
    types::EnabledServicePrincipal,
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{run_once, stopped},
    },
    error::Cause,
    gateway::testing::denied,
    organization_check::testing::Rules,
};

fn trusting(answers: &'static [&'static [&'static str]]) -> Rule {
    let answer = |principals: &[&str]| {
        let entries =
            principals.iter().map(|principal| EnabledServicePrincipal::builder().service_principal(*principal).build());
        ListAwsServiceAccessForOrganizationOutput::builder()
            .set_enabled_service_principals(Some(entries.collect()))
            .build()
    };
    let rule = mock!(Client::list_aws_service_access_for_organization).sequence();
    answers.iter().fold(rule, |rule, principals| rule.output(move || answer(principals))).build()
}

const ALL: &[&str] = &[
    "account.amazonaws.com",
    "iam.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
    "ram.amazonaws.com",
];

#[test]
fn a_service_is_named_by_its_principal_and_no_other_is_taken() {
    for service in TrustedService::ALL {
        assert_eq!(service.name().parse(), Ok(*service));
        assert_eq!(serde_json::to_value(service).unwrap(), service.name());
    }
    assert!("ssm.amazonaws.com".parse::<TrustedService>().is_err());
}

#[tokio::test]
async fn an_organization_that_trusts_all_of_them_costs_one_read() {
    let scope = Rules { organizations: &[&trusting(&[ALL])], ..Rules::default() }.organization();
    assert_eq!(run_once(&TrustedAccessCheck, &scope, &(), Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["ListAWSServiceAccessForOrganization"]);
}

#[tokio::test]
async fn what_is_missing_is_enabled_and_read_back() {
    let enable = mock!(Client::enable_aws_service_access)
        .match_requests(|r| r.service_principal() == Some("iam.amazonaws.com"))
        .then_output(|| EnableAwsServiceAccessOutput::builder().build());
    let without_iam: &[&str] = &[ALL[0], ALL[2], ALL[3]];
    let answers: &'static [&'static [&'static str]] = Box::leak(Box::new([without_iam.to_vec().leak() as &[_], ALL]));
    let scope = Rules { organizations: &[&trusting(answers), &enable], ..Rules::default() }.organization();
    let outcome = run_once(&TrustedAccessCheck, &scope, &(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec!["enable trusted access for iam.amazonaws.com".into()] });
}

#[tokio::test]
async fn a_denied_read_is_unknown() {
    let no = mock!(Client::list_aws_service_access_for_organization)
        .then_error(|| ListAWSServiceAccessForOrganizationError::generic(denied()));
    let scope = Rules { organizations: &[&no], ..Rules::default() }.organization();
    assert_eq!(stopped(run_once(&TrustedAccessCheck, &scope, &(), Mode::Plan).await), (Cause::AccessDenied, vec![]));
}
