use super::*;
use crate::organization_check::testing::Rules;

fn desired() -> OrganizationTrail {
    OrganizationTrail {
        name: "organization".into(),
        bucket: "logs".into(),
        key_prefix: None,
        kms_key: Some("arn:aws:kms:us-east-1:111111111111:key/1".into()),
    }
}

fn good() -> Seen {
    let trail = Trail {
        settings: desired().settings(),
        arn: "arn:aws:cloudtrail:us-east-1:111111111111:trail/organization".into(),
        home_region: "us-east-1".into(),
        is_of_organization: true,
        is_multi_region: true,
        is_validated: true,
    };
    (trail, TrailStatus { is_logging: true, delivery_error: None, has_delivered: true })
}

/// What would be changed and what is left to people.
fn published(desired: Option<&OrganizationTrail>, actual: Vec<Seen>) -> (Vec<String>, Vec<String>) {
    let (scope, desired, actual) = (Rules::default().organization().0, desired.cloned(), Actual(actual));
    let planned = OrganizationTrailCheck.plan(&scope, &desired, &actual);
    (planned.iter().map(ToString::to_string).collect(), OrganizationTrailCheck.by_hand(&desired, &actual))
}

#[test]
fn a_trail_that_records_everything_will_do_under_any_name() {
    let mut other = good();
    other.0.settings.name = "another".into();
    other.0.home_region = "eu-west-1".into();
    assert_eq!(published(None, vec![other]), (vec![], vec![]));
}

#[test]
fn without_a_section_nothing_is_made_and_the_remedy_is_reported() {
    let (planned, left) = published(None, vec![]);
    assert!(planned.is_empty() && left[0].contains("name `organization-trail` in the document"), "{left:?}");
    let mut silent = good();
    (silent.1.is_logging, silent.0.is_multi_region) = (false, false);
    let (planned, left) = published(None, vec![silent]);
    assert!(planned.is_empty());
    assert!(left[0].starts_with("the trail organization records one region alone, does not record: "), "{left:?}");
}

#[test]
fn a_trail_that_is_missing_is_made_and_started() {
    let (planned, left) = published(Some(&desired()), vec![]);
    assert_eq!(
        planned,
        [
            "make the trail organization of all accounts and regions, validated, to s3://logs, encrypted with \
             arn:aws:kms:us-east-1:111111111111:key/1",
            "let the trail organization record"
        ]
    );
    assert!(left.is_empty());
    assert_eq!(published(Some(&desired()), vec![good()]), (vec![], vec![]));
}

#[test]
fn every_difference_is_named_and_a_failed_delivery_is_left_to_people() {
    let mut broken = good();
    broken.0.is_validated = false;
    broken.0.settings.kms_key = None;
    broken.1 = TrailStatus { is_logging: false, delivery_error: Some("AccessDenied".into()), has_delivered: true };
    let (planned, left) = published(Some(&desired()), vec![broken]);
    assert_eq!(
        planned,
        [
            "change the trail organization: files validated, s3://logs -> s3://logs, encrypted with \
             arn:aws:kms:us-east-1:111111111111:key/1",
            "let the trail organization record"
        ]
    );
    assert!(left[0].contains("could not deliver (AccessDenied)") && left[0].contains("bucket logs"), "{left:?}");
}

#[test]
fn a_trail_at_home_elsewhere_is_left_to_people() {
    let mut elsewhere = good();
    (elsewhere.0.home_region, elsewhere.0.is_validated) = ("eu-west-1".into(), false);
    let (planned, left) = published(Some(&desired()), vec![elsewhere]);
    assert!(planned.is_empty() && left[0].contains("at home in eu-west-1 and has no validation"), "{left:?}");
}

#[test]
fn a_trail_that_has_delivered_nothing_yet_is_noted_and_no_drift() {
    let mut fresh = good();
    fresh.1.has_delivered = false;
    assert_eq!(published(Some(&desired()), vec![fresh.clone()]), (vec![], vec![]));
    let notes = OrganizationTrailCheck.notes(&Some(desired()), &Actual(vec![fresh]));
    assert_eq!(notes, ["The trail organization has delivered nothing yet."]);
}

#[test]
fn every_field_that_aws_would_refuse_is_named() {
    let wrong = OrganizationTrail {
        name: "a..b".into(),
        bucket: "Logs".into(),
        key_prefix: Some(String::new()),
        kms_key: Some("alias/logs".into()),
    };
    let paths: Vec<_> = wrong.problems("t").into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["t.name", "t.bucket", "t.key_prefix", "t.kms_key"]);
    assert!(desired().problems("t").is_empty());
}
