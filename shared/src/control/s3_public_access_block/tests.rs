use aws_sdk_organizations::{
    Client as Organizations,
    operation::describe_effective_policy::{DescribeEffectivePolicyError, DescribeEffectivePolicyOutput},
    types::{EffectivePolicy, error::EffectivePolicyNotFoundException},
};
use aws_sdk_s3control::{
    Client,
    operation::{
        get_public_access_block::{GetPublicAccessBlockError, GetPublicAccessBlockOutput},
        put_public_access_block::{PutPublicAccessBlockError, PutPublicAccessBlockOutput},
    },
    types::{PublicAccessBlockConfiguration, error::NoSuchPublicAccessBlockConfiguration},
};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    error::Cause,
    gateway::testing::denied,
};

fn all(on: bool) -> PublicAccessBlockConfiguration {
    let configuration = PublicAccessBlockConfiguration::builder().block_public_acls(on).ignore_public_acls(on);
    configuration.block_public_policy(on).restrict_public_buckets(on).build()
}

fn blocked() -> GetPublicAccessBlockOutput {
    GetPublicAccessBlockOutput::builder().public_access_block_configuration(all(true)).build()
}

fn none() -> GetPublicAccessBlockError {
    let error = NoSuchPublicAccessBlockConfiguration::builder().message("none").build();
    GetPublicAccessBlockError::NoSuchPublicAccessBlockConfiguration(error)
}

fn no_policy() -> Rule {
    mock!(Organizations::describe_effective_policy).then_error(|| {
        let error = EffectivePolicyNotFoundException::builder().message("none").build();
        DescribeEffectivePolicyError::EffectivePolicyNotFoundException(error)
    })
}

fn policy(content: &'static str) -> Rule {
    mock!(Organizations::describe_effective_policy).then_output(move || {
        let policy = EffectivePolicy::builder().policy_content(content).build();
        DescribeEffectivePolicyOutput::builder().effective_policy(policy).build()
    })
}

#[test]
fn all_four_settings_are_compared() {
    let desired = S3PublicAccessBlock::default();
    assert_eq!(plan(desired, desired.into()), None);
    assert_eq!(plan(desired, PublicAccessBlock::default()).unwrap().differs.len(), 4);
    let present = PublicAccessBlock { block_public_policy: false, ..desired.into() };
    let words = "set the account's block of public access to S3: block_public_policy false -> true";
    assert_eq!(plan(desired, present).unwrap().to_string(), words);
}

#[tokio::test]
async fn a_compliant_account_costs_one_read() {
    let get = mock!(Client::get_public_access_block)
        .match_requests(|r| r.account_id() == Some("222222222222"))
        .then_output(blocked);
    let scope = Rules { s3control: &[&get], ..Rules::default() }.member();
    let outcome = run(&S3PublicAccessBlockControl, &scope, &S3PublicAccessBlock::default(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["GetPublicAccessBlock"]);
}

#[tokio::test]
async fn an_account_without_settings_gets_all_four() {
    let get = mock!(Client::get_public_access_block).sequence().error(none).output(blocked).build();
    let put = mock!(Client::put_public_access_block)
        .match_requests(|r| {
            r.account_id() == Some("222222222222") && r.public_access_block_configuration() == Some(&all(true))
        })
        .then_output(|| PutPublicAccessBlockOutput::builder().build());
    let scope = Rules { s3control: &[&get, &put], organizations: &[&no_policy()], ..Rules::default() }.member();
    let outcome = run(&S3PublicAccessBlockControl, &scope, &S3PublicAccessBlock::default(), Mode::Apply).await;
    assert!(matches!(&outcome, Outcome::Fixed { applied } if applied.len() == 1), "{outcome:?}");
    let calls = ["GetPublicAccessBlock", "DescribeEffectivePolicy", "PutPublicAccessBlock", "GetPublicAccessBlock"];
    assert_eq!(scope.1.calls(), calls);
}

#[tokio::test]
async fn what_a_policy_of_the_organization_keeps_is_compliant_by_it_and_never_written() {
    let get = mock!(Client::get_public_access_block).then_error(none);
    let policy = policy(r#"{"s3_attributes": {"public_access_block_configuration": "none"}}"#);
    let (scope, recorder) = Rules { s3control: &[&get], organizations: &[&policy], ..Rules::default() }.member();
    let desired = S3PublicAccessBlock { restrict_public_buckets: false, ..S3PublicAccessBlock::default() };
    let (outcome, notes) =
        crate::control::engine::converge_in_account(&S3PublicAccessBlockControl, &scope, &desired, Mode::Apply).await;
    assert_eq!(outcome, Outcome::Compliant);
    assert_eq!(
        notes,
        [
            "An S3 policy of the organization keeps the settings (public_access_block_configuration none), otherwise than the \
          document: block_public_acls false -> true, ignore_public_acls false -> true, block_public_policy false -> true. They \
          are changed in that policy, and never in the account."
        ]
    );
    assert_eq!(recorder.calls(), ["GetPublicAccessBlock", "DescribeEffectivePolicy"]);
}

#[tokio::test]
async fn a_policy_about_something_else_leaves_the_account_to_itself_and_a_denial_is_told() {
    let get = mock!(Client::get_public_access_block).then_error(none);
    let other = policy(r#"{"s3_attributes": {"something_else": "all"}}"#);
    let scope = Rules { s3control: &[&get], organizations: &[&other], ..Rules::default() }.member();
    let outcome = run(&S3PublicAccessBlockControl, &scope, &S3PublicAccessBlock::default(), Mode::Plan).await;
    assert!(matches!(outcome, Outcome::Drifted { .. }), "{outcome:?}");

    let no =
        mock!(Organizations::describe_effective_policy).then_error(|| DescribeEffectivePolicyError::generic(denied()));
    let (scope, _) = Rules { s3control: &[&get], organizations: &[&no], ..Rules::default() }.member();
    let desired = S3PublicAccessBlock::default();
    let (outcome, notes) =
        crate::control::engine::converge_in_account(&S3PublicAccessBlockControl, &scope, &desired, Mode::Plan).await;
    assert!(matches!(outcome, Outcome::Drifted { .. }), "{outcome:?}");
    assert!(notes[0].ends_with("organizations:DescribeEffectivePolicy was denied."), "{notes:?}");
}

#[tokio::test]
async fn a_denied_read_or_write_is_unknown_with_nothing_applied() {
    let no = mock!(Client::get_public_access_block).then_error(|| GetPublicAccessBlockError::generic(denied()));
    let scope = Rules { s3control: &[&no], ..Rules::default() }.member();
    let outcome = run(&S3PublicAccessBlockControl, &scope, &S3PublicAccessBlock::default(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));

    let get = mock!(Client::get_public_access_block).then_error(none);
    let no = mock!(Client::put_public_access_block).then_error(|| PutPublicAccessBlockError::generic(denied()));
    let scope = Rules { s3control: &[&get, &no], organizations: &[&no_policy()], ..Rules::default() }.member();
    let outcome = run(&S3PublicAccessBlockControl, &scope, &S3PublicAccessBlock::default(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));
    assert_eq!(scope.1.calls(), ["GetPublicAccessBlock", "DescribeEffectivePolicy", "PutPublicAccessBlock"]);
}

#[tokio::test]
async fn an_account_that_is_not_signed_up_yet_is_not_ready() {
    let early = mock!(Client::get_public_access_block).then_error(|| {
        GetPublicAccessBlockError::generic(ErrorMetadata::builder().code("NotSignedUp").message("early").build())
    });
    let scope = Rules { s3control: &[&early], ..Rules::default() }.member();
    let outcome = run(&S3PublicAccessBlockControl, &scope, &S3PublicAccessBlock::default(), Mode::Apply).await;
    assert!(matches!(outcome, Outcome::NotReady { .. }), "{outcome:?}");
    assert_eq!(stopped(outcome), (Cause::OptInRequired, vec![]));
}
