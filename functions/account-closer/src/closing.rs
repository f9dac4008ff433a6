//! What is asked for: accounts that are to be closed.

use futures_util::StreamExt;
use steward::{
    baseline::DocumentInForce,
    clock,
    control::Mode,
    error::{Cause, Failure},
    gateway::Account,
    ids::AccountId,
    runtime::concurrency::{as_they_come, in_order},
    table::closures::{Closure, ClosureState, Told},
};

use crate::{
    AT_ONCE, AccountCloser,
    event::AccountClosureAdvanced,
    input::Wanted,
    look::{Bounds, Looked},
    placed,
    report::{Accounts, Outcome, Quota, Report, Row},
};

/// What was found of each account that was asked for.
#[derive(Debug, Default)]
struct Found {
    rows: Vec<(usize, Row)>,
    free: Vec<(usize, Account, Option<Box<Closure>>)>,
    under_way: Vec<(usize, Closure)>,
}

impl AccountCloser {
    /// Plans to close accounts, or begins.
    pub(crate) async fn close(
        &self,
        wanted: &[Wanted],
        by: Option<&str>,
        mode: Mode,
        invocation: &str,
    ) -> Result<Report, Failure> {
        let unit = self.unit()?;
        let document = self.document.read(&self.bus).await?;
        let delegated = self.organizations.list_all_delegated_administrators().await?;
        let bounds = self.bounds(&document, delegated);
        let now = clock::now();
        let open = self.closures.open().await?.items;
        let quota = Quota::of(&open, &self.closures.closed().await?.items, now);
        let mut found = self.find(wanted, &bounds).await;
        let closes_at = now + self.cooling_off;
        if mode == Mode::Plan {
            let accounts: Vec<_> = found.free.iter().map(|(_, account, _)| account.clone()).collect();
            // Boxed for its size.
            let plans = Box::pin(self.looker.plans(&accounts, unit, closes_at, now)).await;
            let places = found.free.iter().map(|(place, ..)| *place);
            found.rows.extend(places.zip(plans));
            found.rows.extend(found.under_way.drain(..).map(|(place, closure)| (place, Row::of(&closure, None))));
        } else {
            for (place, row) in &found.rows {
                if let (Outcome::Refused { why }, Some(one)) = (&row.outcome, wanted.get(*place)) {
                    let of = (&one.account_id, one.account_name.as_str());
                    let refused = AccountClosureAdvanced::refused(of, (&one.reason, by), why, invocation);
                    self.journal.end(&refused).await?;
                }
            }
            let mut begun = std::mem::take(&mut found.under_way);
            for (place, account, before) in std::mem::take(&mut found.free) {
                let Some((one, from_unit)) = wanted.get(place).zip(account.parent.clone()) else { continue };
                let closure = Closure {
                    account_id: account.id,
                    account_name: account.name,
                    reason: one.reason.clone(),
                    requested_by: by.map(ToOwned::to_owned),
                    requested_in: invocation.to_owned(),
                    requested_at: now,
                    place: u32::try_from(place).unwrap_or(u32::MAX),
                    from_unit,
                    closes_at,
                    state: ClosureState::Suspending,
                    since: now,
                    told: Told::Nothing,
                    past_steward: false,
                    retry_at: None,
                    revision: before.map_or(1, |before| before.revision + 1),
                };
                if self.closures.write(&closure).await? {
                    begun.push((place, closure));
                } else {
                    let failure =
                        Failure::with_detail(Cause::ConcurrentModification, "Somebody else has asked for it.");
                    let outcome = Outcome::Failed(Box::new(failure));
                    found.rows.push((place, Row::with(&closure.account_id, Some(&closure.account_name), outcome)));
                }
            }
            let moved = self.work_on(
                begun.iter().map(|(_, closure)| closure.clone()).collect(),
                &document,
                &bounds,
                invocation,
            );
            found.rows.extend(placed(&begun, &moved.await?));
        }
        found.rows.sort_by_key(|(place, _)| *place);
        let rows = found.rows.into_iter().map(|(_, row)| row).collect();
        let (baseline_refused, quota) = (document.refused.clone(), Some(quota));
        Ok(Report::Accounts(Box::new(Accounts { mode, baseline_refused, quota, rows })))
    }

    /// Looks at every account that was asked for. What cannot be found out of one is its row.
    async fn find(&self, wanted: &[Wanted], bounds: &Bounds<'_>) -> Found {
        let looks = wanted.iter().map(|one| self.looker.look(one, bounds));
        let came = as_they_come(looks, AT_ONCE).collect().await;
        let mut found = Found::default();
        for ((place, one), looked) in wanted.iter().enumerate().zip(in_order(came)) {
            let row = |outcome| Row::with(&one.account_id, Some(&one.account_name), outcome);
            match looked {
                Ok(Looked::Free(account, before)) => found.free.push((place, *account, before)),
                Ok(Looked::UnderWay(closure)) => found.under_way.push((place, *closure)),
                Ok(Looked::Closed(closure)) => found.rows.push((place, Row::of(&closure, None))),
                Ok(Looked::Refused(why)) => found.rows.push((place, row(Outcome::Refused { why }))),
                Err(failure) => found.rows.push((place, row(Outcome::Failed(Box::new(failure))))),
            }
        }
        found
    }

    pub(crate) fn bounds<'a>(&'a self, document: &'a DocumentInForce, delegated: Vec<AccountId>) -> Bounds<'a> {
        let of_document = document.access.as_ref().map(|access| &access.jump_account);
        let jump_accounts = self.jump_account.iter().chain(of_document).collect();
        Bounds { protected: &document.protected, jump_accounts, delegated }
    }
}
