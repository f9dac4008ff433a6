use aws_sdk_servicequotas::{
    Client as Quotas,
    operation::{
        associate_service_quota_template::AssociateServiceQuotaTemplateOutput,
        get_association_for_service_quota_template::{
            GetAssociationForServiceQuotaTemplateError, GetAssociationForServiceQuotaTemplateOutput,
        },
        list_service_quota_increase_requests_in_template::ListServiceQuotaIncreaseRequestsInTemplateOutput,
        put_service_quota_increase_request_into_template::PutServiceQuotaIncreaseRequestIntoTemplateOutput,
    },
    types::{ServiceQuotaIncreaseRequestInTemplate, ServiceQuotaTemplateAssociationStatus},
};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;
use serde_json::json;

use super::*;
use crate::{
    control::{Mode, Outcome, testing::run_once},
    organization_check::testing::Rules,
};

fn wanted(value: u64) -> WantedQuota {
    let quota = json!({"service": "lambda", "quota": "L-B99A9384", "region": "us-east-1", "value": value});
    serde_json::from_value(quota).unwrap()
}

fn association(status: ServiceQuotaTemplateAssociationStatus) -> Rule {
    mock!(Quotas::get_association_for_service_quota_template).then_output(move || {
        let answer = GetAssociationForServiceQuotaTemplateOutput::builder();
        answer.service_quota_template_association_status(status.clone()).build()
    })
}

fn listed(value: Option<f64>) -> ListServiceQuotaIncreaseRequestsInTemplateOutput {
    let entry = value.map(|value| {
        let entry = ServiceQuotaIncreaseRequestInTemplate::builder().service_code("lambda").quota_code("L-B99A9384");
        entry.aws_region("us-east-1").desired_value(value).build()
    });
    let answer = ListServiceQuotaIncreaseRequestsInTemplateOutput::builder();
    answer.set_service_quota_increase_request_in_template_list(Some(entry.into_iter().collect())).build()
}

fn template(value: Option<f64>) -> Rule {
    mock!(Quotas::list_service_quota_increase_requests_in_template).then_output(move || listed(value))
}

async fn outcome(service_quotas: &[&Rule], mode: Mode) -> Outcome {
    let place = Rules { service_quotas, ..Rules::default() }.organization();
    run_once(&ServiceQuotaTemplateCheck, &place, &vec![wanted(1000)], mode).await
}

#[tokio::test]
async fn a_template_that_says_it_and_counts_is_compliant() {
    let rules = [&association(ServiceQuotaTemplateAssociationStatus::Associated), &template(Some(1000.0))];
    assert_eq!(outcome(&rules, Mode::Apply).await, Outcome::Compliant);
}

#[tokio::test]
async fn what_differs_is_put_in_its_place_and_the_template_counts_from_then_on() {
    let association = mock!(Quotas::get_association_for_service_quota_template)
        .sequence()
        .output(|| {
            let answer = GetAssociationForServiceQuotaTemplateOutput::builder();
            answer
                .service_quota_template_association_status(ServiceQuotaTemplateAssociationStatus::Disassociated)
                .build()
        })
        .output(|| {
            let answer = GetAssociationForServiceQuotaTemplateOutput::builder();
            answer.service_quota_template_association_status(ServiceQuotaTemplateAssociationStatus::Associated).build()
        })
        .build();
    let list = mock!(Quotas::list_service_quota_increase_requests_in_template)
        .sequence()
        .output(|| listed(Some(50.0)))
        .output(|| listed(Some(1000.0)))
        .build();
    let put = mock!(Quotas::put_service_quota_increase_request_into_template)
        .match_requests(|input| input.desired_value() == Some(1000.0) && input.quota_code() == Some("L-B99A9384"))
        .then_output(|| PutServiceQuotaIncreaseRequestIntoTemplateOutput::builder().build());
    let associate = mock!(Quotas::associate_service_quota_template)
        .then_output(|| AssociateServiceQuotaTemplateOutput::builder().build());
    let Outcome::Fixed { applied } = outcome(&[&association, &list, &put, &associate], Mode::Apply).await else {
        panic!()
    };
    assert_eq!(
        applied,
        [
            "ask for 1000 of L-B99A9384 (lambda) in us-east-1 for each new account, and not for 50",
            "let the template of quotas count for new accounts"
        ]
    );
}

#[tokio::test]
async fn without_trusted_access_it_is_left_to_people_with_the_place() {
    let refused = mock!(Quotas::get_association_for_service_quota_template).then_error(|| {
        let meta = ErrorMetadata::builder().code("AWSServiceAccessNotEnabledException").message("no").build();
        GetAssociationForServiceQuotaTemplateError::generic(meta)
    });
    let left = outcome(&[&refused], Mode::Plan).await;
    assert!(left.is_left_to_people(), "{left:?}");
    assert!(serde_json::to_string(&left).unwrap().contains("servicequotas.amazonaws.com"), "{left:?}");
}

#[test]
fn a_section_says_everything_that_is_wrong_with_it() {
    let mut wrong = wanted(0);
    wrong.service = "1".to_owned();
    let said: Vec<_> = problems(&[wrong, wanted(1), wanted(2)], "x").into_iter().map(|problem| problem.path).collect();
    assert_eq!(said, ["x[0].service", "x[0].value", "x[2]"]);
}
