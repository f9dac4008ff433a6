//! The second part of a sweep: what was found to have drifted is changed, once every account is listed and looked at.
//!
//! What a batch needs changed lies beside what was found in it, account by account. An account is taken out when it was tried,
//! whatever came of it: whoever takes the place of an invocation that was killed goes on with the rest.

use std::{collections::BTreeMap, pin::pin, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_runtime::tracing;
use serde_json::Value;
use steward::{
    control::Row,
    error::{Cause, Failure},
    ids::AccountId,
    runtime::{budget::Budget, concurrency::as_they_come},
    sweep::{Listing, SweepId},
};

use crate::{AT_ONCE, Answer, ComplianceChecker, Input, MARGIN, Progress, WRITTEN_AFTER, json, remediation::OfSweep};

/// The controls to be applied, by the account.
pub(crate) type Changes = BTreeMap<AccountId, Vec<String>>;

/// What is said of a row until the sweep comes to change it.
pub(crate) const NOT_YET: &str = "Not changed: the sweep has not come to it.";

impl ComplianceChecker {
    /// Changes what is to be changed in the first batch from this one on that has anything.
    pub(crate) async fn change(&self, sweep_id: &SweepId, input: &Input, invocation: &str) -> Result<Answer, Failure> {
        let missing = || Failure::with_detail(Cause::NotFound, "The accounts are not listed yet.");
        let listing: Listing = self.read(&sweep_id.listing_key()).await?.ok_or_else(missing)?;
        let numbers = (input.batch..=listing.batches).step_by(input.every.get());
        let read = async |number| {
            let changes: Option<Changes> = self.read(&sweep_id.changes_key(number)).await?;
            Ok::<_, Failure>((number, changes.unwrap_or_default()))
        };
        let mut read = pin!(stream::iter(numbers.map(read)).buffered(AT_ONCE));
        while let Some((number, changes)) = read.try_next().await? {
            if !changes.is_empty() {
                let document = self.runner.document().await?;
                let of =
                    OfSweep::new(sweep_id, &document, invocation, &self.tagging, Arc::default()).among(Some(listing));
                return self.change_batch((number, changes), input, &of).await;
            }
        }
        Ok(Answer::without_work(input, Progress::Done))
    }

    async fn change_batch(
        &self,
        (batch, mut changes): (usize, Changes),
        input: &Input,
        of: &OfSweep<'_>,
    ) -> Result<Answer, Failure> {
        let (budget, sweep_id) = (Budget::keeping(MARGIN), of.sweep);
        let mut found: Vec<Value> = self.read(&sweep_id.results_key(batch)).await?.unwrap_or_default();
        let work = changes.clone().into_iter().map(async |(id, controls)| {
            if !budget.has_room() {
                return (id, None);
            }
            let rows = self.remediation.remediate(&id, &controls, &self.runner, of).await;
            (id, Some(rows))
        });
        let mut came = pin!(as_they_come(work, AT_ONCE));
        let (mut checked, all) = (0, changes.len());
        while let Some((_, (id, rows))) = came.next().await {
            let (Some(rows), Some(controls)) = (rows, changes.remove(&id)) else { continue };
            match rows {
                Ok(rows) => put(&mut found, &rows),
                Err(why) => {
                    tracing::info!(account_id = %id, "not remediated: {why}");
                    note(&mut found, &id, &controls, &why);
                }
            }
            checked += 1;
            // Whoever is killed between the two tries an account again, and finds it as it should be.
            if checked % WRITTEN_AFTER == 0 {
                self.keep(sweep_id, batch, &found, &changes).await?;
            }
        }
        self.keep(sweep_id, batch, &found, &changes).await?;
        let next = if changes.is_empty() { batch + input.every.get() } else { batch };
        Ok(Answer { batch, next, progress: Progress::Working, checked, left: all - checked })
    }

    async fn keep(&self, sweep_id: &SweepId, batch: usize, found: &[Value], left: &Changes) -> Result<(), Failure> {
        self.sweeps.put_object(&sweep_id.results_key(batch), json(&found)?).await?;
        Ok(self.sweeps.put_object(&sweep_id.changes_key(batch), json(left)?).await?)
    }
}

/// The rows of an account in what was found.
fn rows_of<'a>(found: &'a mut [Value], id: &AccountId) -> impl Iterator<Item = &'a mut Value> {
    let of_account = found.iter_mut().filter(|one| one["id"] == id.as_str());
    of_account.filter_map(|one| one["checked"]["rows"].as_array_mut()).flatten()
}

/// Puts rows in the place of those of the same controls.
fn put(found: &mut [Value], rows: &[Row]) {
    for row in rows {
        let Ok(value) = serde_json::to_value(row) else { continue };
        for old in rows_of(found, &row.account_id).filter(|old| old["control"] == row.control.as_str()) {
            *old = value.clone();
        }
    }
}

/// Says in the rows of these controls why they were not changed.
fn note(found: &mut [Value], id: &AccountId, controls: &[String], why: &str) {
    let concerns = |row: &&mut Value| row["control"].as_str().is_some_and(|id| controls.iter().any(|one| one == id));
    for row in rows_of(found, id).filter(concerns) {
        let kept = row["notes"].as_array().into_iter().flatten().filter(|note| *note != NOT_YET).cloned();
        row["notes"] = kept.chain([format!("Not changed: {why}").into()]).collect();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::control::{Outcome, find};

    use super::*;

    fn found() -> Vec<Value> {
        let row = |control: &str| {
            json!({"account_id": "222222222222", "control": control, "outcome": "drifted", "planned": ["x"],
                "notes": ["Something.", NOT_YET]})
        };
        vec![
            json!({"id": "222222222222", "checked": {"rows": [row("regions"), row("account-tags")]}}),
            json!({"id": "333333333333", "checked": {"not_checked": {"why": "It is closed."}}}),
        ]
    }

    #[test]
    fn what_was_changed_takes_the_place_of_what_was_found_and_nothing_else_does() {
        let mut found = found();
        let row = Row::skipped(&"222222222222".parse().unwrap(), find("regions").unwrap(), "");
        put(&mut found, &[Row { outcome: Outcome::Fixed { applied: vec!["y".to_owned()] }, ..row }]);
        let rows = &found[0]["checked"]["rows"];
        assert_eq!((&rows[0]["outcome"], &rows[0]["applied"]), (&json!("fixed"), &json!(["y"])));
        assert_eq!((&rows[0]["notes"], &rows[1]["outcome"]), (&Value::Null, &json!("drifted")));
    }

    #[test]
    fn what_was_not_changed_says_why_in_the_place_of_not_yet() {
        let mut found = found();
        note(&mut found, &"222222222222".parse().unwrap(), &["account-tags".to_owned()], "The account is new.");
        let rows = &found[0]["checked"]["rows"];
        assert_eq!(rows[1]["notes"], json!(["Something.", "Not changed: The account is new."]));
        assert_eq!(rows[0]["notes"], json!(["Something.", NOT_YET]));
        note(&mut found, &"333333333333".parse().unwrap(), &["account-tags".to_owned()], "It is gone.");
    }
}
