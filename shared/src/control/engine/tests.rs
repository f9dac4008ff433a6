use std::{fmt, sync::LazyLock, time::Duration};

use aws_sdk_account::{
    Client as Account,
    operation::list_regions::ListRegionsOutput,
    types::{Region, RegionOptStatus},
};
use aws_sdk_organizations::{
    Client as Organizations,
    operation::list_tags_for_resource::{ListTagsForResourceError, ListTagsForResourceOutput},
    types::Tag,
};
use aws_sdk_sts::{
    Client as Sts,
    operation::{
        assume_role::{AssumeRoleError, AssumeRoleOutput},
        get_caller_identity::{GetCallerIdentityError, GetCallerIdentityOutput},
    },
    types::Credentials,
};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;
use serde_json::json;
use tokio::sync::Barrier;

use super::*;
use crate::{
    baseline::Document,
    closed_set::ClosedSet,
    control::{
        ALL, ManagementScope, find,
        testing::{Recorder, Rules, account, active, management_account, sealed_account},
    },
    error::Cause,
    gateway::testing::denied,
    ids::RoleName,
    invocation::{Reach, reaching},
    organization::AccountFacts,
    session::Protected,
};

fn who_calls() -> Rule {
    mock!(Sts::get_caller_identity)
        .then_output(|| GetCallerIdentityOutput::builder().account(management_account().as_str()).build())
}

fn assumes() -> Rule {
    mock!(Sts::assume_role).then_output(|| {
        let credentials = Credentials::builder().access_key_id("ASIA").secret_access_key("s").session_token("t");
        let credentials = credentials.expiration(DateTime::from_secs(4_000_000_000)).build().unwrap();
        AssumeRoleOutput::builder().credentials(credentials).build()
    })
}

fn tagged() -> Rule {
    mock!(Organizations::list_tags_for_resource).then_output(|| {
        let tag = Tag::builder().key("stage").value("prod").build().unwrap();
        ListTagsForResourceOutput::builder().tags(tag).build()
    })
}

fn baseline(sections: serde_json::Value) -> Baseline {
    serde_json::from_value(sections).unwrap()
}

fn controls(ids: &[&str]) -> Vec<&'static dyn AnyControl> {
    ids.iter().map(|id| find(id).unwrap()).collect()
}

async fn run(
    engine: &Engine,
    account_id: &AccountId,
    ids: &[&str],
    sections: serde_json::Value,
    mode: Mode,
) -> Vec<Row> {
    run_as_called(Reach::Changes, engine, account_id, ids, sections, mode).await
}

async fn run_as_called(
    reach: Reach,
    engine: &Engine,
    account_id: &AccountId,
    ids: &[&str],
    sections: serde_json::Value,
    mode: Mode,
) -> Vec<Row> {
    let work = async {
        let role = RoleName::organization_account_access();
        let admission = engine.admit(&active(account_id), &Protected::default()).await.unwrap();
        let visit = Visit::to(&admission, &role, "i-1", false);
        engine.run(&controls(ids), visit, &baseline(sections).into(), mode).await
    };
    reaching(reach, Duration::from_mins(5), work).await
}

fn sorted(recorder: &Recorder) -> Vec<String> {
    let mut calls = recorder.calls();
    calls.sort();
    calls
}

#[tokio::test]
async fn one_session_serves_all_controls_that_work_through_the_role() {
    let assumes = assumes();
    let (engine, recorder) = Rules { sts: &[&who_calls(), &assumes], ..Rules::default() }.engine();
    let ids = ["account-alias", "password-policy", "s3-public-access-block"];
    let sections = json!({"account-alias": {"alias": "a-b"}, "password-policy": {}, "s3-public-access-block": {}});
    let rows = run(&engine, &account(), &ids, sections, Mode::Plan).await;
    // The session's own calls go nowhere here: a read that failed is unknown.
    assert!(rows.iter().all(|row| matches!(row.outcome, Outcome::Unknown { .. })), "{rows:?}");
    assert_eq!(recorder.calls(), ["GetCallerIdentity", "AssumeRole"]);
    assert_eq!(assumes.num_calls(), 1);
}

#[tokio::test]
async fn a_session_is_allowed_what_the_baseline_asks_for_in_this_mode_and_nothing_else() {
    let in_mode = async |reach, mode, expected: &'static [&'static str]| {
        let assumes = mock!(Sts::assume_role)
            .match_requests(move |r| {
                let policy: serde_json::Value = serde_json::from_str(r.policy().unwrap()).unwrap();
                assert_eq!(policy["Statement"][0]["Action"], json!(expected));
                r.role_arn() == Some("arn:aws:iam::222222222222:role/OrganizationAccountAccessRole")
                    && r.role_session_name() == Some("tests.i-1")
            })
            .then_error(|| AssumeRoleError::generic(denied()));
        let rules = Rules { sts: &[&who_calls(), &assumes], organizations: &[&tagged()], ..Rules::default() };
        let ids: Vec<_> = ALL.iter().map(|control| control.id()).collect();
        let sections = json!({"account-alias": {"alias": "a-b"}, "account-tags": {"tags": {"stage": "prod"}}});
        run_as_called(reach, &rules.engine().0, &account(), &ids, sections, mode).await
    };
    in_mode(Reach::Changes, Mode::Plan, &["iam:ListAccountAliases"]).await;
    in_mode(Reach::Changes, Mode::Apply, &["iam:CreateAccountAlias", "iam:ListAccountAliases"]).await;
    // Who may only look gets a plan's session, whatever is asked for.
    in_mode(Reach::Looks, Mode::Apply, &["iam:ListAccountAliases"]).await;
}

#[tokio::test]
async fn a_session_that_cannot_be_opened_stops_only_the_controls_that_need_it() {
    let no = mock!(Sts::assume_role).then_error(|| AssumeRoleError::generic(denied()));
    let rules = Rules { sts: &[&who_calls(), &no], organizations: &[&tagged()], ..Rules::default() };
    let (engine, recorder) = rules.engine();
    let ids = ["account-alias", "account-tags", "password-policy", "regions"];
    let sections =
        json!({"account-alias": {"alias": "a-b"}, "account-tags": {"tags": {"stage": "prod"}}, "password-policy": {}});
    let rows = run(&engine, &account(), &ids, sections, Mode::Apply).await;

    let names: Vec<_> = rows.iter().map(|row| row.control.as_str()).collect();
    assert_eq!(names, ids);
    let outcomes: Vec<_> = rows.into_iter().map(|row| row.outcome).collect();
    for position in [0, 2] {
        let Outcome::Unknown { failure, .. } = &outcomes[position] else { panic!("{outcomes:?}") };
        assert_eq!(failure.cause, Cause::AccessRoleUnusable);
    }
    assert_eq!(outcomes[1], Outcome::Compliant);
    assert!(matches!(outcomes[3], Outcome::Skipped { .. }), "{outcomes:?}");
    assert_eq!(sorted(&recorder), ["AssumeRole", "GetCallerIdentity", "ListTagsForResource"]);
}

fn regions_of(account_id: Option<&'static str>) -> Rule {
    mock!(Account::list_regions).match_requests(move |r| r.account_id() == account_id).then_output(|| {
        let region = Region::builder().region_name("af-south-1").region_opt_status(RegionOptStatus::Enabled);
        ListRegionsOutput::builder().regions(region.build()).build()
    })
}

#[tokio::test]
async fn where_the_role_cannot_be_assumed_regions_are_read_from_outside_and_the_row_says_so() {
    let no = mock!(Sts::assume_role).then_error(|| AssumeRoleError::generic(denied()));
    let regions = regions_of(Some("222222222222"));
    let rules = Rules { sts: &[&who_calls(), &no], account: &[&regions], ..Rules::default() };
    let (engine, recorder) = rules.engine();
    let sections = json!({"regions": {"enabled": ["af-south-1"]}});
    let rows = run(&engine, &account(), &["regions"], sections, Mode::Plan).await;
    assert_eq!(rows[0].outcome, Outcome::Compliant);
    assert!(rows[0].notes[0].contains("sts:AssumeRole was refused"), "{:?}", rows[0].notes);
    assert_eq!(recorder.calls(), ["GetCallerIdentity", "AssumeRole", "ListRegions"]);
}

#[tokio::test]
async fn a_function_that_enters_no_account_reads_regions_from_outside_without_asking_for_a_session() {
    let regions = regions_of(Some("222222222222"));
    let (engine, recorder) = Rules { sts: &[&who_calls()], account: &[&regions], ..Rules::default() }.engine();
    let role = RoleName::organization_account_access();
    let effective = baseline(json!({"regions": {"enabled": ["af-south-1"]}})).into();
    let work = async {
        let admission = engine.admit(&active(&account()), &Protected::default()).await.unwrap();
        let visit = Visit::to(&admission, &role, "i-1", false).from_outside();
        engine.run(&controls(&["regions"]), visit, &effective, Mode::Plan).await
    };
    let rows = reaching(Reach::Changes, Duration::from_mins(5), work).await;
    assert_eq!((&rows[0].outcome, rows[0].notes.len()), (&Outcome::Compliant, 0));
    assert_eq!(recorder.calls(), ["GetCallerIdentity", "ListRegions"]);
}

#[tokio::test]
async fn a_session_reads_contacts_and_regions_and_never_writes_them() {
    for &mode in Mode::ALL {
        let allowed = actions(
            &controls(&["alternate-contacts", "primary-contact", "regions", "root-credentials"]),
            mode,
            AccountSource::Organization,
        );
        assert_eq!(
            allowed,
            [
                "account:GetAlternateContact",
                "account:GetContactInformation",
                "account:ListRegions",
                "iam:GetAccountSummary"
            ]
        );
    }
}

#[tokio::test]
async fn a_control_that_needs_no_session_opens_none_and_the_management_account_is_asked_for_once() {
    let rules = Rules { sts: &[&who_calls()], organizations: &[&tagged()], ..Rules::default() };
    let (engine, recorder) = rules.engine();
    let sections = json!({"account-tags": {"tags": {"stage": "prod"}}});
    for _ in 0..2 {
        let rows = run(&engine, &account(), &["account-tags", "account-alias"], sections.clone(), Mode::Apply).await;
        assert_eq!(rows[0].outcome, Outcome::Compliant);
    }
    assert_eq!(recorder.calls(), ["GetCallerIdentity", "ListTagsForResource", "ListTagsForResource"]);
}

#[tokio::test]
async fn the_management_account_is_never_named_to_itself_and_has_no_way_in() {
    let regions = mock!(Account::list_regions).match_requests(|r| r.account_id().is_none()).then_output(|| {
        let region = Region::builder().region_name("af-south-1").region_opt_status(RegionOptStatus::Enabled);
        ListRegionsOutput::builder().regions(region.build()).build()
    });
    let (engine, recorder) = Rules { sts: &[&who_calls()], account: &[&regions], ..Rules::default() }.engine();
    let ids = ["regions", "account-alias", "root-credentials"];
    let sections =
        json!({"regions": {"enabled": ["af-south-1"]}, "account-alias": {"alias": "a-b"}, "root-credentials": {}});
    let rows = run(&engine, &management_account(), &ids, sections, Mode::Apply).await;
    assert_eq!(rows[0].outcome, Outcome::Compliant);
    for row in &rows[1..] {
        let Outcome::Skipped { why } = &row.outcome else { panic!("{row:?}") };
        assert!(why.contains("management account"), "{why}");
    }
    assert_eq!(recorder.calls(), ["GetCallerIdentity", "ListRegions"]);
}

#[tokio::test]
async fn without_knowing_its_own_account_the_engine_admits_nobody() {
    let no = mock!(Sts::get_caller_identity).then_error(|| GetCallerIdentityError::generic(denied()));
    let (engine, recorder) = Rules { sts: &[&no], ..Rules::default() }.engine();
    let failure = engine.admit(&active(&account()), &Protected::default()).await.unwrap_err();
    assert_eq!(failure.cause, Cause::AccessDenied);
    assert_eq!(recorder.calls(), ["GetCallerIdentity"]);
}

/// A control without a cloud: what is there is a number, and every look shows the next of a list.
struct Counter {
    seen: std::sync::Mutex<Vec<u32>>,
    breaks_at: Option<u32>,
}

#[derive(Debug, PartialEq)]
struct Step(u32);

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}", self.0)
    }
}

impl Control for Counter {
    const ID: &'static str = "counter";
    const READS: &'static [&'static str] = &[];
    const WRITES: &'static [&'static str] = &[];
    type Scope = ManagementScope;
    type Desired = u32;
    type Actual = u32;
    type Change = Step;

    fn desired(_baseline: &Baseline) -> Option<&u32> {
        None
    }

    async fn inspect(&self, _scope: &ManagementScope, _desired: &u32) -> Result<u32, CallError> {
        Ok(self.seen.lock().unwrap().remove(0))
    }

    fn plan(&self, _scope: &ManagementScope, desired: &u32, actual: &u32) -> Vec<Step> {
        (*actual..*desired).map(Step).collect()
    }

    async fn apply(&self, _scope: &ManagementScope, change: &Step) -> Result<(), CallError> {
        match self.breaks_at {
            Some(step) if step == change.0 => Err(CallError::not_sent("tests:Step", Cause::CallFailed, "broken")),
            _ => Ok(()),
        }
    }

    fn are_concurrent(&self, one: &Step, _next: &Step) -> bool {
        one.0.is_multiple_of(2)
    }
}

async fn count(seen: &[u32], breaks_at: Option<u32>, mode: Mode) -> Outcome {
    let control = Counter { seen: seen.to_vec().into(), breaks_at };
    converge_in_account(&control, &Rules::default().management().0, &4, mode).await.0
}

fn steps(steps: &[u32]) -> Vec<String> {
    steps.iter().map(|step| Step(*step).to_string()).collect()
}

#[tokio::test]
async fn what_was_changed_is_read_back_before_it_is_called_fixed() {
    assert_eq!(count(&[4], None, Mode::Apply).await, Outcome::Compliant);
    assert_eq!(count(&[2], None, Mode::Plan).await, Outcome::Drifted { planned: steps(&[2, 3]) });
    assert_eq!(count(&[2, 4], None, Mode::Apply).await, Outcome::Fixed { applied: steps(&[2, 3]) });
    let outcome = Outcome::NotConverged { applied: steps(&[2, 3]), remaining: steps(&[3]) };
    assert_eq!(count(&[2, 3], None, Mode::Apply).await, outcome);
}

#[tokio::test]
async fn changes_that_go_together_are_all_tried_and_later_ones_are_not() {
    // 0 and 1 go together, then 2 and 3.
    let applied = |outcome| match outcome {
        Outcome::Unknown { applied, .. } => applied,
        other => panic!("{other:?}"),
    };
    assert_eq!(applied(count(&[0], Some(0), Mode::Apply).await), steps(&[1]));
    assert_eq!(applied(count(&[0], Some(1), Mode::Apply).await), steps(&[0]));
    assert_eq!(applied(count(&[0], Some(3), Mode::Apply).await), steps(&[0, 1, 2]));
}

/// A control that waits until the other one of its kind runs as well.
struct Meeting;

static BOTH: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));

impl Control for Meeting {
    const ID: &'static str = "meeting";
    const READS: &'static [&'static str] = &[];
    const WRITES: &'static [&'static str] = &[];
    type Scope = ManagementScope;
    type Desired = crate::control::account_tags::AccountTags;
    type Actual = ();
    type Change = Step;

    fn desired(baseline: &Baseline) -> Option<&Self::Desired> {
        baseline.account_tags.as_ref()
    }

    async fn inspect(&self, _scope: &ManagementScope, _desired: &Self::Desired) -> Result<(), CallError> {
        BOTH.wait().await;
        Ok(())
    }

    fn plan(&self, _scope: &ManagementScope, _desired: &Self::Desired, _actual: &()) -> Vec<Step> {
        Vec::new()
    }

    async fn apply(&self, _scope: &ManagementScope, _change: &Step) -> Result<(), CallError> {
        Ok(())
    }
}

#[tokio::test]
async fn the_controls_of_an_account_run_at_the_same_time() {
    let (engine, _) = Rules { sts: &[&who_calls()], ..Rules::default() }.engine();
    let role = RoleName::organization_account_access();
    let admission = engine.admit(&active(&account()), &Protected::default()).await.unwrap();
    let visit = Visit::to(&admission, &role, "i-1", false);
    let effective = baseline(json!({"account-tags": {"tags": {}}})).into();
    let rows = engine.run(&[&Meeting, &Meeting], visit, &effective, Mode::Plan);
    let rows = tokio::time::timeout(std::time::Duration::from_secs(5), rows).await.expect("they wait for each other");
    assert!(rows.iter().all(|row| row.outcome == Outcome::Compliant));
}

#[tokio::test]
async fn a_control_that_the_account_is_exempt_from_is_not_looked_at() {
    let (engine, recorder) = Rules { sts: &[&who_calls()], ..Rules::default() }.engine();
    let document = Document::read(
        br#"
version: 1
defaults: {account-alias: {alias: a-b}}
exemptions:
  - {account: "222222222222", control: account-alias, reason: It moves., until: 2027-03-31}
  - {account: "222222222222", control: password-policy, reason: It has none., until: 2027-03-31}
"#,
        &RoleName::organization_account_access(),
    );
    let facts = AccountFacts {
        id: account(),
        organizational_unit_path: "/".to_owned(),
        units: Vec::new(),
        tags: std::collections::BTreeMap::new(),
    };
    let effective = document.unwrap().for_account(&facts, "2027-03-31".parse().unwrap());
    let role = RoleName::organization_account_access();
    let admission = engine.admit(&active(&account()), &Protected::default()).await.unwrap();
    let visit = Visit::to(&admission, &role, "i-1", false);
    let rows = engine.run(&controls(&["account-alias", "password-policy"]), visit, &effective, Mode::Apply).await;
    let until = "2027-03-31".parse().unwrap();
    assert_eq!(rows[0].outcome, Outcome::Exempt { reason: "It moves.".to_owned(), until });
    assert!(matches!(rows[1].outcome, Outcome::Skipped { .. }), "the baseline does not ask for it");
    assert_eq!(recorder.calls(), ["GetCallerIdentity"]);
}

#[tokio::test]
async fn an_account_that_is_not_active_is_not_admitted() {
    let (engine, _) = Rules { sts: &[&who_calls()], ..Rules::default() }.engine();
    let mut closed = active(&account());
    closed.state = crate::gateway::AccountState::Other("SUSPENDED".to_owned());
    let failure = engine.admit(&closed, &Protected::default()).await.unwrap_err();
    assert_eq!(failure.cause, Cause::AccountNotActive);
    assert!(failure.message.contains("SUSPENDED"), "{failure}");
}

#[tokio::test]
async fn in_a_protected_account_an_apply_changes_nothing_and_says_why() {
    let reads =
        mock!(Organizations::list_tags_for_resource).then_output(|| ListTagsForResourceOutput::builder().build());
    let (engine, recorder) = Rules { organizations: &[&reads], sts: &[&who_calls()], ..Rules::default() }.engine();
    let protected = Protected { accounts: vec![account()], ..Protected::default() };
    let role = RoleName::organization_account_access();
    let admission = engine.admit(&active(&account()), &protected).await.unwrap();
    let visit = Visit::to(&admission, &role, "i-1", false);
    let effective = baseline(json!({"account-tags": {"tags": {"stage": "prod"}}})).into();
    let rows = engine.run(&controls(&["account-tags"]), visit, &effective, Mode::Apply).await;
    assert!(matches!(rows[0].outcome, Outcome::Drifted { .. }), "{rows:?}");
    assert!(rows[0].notes[0].contains("protected by the baseline document"), "{rows:?}");
    assert_eq!(recorder.calls(), ["GetCallerIdentity", "ListTagsForResource"]);
}

#[tokio::test]
async fn an_account_that_the_stack_protects_is_not_entered_and_each_row_says_so() {
    let (engine, recorder) = Rules { sts: &[&who_calls()], ..Rules::default() }.engine();
    let role = RoleName::organization_account_access();
    let admission = engine.admit(&active(&sealed_account()), &Protected::default()).await.unwrap();
    let visit = Visit::to(&admission, &role, "i-1", false);
    let effective = baseline(json!({"account-alias": {"alias": "a-b"}, "root-credentials": {}})).into();
    for row in engine.run(&controls(&["account-alias", "root-credentials"]), visit, &effective, Mode::Apply).await {
        let Outcome::Skipped { why } = &row.outcome else { panic!("{row:?}") };
        assert!(why.contains("ProtectedAccounts"), "{why}");
    }
    assert_eq!(recorder.calls(), ["GetCallerIdentity"]);
}

#[tokio::test]
async fn a_denial_in_a_young_account_is_a_matter_of_time_and_later_it_is_final() {
    for (is_settling, is_final) in [(true, false), (false, true)] {
        let no =
            mock!(Organizations::list_tags_for_resource).then_error(|| ListTagsForResourceError::generic(denied()));
        let (engine, _) = Rules { organizations: &[&no], sts: &[&who_calls()], ..Rules::default() }.engine();
        let role = RoleName::organization_account_access();
        let admission = engine.admit(&active(&account()), &Protected::default()).await.unwrap();
        let visit = Visit::to(&admission, &role, "i-1", is_settling);
        let effective = baseline(json!({"account-tags": {"tags": {"stage": "prod"}}})).into();
        let rows = engine.run(&controls(&["account-tags"]), visit, &effective, Mode::Apply).await;
        let outcome = &rows[0].outcome;
        assert_eq!(matches!(outcome, Outcome::Unknown { .. }), is_final, "{outcome:?}");
        assert_eq!(outcome.is_worth_another_look(), !is_final, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_role_that_an_account_of_age_lacks_is_no_matter_of_time() {
    for (is_settling, cause) in [(true, Cause::RoleNotAssumable), (false, Cause::AccessRoleUnusable)] {
        let no = mock!(Sts::assume_role).then_error(|| AssumeRoleError::generic(denied()));
        let (engine, _) = Rules { sts: &[&who_calls(), &no], ..Rules::default() }.engine();
        let role = RoleName::organization_account_access();
        let admission = engine.admit(&active(&account()), &Protected::default()).await.unwrap();
        let visit = Visit::to(&admission, &role, "i-1", is_settling);
        let effective = baseline(json!({"account-alias": {"alias": "a-b"}})).into();
        let rows = engine.run(&controls(&["account-alias"]), visit, &effective, Mode::Plan).await;
        assert_eq!(rows[0].outcome.is_worth_another_look(), is_settling, "{:?}", rows[0].outcome);
        let found = crate::control::testing::stopped(rows[0].outcome.clone());
        assert_eq!(found, (cause, vec![]));
    }
}

#[tokio::test]
async fn without_an_organization_what_takes_one_is_named_and_regions_are_changed_inside() {
    let sources = [AccountSource::Organization, AccountSource::Document];
    let allowed = sources.map(|source| actions(&controls(&["regions", "root-credentials"]), Mode::Apply, source));
    assert!(!allowed[0].contains(&"account:EnableRegion") && allowed[1].contains(&"account:EnableRegion"));
    assert!(!allowed[1].iter().any(|action| action.contains("Delete")), "{allowed:?}");
    let plan = actions(&controls(&["regions"]), Mode::Plan, AccountSource::Document);
    assert_eq!(plan, ["account:ListRegions"]);
    let needing = ALL.iter().filter(|control| control.lacks_organization(AccountSource::Document));
    let needing: Vec<_> = needing.map(|control| control.id()).collect();
    assert_eq!(needing, ["organizational-unit", "account-tags", "primary-email", "account-name"]);
    assert!(!ALL.iter().any(|control| control.lacks_organization(AccountSource::Organization)));
}
