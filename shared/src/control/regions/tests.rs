use aws_sdk_account::{
    Client,
    operation::{
        disable_region::DisableRegionOutput,
        enable_region::{EnableRegionError, EnableRegionOutput},
        list_regions::{ListRegionsError, ListRegionsOutput},
    },
    types::{
        Region as Model, RegionOptStatus,
        error::{ConflictException, TooManyRequestsException},
    },
};
use aws_smithy_mocks::{Rule, mock};

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    gateway::testing::{denied, said},
};

/// What AWS says when the quota of changes at once is used up.
const QUOTA: &str = "This request has exceeded the quota for 'Number of concurrent region-opt requests for an \
                     account'. Consider retrying the operation later once some requests have been completed.";

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn section(enabled: &[&str], disabled: &[&str]) -> Regions {
    let regions = |names: &[&str]| names.iter().map(|name| region(name)).collect();
    Regions { enabled: regions(enabled), disabled: regions(disabled), others: Others::Leave }
}

fn actual(regions: &[(&str, RegionStatus)]) -> Actual {
    regions.iter().map(|(name, status)| (region(name), *status)).collect()
}

fn page(regions: &[(&str, RegionOptStatus)]) -> ListRegionsOutput {
    let model = |(name, status): &(&str, RegionOptStatus)| {
        Model::builder().region_name(*name).region_opt_status(status.clone()).build()
    };
    ListRegionsOutput::builder().set_regions(Some(regions.iter().map(model).collect())).build()
}

fn list(answers: &[&[(&'static str, RegionOptStatus)]]) -> Rule {
    let rule = mock!(Client::list_regions).match_requests(|r| r.account_id().is_none()).sequence();
    let pages = answers.iter().map(|regions| page(regions));
    pages.fold(rule, |rule, page| rule.output(move || page.clone())).build()
}

fn enable(name: &'static str) -> Rule {
    mock!(Client::enable_region)
        .match_requests(move |r| (r.account_id(), r.region_name()) == (Some("222222222222"), Some(name)))
        .then_output(|| EnableRegionOutput::builder().build())
}

fn too_many(message: &'static str) -> Rule {
    mock!(Client::enable_region).then_error(move || {
        EnableRegionError::TooManyRequestsException(
            TooManyRequestsException::builder()
                .message(message)
                .meta(said("TooManyRequestsException", message))
                .build()
                .unwrap(),
        )
    })
}

#[test]
fn only_regions_at_rest_are_drift_and_enabling_goes_first() {
    use RegionStatus::{Disabled, Disabling, Enabled, EnabledByDefault, Enabling};
    let desired = section(&["eu-south-1", "eu-south-2", "af-south-1"], &["ap-east-1", "ap-east-2", "us-east-1"]);
    let actual = actual(&[
        ("ap-east-1", Enabled),
        ("ap-east-2", Disabling),
        ("us-east-1", EnabledByDefault),
        ("eu-south-1", Disabled),
        ("eu-south-2", Enabling),
        ("af-south-1", Disabling),
        ("me-south-1", Enabled),
    ]);
    let changes = plan(&desired, &actual);
    assert_eq!(changes, [Change::Enable(region("eu-south-1")), Change::Disable(region("ap-east-1"))]);
    assert_eq!(changes[0].to_string(), "enable the region eu-south-1");
}

#[test]
fn the_other_regions_are_disabled_only_on_request() {
    use RegionStatus::{Enabled, EnabledByDefault};
    let actual = actual(&[("af-south-1", Enabled), ("me-south-1", Enabled), ("us-east-1", EnabledByDefault)]);
    assert_eq!(plan(&section(&["af-south-1"], &[]), &actual), []);
    let strict = Regions { others: Others::Disable, ..section(&["af-south-1"], &[]) };
    assert_eq!(plan(&strict, &actual), [Change::Disable(region("me-south-1"))]);
}

#[test]
fn a_transition_is_waited_for_only_where_the_section_asks_for_the_region() {
    let moving = actual(&[("af-south-1", RegionStatus::Enabling), ("me-south-1", RegionStatus::Disabled)]);
    assert_eq!(pending(&section(&[], &["me-south-1"]), &moving), None);
    let notes = RegionsControl.notes(&section(&[], &[]), &moving);
    assert_eq!(notes, ["af-south-1 is being enabled in this account"]);
    for wanting in [section(&["af-south-1"], &[]), section(&[], &["af-south-1"])] {
        let failure = pending(&wanting, &moving).unwrap();
        assert_eq!(failure.cause, Cause::RegionInTransition);
        assert!(failure.message.ends_with("af-south-1 is being enabled."), "{}", failure.message);
    }
}

#[test]
fn a_region_that_cannot_be_disabled_is_drift_that_the_document_ends() {
    let actual = actual(&[("us-east-1", RegionStatus::EnabledByDefault)]);
    assert_eq!(plan(&section(&[], &["us-east-1"]), &actual), []);
    let by_hand = RegionsControl.by_hand(&section(&[], &["us-east-1"]), &actual);
    assert_eq!(by_hand, ["take us-east-1 out of disabled: it is enabled by default, for good"]);
    let strict = Regions { others: Others::Disable, ..section(&[], &[]) };
    assert!(RegionsControl.by_hand(&strict, &actual).is_empty());
}

const NAMES: [&str; 5] = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1", "us-east-1"];

fn any_section() -> impl Strategy<Value = Regions> {
    let names = || vec(select(&NAMES), 0..5).prop_map(|names| names.into_iter().map(region).collect());
    let others = select(&[Others::Leave, Others::Disable]);
    (names(), names(), others).prop_map(|(enabled, disabled, others)| Regions { enabled, disabled, others })
}

fn any_actual() -> impl Strategy<Value = Actual> {
    use RegionStatus::{Disabled, Disabling, Enabled, EnabledByDefault, Enabling};
    let statuses = vec(select(&[Disabled, Disabling, Enabled, EnabledByDefault, Enabling]), NAMES.len());
    statuses.prop_map(|statuses| NAMES.into_iter().map(region).zip(statuses).collect())
}

/// What AWS makes of changes in the end.
fn settled(actual: &Actual, changes: &[Change]) -> Actual {
    let end = |(region, status): (&Region, &RegionStatus)| {
        let status = match status {
            RegionStatus::Enabling => RegionStatus::Enabled,
            RegionStatus::Disabling => RegionStatus::Disabled,
            _ if changes.contains(&Change::Enable(region.clone())) => RegionStatus::Enabled,
            _ if changes.contains(&Change::Disable(region.clone())) => RegionStatus::Disabled,
            other => *other,
        };
        (region.clone(), status)
    };
    actual.iter().map(end).collect()
}

proptest! {
    #[test]
    fn whatever_is_there_two_rounds_lead_to_what_should_be(desired in any_section(), actual in any_actual()) {
        let first = settled(&actual, &plan(&desired, &actual));
        let second = settled(&first, &plan(&desired, &first));
        prop_assert_eq!(plan(&desired, &second), []);
        prop_assert_eq!(pending(&desired, &second), None);
        for change in plan(&desired, &actual) {
            let (Change::Enable(region) | Change::Disable(region)) = change;
            prop_assert!(matches!(actual[&region], RegionStatus::Enabled | RegionStatus::Disabled));
        }
    }
}

#[tokio::test]
async fn a_compliant_account_costs_one_read() {
    let list = list(&[&[("af-south-1", RegionOptStatus::Enabled), ("us-east-1", RegionOptStatus::EnabledByDefault)]]);
    let scope = Rules { account: &[&list], ..Rules::default() }.contacts();
    let outcome = run(&RegionsControl, &scope, &section(&["af-south-1", "us-east-1"], &[]), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["ListRegions"]);
}

#[tokio::test]
async fn a_region_that_was_asked_for_is_not_ready_until_it_is_enabled() {
    let list = list(&[
        &[("af-south-1", RegionOptStatus::Disabled), ("ap-east-1", RegionOptStatus::Enabled)],
        &[("af-south-1", RegionOptStatus::Enabling), ("ap-east-1", RegionOptStatus::Disabling)],
        &[("af-south-1", RegionOptStatus::Enabling), ("ap-east-1", RegionOptStatus::Disabled)],
        &[("af-south-1", RegionOptStatus::Enabled), ("ap-east-1", RegionOptStatus::Disabled)],
    ]);
    let disable = mock!(Client::disable_region)
        .match_requests(|r| (r.account_id(), r.region_name()) == (Some("222222222222"), Some("ap-east-1")))
        .then_output(|| DisableRegionOutput::builder().build());
    let scope = Rules { account: &[&list, &enable("af-south-1"), &disable], ..Rules::default() }.contacts();
    let desired = section(&["af-south-1"], &["ap-east-1"]);

    let first = run(&RegionsControl, &scope, &desired, Mode::Apply).await;
    assert!(matches!(first, Outcome::NotReady { retry_after: 120, .. }), "{first:?}");
    let applied = vec!["enable the region af-south-1".to_owned(), "disable the region ap-east-1".to_owned()];
    assert_eq!(stopped(first), (Cause::RegionInTransition, applied));
    assert_eq!(scope.1.calls(), ["ListRegions", "EnableRegion", "DisableRegion", "ListRegions"]);

    let second = run(&RegionsControl, &scope, &desired, Mode::Plan).await;
    assert_eq!(stopped(second), (Cause::RegionInTransition, vec![]));
    assert_eq!(run(&RegionsControl, &scope, &desired, Mode::Apply).await, Outcome::Compliant);
}

#[tokio::test]
async fn no_more_regions_change_at_once_than_aws_works_on() {
    use RegionOptStatus::{Disabled, Enabling};
    let before = [
        ("ap-east-1", Enabling),
        ("ap-east-2", Enabling),
        ("ap-south-2", Enabling),
        ("ap-southeast-3", Enabling),
        ("ap-southeast-4", Enabling),
        ("eu-south-1", Disabled),
        ("eu-south-2", Disabled),
    ];
    let mut after = before.clone();
    after[5].1 = Enabling;
    let list = list(&[&before, &after, &after]);
    let scope = Rules { account: &[&list, &enable("eu-south-1")], ..Rules::default() }.contacts();
    let desired = section(&["eu-south-1", "eu-south-2"], &[]);

    let first = run(&RegionsControl, &scope, &desired, Mode::Apply).await;
    let Outcome::NotReady { applied, failure, .. } = first else { panic!("{first:?}") };
    assert_eq!(applied, ["enable the region eu-south-1"]);
    assert!(failure.message.ends_with("Still to do: enable the region eu-south-2."), "{}", failure.message);

    let second = run(&RegionsControl, &scope, &desired, Mode::Apply).await;
    assert_eq!(stopped(second), (Cause::RegionInTransition, vec![]));
    assert_eq!(scope.1.calls(), ["ListRegions", "EnableRegion", "ListRegions", "ListRegions"]);
}

#[tokio::test]
async fn while_other_regions_take_all_the_room_a_change_waits_for_its_turn() {
    use RegionOptStatus::{Disabled, Disabling};
    let names = ["ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5"];
    let regions: Vec<_> = names.into_iter().map(|name| (name, Disabling)).chain([("eu-south-1", Disabled)]).collect();
    let scope = Rules { account: &[&list(&[&regions])], ..Rules::default() }.contacts();
    let outcome = run(&RegionsControl, &scope, &section(&["eu-south-1"], &[]), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::RegionOptQuota, vec![]));
    assert_eq!(scope.1.calls(), ["ListRegions"]);
}

#[tokio::test(start_paused = true)]
async fn the_quota_of_changes_at_once_is_no_throttling_and_is_not_asked_for_again() {
    for (message, cause, asked) in [(QUOTA, Cause::RegionOptQuota, 1), ("Rate exceeded", Cause::Throttled, 4)] {
        let (list, full) = (list(&[&[("af-south-1", RegionOptStatus::Disabled)]]), too_many(message));
        let scope = Rules { account: &[&list, &full], ..Rules::default() }.contacts();
        let outcome = run(&RegionsControl, &scope, &section(&["af-south-1"], &[]), Mode::Apply).await;
        assert!(outcome.is_worth_another_look());
        assert_eq!(stopped(outcome), (cause, vec![]));
        assert_eq!(full.num_calls(), asked);
    }
}

/// What comes of enabling a region that AWS answers with a conflict, when a look afterwards shows this status.
async fn after_a_conflict(status: RegionOptStatus) -> Outcome {
    let shown = [("af-south-1", status)];
    let list = list(&[&[("af-south-1", RegionOptStatus::Disabled)], &shown, &shown]);
    let conflict = mock!(Client::enable_region).then_error(|| {
        EnableRegionError::ConflictException(
            ConflictException::builder().message("busy").meta(said("ConflictException", "busy")).build().unwrap(),
        )
    });
    let scope = Rules { account: &[&list, &conflict], ..Rules::default() }.contacts();
    run(&RegionsControl, &scope, &section(&["af-south-1"], &[]), Mode::Apply).await
}

#[tokio::test]
async fn after_a_conflict_a_look_says_whether_the_region_goes_the_right_way() {
    let enable = || vec!["enable the region af-south-1".to_owned()];
    let enabling = after_a_conflict(RegionOptStatus::Enabling).await;
    assert_eq!(stopped(enabling), (Cause::RegionInTransition, enable()));
    assert_eq!(after_a_conflict(RegionOptStatus::Enabled).await, Outcome::Fixed { applied: enable() });
    // What somebody else has begun is not what was asked for.
    for status in [RegionOptStatus::Disabling, RegionOptStatus::Disabled] {
        assert_eq!(stopped(after_a_conflict(status).await), (Cause::RegionInTransition, vec![]));
    }
}

#[tokio::test]
async fn a_list_without_regions_is_unknown() {
    let list = list(&[&[]]);
    let scope = Rules { account: &[&list], ..Rules::default() }.contacts();
    let strict = Regions { others: Others::Disable, ..section(&[], &[]) };
    assert_eq!(stopped(run(&RegionsControl, &scope, &strict, Mode::Apply).await), (Cause::CallFailed, vec![]));
}

#[tokio::test]
async fn a_write_that_fails_names_the_region_that_went_before() {
    let list = list(&[&[("af-south-1", RegionOptStatus::Disabled), ("ap-east-1", RegionOptStatus::Disabled)]]);
    let scope = Rules { account: &[&list, &enable("af-south-1"), &too_many(QUOTA)], ..Rules::default() }.contacts();
    let outcome = run(&RegionsControl, &scope, &section(&["ap-east-1", "af-south-1"], &[]), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::RegionOptQuota, vec!["enable the region af-south-1".into()]));
}

#[tokio::test]
async fn a_region_that_aws_does_not_know_stops_the_control_before_it_writes() {
    let list = list(&[&[("af-south-1", RegionOptStatus::Disabled)]]);
    let scope = Rules { account: &[&list], ..Rules::default() }.contacts();
    let outcome = run(&RegionsControl, &scope, &section(&["af-south-1", "mars-north-1"], &[]), Mode::Apply).await;
    let Outcome::Unknown { failure, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.cause, Cause::UnknownRegion);
    assert!(failure.message.contains("mars-north-1"), "{}", failure.message);
    assert_eq!(scope.1.calls(), ["ListRegions"]);
}

#[tokio::test]
async fn a_denied_read_is_unknown() {
    let no = mock!(Client::list_regions).then_error(|| ListRegionsError::generic(denied()));
    let scope = Rules { account: &[&no], ..Rules::default() }.contacts();
    let outcome = run(&RegionsControl, &scope, &section(&["af-south-1"], &[]), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccountManagementDenied, vec![]));
}
