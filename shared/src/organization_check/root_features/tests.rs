use aws_sdk_iam::{
    Client,
    operation::{
        enable_organizations_root_sessions::EnableOrganizationsRootSessionsOutput,
        list_organizations_features::{ListOrganizationsFeaturesError, ListOrganizationsFeaturesOutput},
    },
    types::{FeatureType, error::ServiceAccessNotEnabledException},
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{Mode, Outcome, testing::run_once},
    organization_check::testing::Rules,
};

fn enabled(answers: &[&'static [FeatureType]]) -> Rule {
    let rule = mock!(Client::list_organizations_features).sequence();
    let answer = |features: &[FeatureType]| {
        ListOrganizationsFeaturesOutput::builder().set_enabled_features(Some(features.to_vec())).build()
    };
    answers.iter().copied().fold(rule, |rule, features| rule.output(move || answer(features))).build()
}

const BOTH: &[FeatureType] = &[FeatureType::RootCredentialsManagement, FeatureType::RootSessions];

#[tokio::test]
async fn the_feature_that_is_missing_is_enabled_and_read_back() {
    let enable = mock!(Client::enable_organizations_root_sessions)
        .then_output(|| EnableOrganizationsRootSessionsOutput::builder().build());
    let one: &'static [FeatureType] = &[FeatureType::RootCredentialsManagement];
    let scope = Rules { iam: &[&enabled(&[one, BOTH]), &enable], ..Rules::default() }.organization();
    let outcome = run_once(&RootFeaturesCheck, &scope, &(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec!["enable the root feature RootSessions".into()] });
}

#[tokio::test]
async fn an_organization_that_does_not_trust_iam_lacks_both() {
    let no = mock!(Client::list_organizations_features).then_error(|| {
        let error = ServiceAccessNotEnabledException::builder().message("not trusted");
        let error = error.meta(crate::gateway::testing::said("ServiceAccessNotEnabledException", "not trusted"));
        ListOrganizationsFeaturesError::ServiceAccessNotEnabledException(error.build())
    });
    let scope = Rules { iam: &[&no], ..Rules::default() }.organization();
    let Outcome::Drifted { planned } = run_once(&RootFeaturesCheck, &scope, &(), Mode::Plan).await else { panic!() };
    assert_eq!(planned, ["enable the root feature RootCredentialsManagement", "enable the root feature RootSessions"]);
}
