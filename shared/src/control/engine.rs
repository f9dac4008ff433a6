//! The one order in which controls run: inspect, plan, apply, inspect again.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::{
    AccessError, AccessPath, Control, Mode, Outcome, Row, Scope, Visit,
    access::{AccountAccess, AccountView},
    outcome::by_hand,
};
use crate::{
    account_source::AccountSource,
    baseline::{Baseline, Effective},
    error::{Cause, Failure},
    gateway::{Account, AccountTarget, CallError, Management},
    ids::{AccountId, RoleName},
    organization::UnitPaths,
    session::{Admission, Protected, Sessions},
};

/// How long a control that works in an account may take there to look, and to change. What answers, and how slowly, is in
/// the hands of whoever owns the account; a session of a root user alone is asked for up to 50 s.
const LOOK: Duration = Duration::from_secs(90);
const CHANGE: Duration = Duration::from_mins(4);
/// How often changes are made in one run: again after a change that turned out to be made already.
const ROUNDS: usize = 4;

/// Runs controls in the accounts of an organization, from its management account.
#[derive(Debug)]
pub struct Engine {
    sessions: Sessions,
    management: Management,
    units: Arc<UnitPaths>,
    member_bus: Option<String>,
    own_role: Option<RoleName>,
}

impl Engine {
    /// An engine that enters accounts by `sessions`, and works on them from outside through these gateways.
    pub fn new(sessions: Sessions, management: Management) -> Self {
        Self { sessions, management, units: Arc::default(), member_bus: None, own_role: None }
    }

    /// The same, with the ARN of the bus that members forward their events to, for the control that checks whether they do.
    #[must_use]
    pub fn with_member_bus(self, member_bus: String) -> Self {
        Self { member_bus: Some(member_bus), ..self }
    }

    /// The same, with the role of the stack for the account that it is in, by which that is entered where people have made no
    /// access role there. Without it, it is not entered.
    #[must_use]
    pub fn with_own_role(self, own_role: RoleName) -> Self {
        Self { own_role: Some(own_role), ..self }
    }

    /// Admits an account, as [`Sessions::admit`] does.
    pub async fn admit(&self, account: &Account, protected: &Protected) -> Result<Admission, Failure> {
        self.sessions.admit(account, protected).await
    }

    /// Runs these controls in one account, all at the same time: no control depends on another. What happens to one
    /// does not stop another, and the rows come in the order of the controls. A control that the account is exempt
    /// from is not run, and adds nothing to the session. In an account that is protected nothing is changed: what would be
    /// is told, with the reason.
    pub async fn run(
        &self,
        controls: &[&'static dyn AnyControl],
        visit: Visit<'_>,
        effective: &Effective,
        mode: Mode,
    ) -> Vec<Row> {
        let Effective { baseline, exemptions } = effective;
        let account_id = visit.admission.account_id();
        let protection = visit.admission.protection().filter(|_| mode == Mode::Apply);
        let mode = if protection.is_some() { Mode::Plan } else { mode };
        let exemption = |control: &&'static dyn AnyControl| {
            exemptions
                .get(control.id())
                .map(|exemption| Row::exempt(account_id, *control, exemption.reason.as_str(), exemption.until))
        };
        let source = self.sessions.account_source();
        let asked_for = |control: &&&'static dyn AnyControl| {
            control.is_in(baseline) && exemption(control).is_none() && !control.lacks_organization(source)
        };
        let asked_for: Vec<_> = controls.iter().filter(asked_for).copied().collect();
        let access = self.access(visit, actions(&asked_for, mode, source)).await;
        let row = async |control: &&'static dyn AnyControl| match (exemption(control), &access) {
            _ if !control.is_in(baseline) => Row::skipped(account_id, *control, "the baseline has no section for it"),
            (Some(row), _) => row,
            _ if control.lacks_organization(source) => {
                Row::stopped(account_id, *control, Failure::new(Cause::NeedsOrganization))
            }
            (None, Ok(access)) => control.run(access, account_id, baseline, mode).await,
            (None, Err(error)) => Row::failed(account_id, *control, error),
        };
        let rows = join_all(controls.iter().map(row)).await;
        let left_alone = |mut row: Row| {
            if let (Some(protection), Outcome::Drifted { .. }) = (protection, &row.outcome) {
                row.notes.push(format!("Nothing was changed: {}", protection.why()));
            }
            row
        };
        let settled = |row: Row| Row { outcome: row.outcome.in_an_account(visit.is_settling), ..row };
        rows.into_iter().map(settled).map(left_alone).collect()
    }

    /// What a control finds in an account, in a session that may only look.
    pub async fn inspect<C: Control>(
        &self,
        control: &C,
        visit: Visit<'_>,
        desired: &C::Desired,
    ) -> Result<C::Actual, Failure>
    where
        C::Scope: Scope,
    {
        let access = self.access(visit, C::READS.to_vec()).await?;
        match C::Scope::enter(&access).await {
            Ok(scope) => Ok(control.inspect(scope, desired).await?),
            Err(AccessError::NotThere(why)) => Err(Failure::with_detail(Cause::NotFound, why)),
            Err(AccessError::Failed(error)) => Err(Failure::from(error)),
        }
    }

    /// Whether this is the management account, which nothing is done to because an event names it.
    pub async fn is_management_account(&self, id: &AccountId) -> Result<bool, CallError> {
        self.sessions.is_management_account(id).await
    }

    async fn access<'a>(
        &'a self,
        visit: Visit<'a>,
        actions: Vec<&'static str>,
    ) -> Result<AccountAccess<'a>, CallError> {
        let management_account = self.sessions.own_account().await?;
        let account_id = visit.admission.account_id();
        let outside = AccountView {
            gateway: self.management.accounts.clone(),
            target: AccountTarget::of(account_id, management_account),
        };
        let Management { organizations, stack_sets, .. } = self.management.clone();
        let organization = (organizations, stack_sets, Arc::clone(&self.units));
        let (member_bus, own_role) = (self.member_bus.as_deref(), self.own_role.as_ref());
        Ok(AccountAccess::new(visit, &self.sessions, organization, outside, actions, member_bus, own_role))
    }
}

/// The face that every [`Control`] shows to the engine and the registry.
pub trait AnyControl: Send + Sync {
    /// Its name.
    fn id(&self) -> &'static str;
    /// The way in which it looks at an account.
    fn looks_through(&self) -> AccessPath;
    /// The way in which it changes an account.
    fn changes_through(&self) -> AccessPath;
    /// The way in which it looks where the first is refused.
    fn looks_else_through(&self) -> Option<AccessPath>;
    /// The IAM actions of its reads.
    fn reads(&self) -> &'static [&'static str];
    /// Those of its reads without which it can say nothing of an account: no other way is left to look.
    fn needed_reads(&self) -> Vec<&'static str>;
    /// The IAM actions of its changes.
    fn writes(&self) -> &'static [&'static str];
    /// Whether it takes an organization, and accounts that come from there have none.
    fn lacks_organization(&self, source: AccountSource) -> bool;
    /// Whether the baseline asks for it.
    fn is_in(&self, baseline: &Baseline) -> bool;
    /// Runs it in one account.
    fn run<'a>(
        &'a self,
        access: &'a AccountAccess<'_>,
        account_id: &'a AccountId,
        baseline: &'a Baseline,
        mode: Mode,
    ) -> Pin<Box<dyn Future<Output = Row> + Send + 'a>>;
}

impl<C: Control> AnyControl for C
where
    C::Scope: Scope,
{
    fn id(&self) -> &'static str {
        C::ID
    }

    fn looks_through(&self) -> AccessPath {
        C::Scope::LOOKS
    }

    fn changes_through(&self) -> AccessPath {
        C::Scope::CHANGES
    }

    fn looks_else_through(&self) -> Option<AccessPath> {
        C::Scope::LOOKS_ELSE
    }

    fn reads(&self) -> &'static [&'static str] {
        C::READS
    }

    fn needed_reads(&self) -> Vec<&'static str> {
        let has_another_way = C::Scope::LOOKS_ELSE.is_some();
        C::READS.iter().filter(|read| !has_another_way && !C::OPTIONAL_READS.contains(read)).copied().collect()
    }

    fn writes(&self) -> &'static [&'static str] {
        C::WRITES
    }

    fn lacks_organization(&self, source: AccountSource) -> bool {
        C::NEEDS_ORGANIZATION && source == AccountSource::Document
    }

    fn is_in(&self, baseline: &Baseline) -> bool {
        C::desired(baseline).is_some()
    }

    fn run<'a>(
        &'a self,
        access: &'a AccountAccess<'_>,
        account_id: &'a AccountId,
        baseline: &'a Baseline,
        mode: Mode,
    ) -> Pin<Box<dyn Future<Output = Row> + Send + 'a>> {
        Box::pin(async move {
            let Some(desired) = C::desired(baseline) else {
                return Row::skipped(account_id, self, "the baseline has no section for it");
            };
            match C::Scope::enter(access).await {
                Ok(scope) if self.not_in(scope).is_some() => {
                    Row::skipped(account_id, self, self.not_in(scope).unwrap_or_default())
                }
                Ok(scope) => {
                    let work = converge_in_account(self, scope, desired, mode);
                    let (outcome, notes) = in_time(C::Scope::CHANGES, mode, work).await;
                    Row { notes, ..Row::of(account_id, self, outcome) }
                }
                Err(AccessError::NotThere(why)) => Row::skipped(account_id, self, why),
                Err(AccessError::Failed(error)) => Row::failed(account_id, self, error),
            }
        })
    }
}

/// The work on one account, if it ends in time where the account can make it long.
async fn in_time(
    through: AccessPath,
    mode: Mode,
    work: impl Future<Output = (Outcome, Vec<String>)>,
) -> (Outcome, Vec<String>) {
    let limit = match (through, mode) {
        (AccessPath::Management, _) => return work.await,
        (AccessPath::AssumedRole | AccessPath::AssumeRoot, Mode::Plan) => LOOK,
        (AccessPath::AssumedRole | AccessPath::AssumeRoot, Mode::Apply) => CHANGE,
    };
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let detail = format_args!("It was ended after {} s.", limit.as_secs());
        let failure = Failure::with_detail(Cause::AccountTooSlow, detail);
        (Outcome::Unknown { applied: Vec::new(), failure }, Vec::new())
    })
}

/// Runs one control in one account, and says what a person should know beside the outcome. Where the way to look is
/// refused and there is another, that one is taken to the end.
pub(super) async fn converge_in_account<C: Control>(
    control: &C,
    scope: &C::Scope,
    desired: &C::Desired,
    mode: Mode,
) -> (Outcome, Vec<String>)
where
    C::Scope: Scope,
{
    let published = |scope: &C::Scope, (outcome, mut notes): (Outcome, Vec<String>)| {
        notes.extend(scope.detour().map(ToOwned::to_owned));
        (outcome, notes)
    };
    let stopped = |error: CallError| (Outcome::stopped(Vec::new(), Failure::from(error)), Vec::new());
    match control.inspect(scope, desired).await {
        Ok(actual) => published(scope, go_on(control, scope, desired, actual, mode).await),
        Err(error) => match scope.instead(&error) {
            Some(other) => match control.inspect(&other, desired).await {
                Ok(actual) => published(&other, go_on(control, &other, desired, actual, mode).await),
                Err(error) => published(&other, stopped(error)),
            },
            None => published(scope, stopped(error)),
        },
    }
}

/// Runs one control where there is one way to look, and says what a person should know beside the outcome.
pub(crate) async fn converge<S, C: Control<S>>(
    control: &C,
    scope: &C::Scope,
    desired: &C::Desired,
    mode: Mode,
) -> (Outcome, Vec<String>) {
    match control.inspect(scope, desired).await {
        Ok(actual) => go_on(control, scope, desired, actual, mode).await,
        Err(error) => (Outcome::stopped(Vec::new(), Failure::from(error)), Vec::new()),
    }
}

/// What comes after the first look.
async fn go_on<S, C: Control<S>>(
    control: &C,
    scope: &C::Scope,
    desired: &C::Desired,
    actual: C::Actual,
    mode: Mode,
) -> (Outcome, Vec<String>) {
    let notes = control.notes(desired, &actual);
    let mut changes = control.plan(scope, desired, &actual);
    let open = [in_words(&changes), left_to_people(control, desired, &actual)].concat();
    match mode {
        Mode::Plan if !open.is_empty() => return (Outcome::Drifted { planned: open }, notes),
        _ if changes.is_empty() => return (at_rest(control, desired, &actual, Vec::new(), Vec::new()), notes),
        Mode::Plan | Mode::Apply => {}
    }

    let mut applied = Vec::new();
    let mut actual = actual;
    for _ in 0..ROUNDS {
        let (open, before) = (changes.len(), applied.len());
        let waiting = changes.split_off(changes.len().min(control.capacity(&actual)));
        if changes.is_empty() {
            return (at_rest(control, desired, &actual, applied, in_words(&waiting)), notes);
        }
        let failed = apply(control, scope, &changes, &mut applied).await;
        if let Some((_, error)) = &failed
            && !may_be_done(error)
        {
            return (Outcome::stopped(applied, Failure::from(error)), notes);
        }
        actual = match (control.inspect(scope, desired).await, &failed) {
            (Ok(actual), _) => actual,
            // That something has come between is why the change was refused, and passes by.
            (Err(look), Some(_)) if look.cause == Cause::ConcurrentModification => {
                return (Outcome::stopped(applied, Failure::from(look)), notes);
            }
            // What the change answered says more than what the look after it did.
            (Err(_), Some((_, error))) => return (Outcome::stopped(applied, Failure::from(error)), notes),
            (Err(error), None) => return (Outcome::stopped(applied, Failure::from(error)), notes),
        };
        changes = control.plan(scope, desired, &actual);
        let Some((change, error)) = failed else { break };
        if in_words(&changes).contains(&change) {
            return (Outcome::stopped(applied, Failure::from(error)), notes);
        }
        // It was made after all, unless the plan is as long as before: then something else has come between, and the same
        // thing is to be changed in another way.
        if changes.len() < open - (applied.len() - before) {
            applied.push(change);
        }
        if changes.is_empty() {
            break;
        }
    }
    let remaining = in_words(&changes);
    (at_rest(control, desired, &actual, applied, remaining), control.notes(desired, &actual))
}

/// Whether what a failed call was to do may have been done all the same: its answer was lost, or an earlier call of the
/// same kind, whose answer was lost, has done it and this one met what it left.
fn may_be_done(error: &CallError) -> bool {
    !error.refused || matches!(error.cause, Cause::Conflict | Cause::NotFound | Cause::AccountAliasTaken)
}

/// Makes the changes, adds in words to `applied` those that went through, and gives back the first that did not.
async fn apply<S, C: Control<S>>(
    control: &C,
    scope: &C::Scope,
    changes: &[C::Change],
    applied: &mut Vec<String>,
) -> Option<(String, CallError)> {
    for group in changes.chunk_by(|one, next| control.are_concurrent(one, next)) {
        let results = join_all(group.iter().map(|change| control.apply(scope, change))).await;
        let mut first_error = None;
        for (change, result) in group.iter().zip(results) {
            match result {
                Ok(()) => applied.push(change.to_string()),
                Err(error) => first_error = first_error.or(Some((change.to_string(), error))),
            }
        }
        if first_error.is_some() {
            return first_error;
        }
    }
    None
}

/// The outcome once nothing more is changed: what AWS is still at work on is not there yet, and what is left to people
/// still differs.
fn at_rest<S, C: Control<S>>(
    control: &C,
    desired: &C::Desired,
    actual: &C::Actual,
    applied: Vec<String>,
    mut remaining: Vec<String>,
) -> Outcome {
    remaining.extend(left_to_people(control, desired, actual));
    match control.pending(desired, actual) {
        Some(failure) => Outcome::stopped(applied, failure),
        None if !remaining.is_empty() => Outcome::NotConverged { applied, remaining },
        None if applied.is_empty() => Outcome::Compliant,
        None => Outcome::Fixed { applied },
    }
}

fn left_to_people<S, C: Control<S>>(control: &C, desired: &C::Desired, actual: &C::Actual) -> Vec<String> {
    control.by_hand(desired, actual).iter().map(|what| by_hand(what)).collect()
}

fn in_words<T: ToString>(changes: &[T]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

/// The IAM actions that a session of the access role needs for these controls in this mode. In plan mode they read
/// and nothing else, so that a bug cannot write. Controls that go another way add nothing. Without an organization, what is
/// looked at inside an account is changed there as well.
pub fn actions(controls: &[&'static dyn AnyControl], mode: Mode, source: AccountSource) -> Vec<&'static str> {
    let changes_inside = |control: &&'static dyn AnyControl| match control.changes_through() {
        AccessPath::AssumedRole => true,
        AccessPath::Management => source == AccountSource::Document,
        AccessPath::AssumeRoot => false,
    };
    let of = |control: &&'static dyn AnyControl| {
        let looks_inside = control.looks_through() == AccessPath::AssumedRole;
        let looks = looks_inside.then(|| control.reads());
        let changes = (mode == Mode::Apply && looks_inside && changes_inside(control)).then(|| control.writes());
        [looks.unwrap_or_default(), changes.unwrap_or_default()].concat()
    };
    let mut actions: Vec<_> = controls.iter().flat_map(of).collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}

#[cfg(test)]
mod rates;
#[cfg(test)]
mod tests;
