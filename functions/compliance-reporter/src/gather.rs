//! Putting together what the batches of a sweep have found.

use std::collections::{BTreeMap, HashMap};

use compliance_report::{Account, Checked, Failure as ReportFailure, Offered, Sweep, Trigger};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward::{
    baseline::Unmatched,
    error::{Cause, Failure},
    gateway::{Found, S3Gateway},
    sweep::{Listed, Listing},
};

/// How many results are read at once.
const AT_ONCE: usize = 16;
/// The largest result of a batch that is read.
const MAX_RESULT: usize = 20 * 1024 * 1024;

/// What came of one account.
#[derive(Debug, Deserialize)]
pub(crate) struct OfAccount {
    id: String,
    /// None when they could not be read.
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
    /// None when what holds for the account could not be found out.
    #[serde(default)]
    offered: Option<Offered>,
    checked: Checked,
}

/// What the batches of a sweep have found. A batch that is not there, or cannot be read, has found nothing.
pub(crate) async fn results(sweeps: &S3Gateway, listing: &Listing) -> Result<Vec<OfAccount>, Failure> {
    let read = |batch| async move {
        let key = listing.sweep_id.results_key(batch);
        let found = match sweeps.find_object(&key, None, MAX_RESULT).await? {
            Found::Object { content, .. } => serde_json::from_slice::<Vec<OfAccount>>(&content).unwrap_or_default(),
            Found::Missing | Found::Unchanged => Vec::new(),
        };
        Ok::<_, Failure>(found)
    };
    let all: Vec<Vec<OfAccount>> =
        stream::iter((1..=listing.batches).map(read)).buffered(AT_ONCE).try_collect().await?;
    Ok(all.into_iter().flatten().collect())
}

/// What the organization checks have found; None where the sweep was begun before there were any. What is not there, or
/// cannot be read, could not be found out.
pub(crate) async fn organization(sweeps: &S3Gateway, listing: &Listing) -> Result<Option<Checked>, Failure> {
    if !listing.checks_organization {
        return Ok(None);
    }
    let found = match sweeps.find_object(&listing.sweep_id.organization_key(), None, MAX_RESULT).await? {
        Found::Object { content, .. } => serde_json::from_slice(&content).ok(),
        Found::Missing | Found::Unchanged => None,
    };
    let unknown = || Checked::Unknown { failure: shown(Failure::new(Cause::OrganizationNotChecked)) };
    Ok(Some(found.unwrap_or_else(unknown)))
}

/// The end of a worker of the state machine: `2 Sandbox.Timedout;6 States.Timeout;` where two of its batches have failed for good.
#[derive(Debug, Deserialize)]
pub(crate) struct WorkerEnd {
    #[serde(default)]
    failures: String,
}

/// A batch that has failed for good, as the state machine has seen it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BatchEnd {
    batch: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl WorkerEnd {
    /// The batches that it says have failed.
    pub(crate) fn failed(&self) -> impl Iterator<Item = BatchEnd> {
        let failures = self.failures.split(';').filter_map(|failure| failure.split_once(' '));
        failures
            .filter_map(|(batch, error)| Some(BatchEnd { batch: batch.parse().ok()?, error: Some(error.to_owned()) }))
    }
}

/// The batches that failed for good, and the names of their errors: of the catalogue's causes, of AWS Lambda or of AWS
/// Step Functions.
pub(crate) fn failures(ends: Vec<BatchEnd>) -> HashMap<usize, String> {
    ends.into_iter().filter_map(|end| Some((end.batch, end.error?))).collect()
}

/// The tags by which the document selects accounts and that none has; None when it selects by none, or when it cannot be
/// reported because of accounts that were not seen.
pub(crate) fn unmatched_tags(listing: &Listing, results: &[OfAccount]) -> Option<Vec<Unmatched>> {
    let seen: HashMap<&str, &OfAccount> = results.iter().map(|result| (result.id.as_str(), result)).collect();
    let looked_at = listing.accounts.iter().filter(|account| account.not_checked.is_none());
    let tags = looked_at.map(|account| seen.get(account.id.as_str()).and_then(|result| result.tags.as_ref()));
    listing.by_tag.as_ref()?.unmatched(tags)
}

/// What people can switch to in each account of which that is known.
pub(crate) fn offered(results: &mut [OfAccount]) -> HashMap<String, Offered> {
    results.iter_mut().filter_map(|result| Some((result.id.clone(), result.offered.take()?))).collect()
}

/// The sweep as the report wants it: every account that was listed, once, with what was found or why nothing was.
pub(crate) fn sweep(
    listing: Listing,
    organization: Option<Checked>,
    results: Vec<OfAccount>,
    failures: &HashMap<usize, String>,
    now: Timestamp,
) -> Sweep {
    let mut found: HashMap<String, OfAccount> = results.into_iter().map(|result| (result.id.clone(), result)).collect();
    let mut account = |listed: Listed| {
        let failure = listed.batch.and_then(|batch| failures.get(&batch));
        account(listed, &mut found, failure.map(String::as_str))
    };
    let accounts = listing.accounts.into_iter().map(&mut account).collect();
    Sweep {
        sweep_id: listing.sweep_id.to_string(),
        trigger: if listing.trigger == "schedule" { Trigger::Schedule } else { Trigger::Manual },
        organization_id: listing.organization_id,
        started_at: listing.started_at,
        finished_at: now,
        note: Some(listing.note),
        controls: listing.controls,
        organization: organization.map(Into::into),
        accounts,
    }
}

fn account(listed: Listed, found: &mut HashMap<String, OfAccount>, batch_error: Option<&str>) -> Account {
    let id = listed.id.to_string();
    let (tags, checked) = found.remove(&id).map(|result| (result.tags, result.checked)).unzip();
    let checked = match (listed.not_checked, listed.failure, checked) {
        (Some(why), _, _) => Checked::NotChecked { why },
        (None, Some(failure), _) => Checked::Unknown { failure: shown(failure) },
        (None, None, Some(checked)) => checked,
        (None, None, None) => {
            let named = |error| Failure::with_detail(Cause::BatchFailed, format_args!("It ended with {error}."));
            Checked::Unknown { failure: shown(batch_error.map_or_else(|| Failure::new(Cause::BatchFailed), named)) }
        }
    };
    Account {
        id,
        name: listed.name,
        email: listed.email,
        state: listed.state,
        unit: listed.unit,
        tags: tags.flatten().unwrap_or_default(),
        checked,
        since: None,
        last_known: Vec::new(),
    }
}

fn shown(failure: Failure) -> ReportFailure {
    let Failure { cause, message, remedy, retryable } = failure;
    ReportFailure { cause: cause.name().to_owned(), message, remedy, retryable }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::{
        control::{Outcome, console_color::Color},
        error::{Cause, Failure},
        sweep::SweepId,
    };
    use strum::{VariantArray, VariantNames};

    use super::*;

    fn listed(id: &str, not_checked: Option<&str>) -> Listed {
        Listed {
            id: id.parse().unwrap(),
            name: "A".to_owned(),
            email: "a@example.com".to_owned(),
            state: "ACTIVE".to_owned(),
            unit: "/".to_owned(),
            units: Vec::new(),
            not_checked: not_checked.map(ToOwned::to_owned),
            failure: None,
            joined_at: None,
            batch: not_checked.is_none().then_some(1),
        }
    }

    #[test]
    fn every_account_that_was_listed_is_there_once_with_what_was_found_or_why_nothing_was() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let listing = Listing {
            sweep_id: SweepId::of_execution("x", now),
            trigger: "schedule".to_owned(),
            organization_id: "o-exampleorgid".to_owned(),
            started_at: now,
            controls: vec!["regions".to_owned()],
            note: "Nothing was changed.".to_owned(),
            account_arns: "arn:aws:organizations::111111111111:account/o-exampleorgid/".to_owned(),
            by_tag: None,
            checks_organization: true,
            accounts: vec![
                listed("111111111111", Some("It is the management account.")),
                listed("222222222222", None),
                listed("333333333333", None),
            ],
            batches: 2,
            remediates: false,
        };
        let row = json!([{"id": "222222222222", "checked": {"rows": [
            {"account_id": "222222222222", "control": "regions", "outcome": "compliant"}]}}]);
        let results: Vec<OfAccount> = serde_json::from_value(row).unwrap();
        let ends: Vec<WorkerEnd> =
            serde_json::from_value(json!([{"failures": "1 States.Timeout;5 Sandbox.Timedout;"}, {"failures": ""}]))
                .unwrap();
        let failures = failures(ends.iter().flat_map(WorkerEnd::failed).collect());
        assert_eq!(failures.len(), 2);
        let sweep = sweep(listing, None, results, &failures, now);
        assert_eq!(sweep.trigger, Trigger::Schedule);
        assert!(matches!(&sweep.accounts[0].checked, Checked::NotChecked { .. }));
        assert!(matches!(&sweep.accounts[1].checked, Checked::Rows(rows) if rows.len() == 1));
        let Checked::Unknown { failure } = &sweep.accounts[2].checked else { panic!("{:?}", sweep.accounts[2]) };
        assert_eq!(failure.cause, "BatchFailed");
        assert!(failure.message.ends_with("It ended with States.Timeout."), "{}", failure.message);
    }

    #[test]
    fn a_tag_that_no_account_has_is_found_when_every_account_was_seen() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let listing: Listing = serde_json::from_value(json!({
            "sweep_id": SweepId::of_execution("x", now), "trigger": "schedule", "organization_id": "o-exampleorgid",
            "started_at": now, "controls": [], "note": "", "batches": 1, "account_arns": "arn:",
            "by_tag": {"etag": "1", "allowed": false, "selectors": [
                {"path": "overrides[0].match.tag", "tag": {"team": "blue"}},
                {"path": "overrides[2].match.tag", "tag": {"team": "red", "stage": "prod"}},
            ]},
            "accounts": [listed("111111111111", Some("It is the management account.")), listed("222222222222", None),
                listed("333333333333", None)],
        }))
        .unwrap();
        let named = |results: serde_json::Value| {
            let results: Vec<OfAccount> = serde_json::from_value(results).unwrap();
            let unmatched = unmatched_tags(&listing, &results);
            unmatched.map(|all| all.into_iter().map(|one| (one.path, one.names)).collect::<Vec<_>>())
        };
        let of = |id: &str, tags: serde_json::Value| json!({"id": id, "tags": tags, "checked": {"rows": []}});
        let blue = of("222222222222", json!({"team": "blue", "stage": "prod"}));
        let red = of("333333333333", json!({"team": "red"}));
        let second = ("overrides[2].match.tag".to_owned(), "stage=prod, team=red".to_owned());
        assert_eq!(named(json!([blue, red])), Some(vec![second]));
        assert_eq!(named(json!([blue, of("333333333333", json!({"team": "red", "stage": "prod"}))])), Some(vec![]));
        assert_eq!(named(json!([blue])), None, "the other one may have it");
        assert_eq!(named(json!([blue, of("333333333333", json!(null))])), None, "its tags could not be read");
    }

    #[test]
    fn what_an_account_offers_is_read_as_it_was_written_and_every_color_is_known() {
        let roles = vec!["role-admin".parse().unwrap()];
        for color in Color::VARIANTS.iter().copied().filter(|color| *color != Color::None) {
            let written = steward::sweep::Offered {
                jump_account: Some("222222222222".parse().unwrap()),
                path: "/people/".to_owned(),
                roles: roles.clone(),
                needs_external_id: true,
                color: Some(color),
            };
            let result = json!({"id": "333333333333", "offered": written, "checked": {"rows": []}});
            let result: OfAccount = serde_json::from_value(result).unwrap();
            let read = offered(&mut [result]).remove("333333333333").unwrap();
            assert!(compliance_report::Access::knows_color(read.color.as_deref().unwrap()), "{color:?}");
            assert_eq!((read.path.as_str(), read.needs_external_id), ("/people/", true));
            assert_eq!(
                (read.jump_account.as_deref(), read.roles),
                (Some("222222222222"), vec!["role-admin".to_owned()])
            );
        }
        let unknown: OfAccount = serde_json::from_value(json!({"id": "1", "checked": {"rows": []}})).unwrap();
        assert_eq!(offered(&mut [unknown]), HashMap::new());
    }

    /// The report reads rows leniently, by a type of its own: what it does not know counts as unknown.
    #[test]
    fn the_report_knows_every_outcome_that_a_control_can_have() {
        let (applied, failure) = (vec!["a".to_owned()], Failure::new(Cause::AccessDenied));
        let all = [
            Outcome::Compliant,
            Outcome::Drifted { planned: applied.clone() },
            Outcome::Fixed { applied: applied.clone() },
            Outcome::NotConverged { applied: applied.clone(), remaining: vec!["b".to_owned()] },
            Outcome::NotReady { applied: applied.clone(), retry_after: 60, failure: failure.clone() },
            Outcome::Unknown { applied, failure },
            Outcome::Exempt { reason: "migration".to_owned(), until: jiff::civil::date(2027, 3, 31) },
            Outcome::Skipped { why: "not asked for".to_owned() },
        ];
        let written = all.map(|outcome| serde_json::to_value(outcome).unwrap());
        let names: Vec<_> = written.iter().map(|outcome| outcome["outcome"].as_str().unwrap()).collect();
        assert_eq!(names, Outcome::VARIANTS, "an outcome is missing here");
        for outcome in written {
            let read: compliance_report::Outcome = serde_json::from_value(outcome.clone()).unwrap();
            assert_eq!(read.status().name(), outcome["outcome"]);
            assert_eq!(serde_json::to_value(read).unwrap(), outcome);
        }
    }
}
