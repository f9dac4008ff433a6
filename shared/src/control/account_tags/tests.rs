use aws_sdk_organizations::{
    Client,
    operation::{
        list_tags_for_resource::{ListTagsForResourceError, ListTagsForResourceOutput},
        tag_resource::{TagResourceError, TagResourceOutput},
    },
    types::{ConstraintViolationExceptionReason, Tag, error::ConstraintViolationException},
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    error::Cause,
    gateway::testing::{denied, said},
};

type Tags = &'static [(&'static str, &'static str)];

fn tags(tags: Tags) -> BTreeMap<String, String> {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn section() -> AccountTags {
    AccountTags { tags: tags(&[("cost-center", "42"), ("stage", "prod")]) }
}

fn list(answers: &[Tags]) -> Rule {
    let answer = |tags: Tags| {
        let model = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build().unwrap());
        ListTagsForResourceOutput::builder().set_tags(Some(model.collect())).build()
    };
    let rule = mock!(Client::list_tags_for_resource).match_requests(|r| r.resource_id() == Some("222222222222"));
    answers.iter().copied().fold(rule.sequence(), |rule, tags| rule.output(move || answer(tags))).build()
}

#[test]
fn missing_and_different_tags_are_set_and_others_are_left_alone() {
    let change = plan(&section(), &tags(&[("stage", "dev"), ("owner", "me")])).unwrap();
    assert_eq!(change.to_string(), "tag the account: cost-center=42, stage=dev -> prod");
    assert_eq!(change.tags, section().tags);
    assert_eq!(plan(&section(), &tags(&[("stage", "prod"), ("owner", "me"), ("cost-center", "42")])), None);
}

#[tokio::test]
async fn a_compliant_account_costs_one_read() {
    let list = list(&[&[("cost-center", "42"), ("stage", "prod")]]);
    let scope = Rules { organizations: &[&list], ..Rules::default() }.management();
    assert_eq!(run(&AccountTagsControl, &scope, &section(), Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["ListTagsForResource"]);
}

#[tokio::test]
async fn what_the_index_shows_as_it_should_be_costs_nothing_more() {
    let mut scope = Rules::default().management();
    scope.0.known.tags = Some(section().tags);
    assert_eq!(run(&AccountTagsControl, &scope, &section(), Mode::Plan).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), [""; 0]);
}

#[tokio::test]
async fn what_the_index_alone_shows_to_differ_is_no_drift() {
    for stale in [tags(&[]), tags(&[("cost-center", "41"), ("stage", "prod")])] {
        let list = list(&[&[("cost-center", "42"), ("stage", "prod")]]);
        let mut scope = Rules { organizations: &[&list], ..Rules::default() }.management();
        scope.0.known.tags = Some(stale);
        assert_eq!(run(&AccountTagsControl, &scope, &section(), Mode::Plan).await, Outcome::Compliant);
        assert_eq!(scope.1.calls(), ["ListTagsForResource"]);
    }
}

#[tokio::test]
async fn only_what_differs_is_written_and_read_back() {
    let put = mock!(Client::tag_resource)
        .match_requests(|r| {
            let wanted = [Tag::builder().key("stage").value("prod").build().unwrap()];
            r.resource_id() == Some("222222222222") && r.tags() == wanted
        })
        .then_output(|| TagResourceOutput::builder().build());
    let list = list(&[&[("cost-center", "42")], &[("cost-center", "42"), ("stage", "prod")]]);
    let scope = Rules { organizations: &[&list, &put], ..Rules::default() }.management();
    let outcome = run(&AccountTagsControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec!["tag the account: stage=prod".into()] });
    assert_eq!(scope.1.calls(), ["ListTagsForResource", "TagResource", "ListTagsForResource"]);
}

#[tokio::test]
async fn a_denied_read_is_unknown_and_a_tag_policy_is_named_as_the_reason() {
    let no = mock!(Client::list_tags_for_resource).then_error(|| ListTagsForResourceError::generic(denied()));
    let scope = Rules { organizations: &[&no], ..Rules::default() }.management();
    let outcome = run(&AccountTagsControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));

    let refused = mock!(Client::tag_resource).then_error(|| {
        let error = ConstraintViolationException::builder().meta(said("ConstraintViolationException", "no such value"));
        let error = error.reason(ConstraintViolationExceptionReason::TagPolicyViolation).build();
        TagResourceError::ConstraintViolationException(error)
    });
    let scope = Rules { organizations: &[&list(&[&[]]), &refused], ..Rules::default() }.management();
    let outcome = run(&AccountTagsControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::TagPolicyViolation, vec![]));
    assert_eq!(scope.1.calls(), ["ListTagsForResource", "TagResource"]);
}
