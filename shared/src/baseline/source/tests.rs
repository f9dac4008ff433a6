use aws_sdk_s3::{
    Client,
    operation::get_object::{GetObjectError, GetObjectOutput},
    primitives::ByteStream,
    types::error::NoSuchKey,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};

use super::*;

const GOOD: &str = "version: 1\ndefaults: {billing-alarm: {threshold_usd: 7, emails: [a@example.com]}}";
const BETTER: &str = "version: 1\ndefaults: {billing-alarm: {threshold_usd: 8, emails: [a@example.com]}}";
const BAD: &str = "version: 3\nunknown: 1";

/// The bucket holds this text under this `ETag`; the caller knows `known`.
fn holds(known: Option<&'static str>, etag: &'static str, text: &'static str) -> Rule {
    mock!(Client::get_object)
        .match_requests(move |input| input.key() == Some("baseline.yaml") && input.if_none_match() == known)
        .then_output(move || {
            GetObjectOutput::builder().e_tag(etag).body(ByteStream::from_static(text.as_bytes())).build()
        })
}

/// The bucket still holds what the caller knows.
fn unchanged(known: &'static str) -> Rule {
    mock!(Client::get_object)
        .match_requests(move |input| input.if_none_match() == Some(known))
        .then_http_response(|| HttpResponse::new(StatusCode::try_from(304).unwrap(), SdkBody::empty()))
}

fn fails(error: fn() -> GetObjectError) -> Rule {
    mock!(Client::get_object).then_error(error)
}

fn missing() -> GetObjectError {
    GetObjectError::NoSuchKey(NoSuchKey::builder().build())
}

fn denied() -> GetObjectError {
    GetObjectError::generic(ErrorMetadata::builder().code("AccessDenied").message("no").build())
}

fn source(rules: &[&Rule]) -> Source {
    Source::object(
        S3Gateway::new(mock_client!(aws_sdk_s3, RuleMode::Sequential, rules), "bucket"),
        "baseline.yaml",
        RoleName::organization_account_access(),
    )
}

fn threshold(reading: &Reading) -> String {
    reading.document.as_ref().unwrap().defaults.billing_alarm.as_ref().unwrap().threshold_usd.to_string()
}

fn cause(reading: &Reading) -> Cause {
    reading.document.as_ref().unwrap_err().cause
}

#[tokio::test]
async fn a_stack_without_a_document_has_the_baseline_of_its_parameters() {
    let reading = Source::fixed(Baseline::of_parameters("a@example.com".parse().unwrap(), 9.0)).read().await;
    assert_eq!(threshold(&reading), "9");
    assert_eq!(reading.refused, None);
}

#[tokio::test]
async fn a_warm_function_reads_a_document_again_only_when_it_has_changed() {
    let rules =
        [holds(None, "\"1\"", GOOD), unchanged("\"1\""), holds(Some("\"1\""), "\"2\"", BETTER), unchanged("\"2\"")];
    let source = source(&rules.each_ref());
    let mut thresholds = Vec::new();
    for _ in &rules {
        thresholds.push(threshold(&source.read().await));
    }
    assert_eq!(thresholds, ["7", "7", "8", "8"]);
    assert!(rules.iter().all(|rule| rule.num_calls() == 1));
}

#[tokio::test]
async fn a_refused_document_leaves_the_last_good_one_in_force_and_is_reported_once() {
    let rules = [holds(None, "\"1\"", GOOD), holds(Some("\"1\""), "\"2\"", BAD), unchanged("\"2\"")];
    let source = source(&rules.each_ref());
    assert_eq!(source.read().await.refused, None);

    let reading = source.read().await;
    assert_eq!(threshold(&reading), "7");
    let refused = reading.refused.unwrap();
    assert_eq!((refused.etag.as_str(), refused.in_force.as_deref()), ("\"2\"", Some("\"1\"")));
    assert_eq!(refused.document, "s3://bucket/baseline.yaml");
    assert_eq!((refused.problems.len(), refused.problem_count), (2, 2));

    let again = source.read().await;
    assert_eq!(threshold(&again), "7");
    assert_eq!(again.refused, None);
}

#[tokio::test]
async fn a_correction_after_a_refusal_comes_into_force() {
    let rules = [holds(None, "\"1\"", BAD), holds(Some("\"1\""), "\"2\"", GOOD), unchanged("\"2\"")];
    let source = source(&rules.each_ref());
    assert!(source.read().await.refused.is_some());
    assert_eq!(threshold(&source.read().await), "7");
    assert_eq!(threshold(&source.read().await), "7");
}

#[tokio::test]
async fn without_any_good_document_a_refusal_is_a_failure_each_time_and_an_event_once() {
    let rules = [holds(None, "\"1\"", BAD), unchanged("\"1\"")];
    let source = source(&rules.each_ref());
    let reading = source.read().await;
    assert_eq!(cause(&reading), Cause::BaselineDocumentRefused);
    assert!(reading.document.unwrap_err().message.contains("version"));
    assert_eq!(reading.refused.unwrap().in_force, None);

    let again = source.read().await;
    assert_eq!(cause(&again), Cause::BaselineDocumentRefused);
    assert_eq!(again.refused, None);
}

#[tokio::test]
async fn a_document_that_is_missing_or_cannot_be_read_is_a_failure_even_if_there_was_one() {
    let rules = [holds(None, "\"1\"", GOOD), fails(missing), fails(denied), unchanged("\"1\"")];
    let source = source(&rules.each_ref());
    assert_eq!(threshold(&source.read().await), "7");
    assert_eq!(cause(&source.read().await), Cause::BaselineDocumentMissing);
    assert_eq!(cause(&source.read().await), Cause::AccessDenied);
    assert_eq!(threshold(&source.read().await), "7");
}

#[tokio::test]
async fn a_first_read_that_is_denied_is_not_taken_for_a_missing_document() {
    assert_eq!(cause(&source(&[&fails(denied)]).read().await), Cause::AccessDenied);
    assert_eq!(cause(&source(&[&fails(missing)]).read().await), Cause::BaselineDocumentMissing);
}

#[test]
fn a_refusal_fits_into_an_event_whatever_is_in_the_document() {
    let keys = (0..20_000).map(|n| format!("k{n}: 1")).collect::<Vec<_>>().join("\n");
    let problems = Document::read(keys.as_bytes(), &RoleName::organization_account_access()).unwrap_err();
    let refused = refusal("s3://bucket/baseline.yaml".to_owned(), "\"1\"".to_owned(), None, problems);
    assert_eq!((refused.problems.len(), refused.problem_count), (100, 20_001));
    assert!(refused.failure.message.contains("and 19991 more"), "{}", refused.failure.message);
    assert!(serde_json::to_string(&refused).unwrap().len() < 100_000);
}
