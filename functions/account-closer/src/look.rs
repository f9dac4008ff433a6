//! What stands in an account's way, and what goes with it, before anything is recorded.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use steward::{
    account_creation::Store,
    clock,
    error::{Cause, Failure},
    gateway::{Account, CostExplorerGateway, DynamoDbGateway, OrganizationsGateway, TaggingGateway},
    ids::{AccountId, OrganizationalUnitId},
    organization::UnitNames,
    session::{Admission, Protected, Protection, Sessions},
    table::{
        closures::{Closure, ClosureState, Closures, day},
        email_changes,
    },
};

use crate::{
    charges::{Charges, last_month},
    decision::may_be_shown_late,
    input::Wanted,
    report::{Outcome, Plan, Row, Shown},
    stacks::{Held, Stacks},
};

/// The tag that marks an account that is to be closed. IAM lets the function close no other.
pub(crate) const TAG: &str = "steward:closing";

/// How long a plan looks at stack sets.
const FOR_STACK_SETS: Duration = Duration::from_mins(1);

/// Looks before anything is recorded.
#[derive(Debug)]
pub(crate) struct Looker {
    pub(crate) organizations: OrganizationsGateway,
    pub(crate) sessions: Sessions,
    pub(crate) closures: Closures,
    pub(crate) requests: Store,
    pub(crate) table: DynamoDbGateway,
    pub(crate) tagging: TaggingGateway,
    pub(crate) stacks: Stacks,
    /// Where it may be asked.
    pub(crate) cost_explorer: Option<CostExplorerGateway>,
}

/// What is the same for every account that is asked for.
#[derive(Debug)]
pub(crate) struct Bounds<'a> {
    /// What the baseline document protects.
    pub(crate) protected: &'a Protected,
    /// The accounts that people sign in to.
    pub(crate) jump_accounts: Vec<&'a AccountId>,
    /// The accounts that administer a service.
    pub(crate) delegated: Vec<AccountId>,
}

/// What was found of an account.
#[derive(Debug)]
pub(crate) enum Looked {
    /// It may be closed. With it, the closure that has ended before, which the new one replaces.
    Free(Box<Account>, Option<Box<Closure>>),
    /// It is being closed already.
    UnderWay(Box<Closure>),
    /// It is closed already.
    Closed(Box<Closure>),
    /// It must not be closed, and why.
    Refused(String),
}

/// What is known of an account that may be closed.
struct Known<'a> {
    account: &'a Account,
    admission: &'a Admission,
    has_open_request: bool,
    has_open_email_change: bool,
}

impl Looker {
    /// Whether an account may be closed.
    ///
    /// # Errors
    ///
    /// It could not be found out.
    pub(crate) async fn look(&self, wanted: &Wanted, bounds: &Bounds<'_>) -> Result<Looked, Failure> {
        let id = &wanted.account_id;
        let before = self.closures.find(id).await?;
        let account = match self.organizations.describe_account(id).await {
            Ok(account) => account,
            Err(error) if error.cause == Cause::NotFound => {
                return Ok(match before {
                    Some(closure) if matches!(closure.state, ClosureState::Closed { .. }) => {
                        Looked::Closed(Box::new(closure))
                    }
                    _ => Looked::Refused(format!("Account {id} is not in this organization.")),
                });
            }
            Err(error) => return Err(error.into()),
        };
        if account.name != wanted.account_name {
            let why = "Its name is another one. Both must be right, so that no digit decides which account is closed.";
            return Ok(Looked::Refused(why.to_owned()));
        }
        if let Some(closure) = before.as_ref().filter(|closure| !closure.state.is_final()) {
            return Ok(Looked::UnderWay(Box::new(closure.clone())));
        }
        if before.as_ref().is_some_and(|closure| may_be_shown_late(closure, &account, clock::now())) {
            let why = "Its closing was called off less than a minute ago, and AWS does not show it back in its place yet. \
                       Ask again in a minute.";
            return Ok(Looked::Refused(why.to_owned()));
        }
        let admission = match self.sessions.admit(&account, bounds.protected).await {
            Ok(admission) => admission,
            Err(failure) if failure.cause == Cause::AccountNotActive => {
                return Ok(match before {
                    Some(closure) if matches!(closure.state, ClosureState::Closed { .. }) => {
                        Looked::Closed(Box::new(closure))
                    }
                    _ => Looked::Refused(failure.message),
                });
            }
            Err(failure) => return Err(failure),
        };
        let has_open_request = self.has_open_request(id).await?;
        // The code would go to an account that is closed.
        let has_open_email_change = email_changes::is_under_way(&self.table, id).await?;
        let known = Known { account: &account, admission: &admission, has_open_request, has_open_email_change };
        Ok(match refusal(&known, bounds) {
            Some(why) => Looked::Refused(why),
            None => Looked::Free(Box::new(account), before.map(Box::new)),
        })
    }

    /// Whether the request that made the account has not ended.
    async fn has_open_request(&self, id: &AccountId) -> Result<bool, Failure> {
        let Some(request) = self.requests.find_by_account(id).await? else { return Ok(false) };
        Ok(self.requests.find(&request).await?.is_some_and(|request| !request.state.is_final()))
    }

    /// The rows that show what would be done with these accounts, and what goes with each.
    pub(crate) async fn plans(
        &self,
        accounts: &[Account],
        unit: &OrganizationalUnitId,
        closes_at: Timestamp,
        now: Timestamp,
    ) -> Vec<Row> {
        if accounts.is_empty() {
            return Vec::new();
        }
        let ids: Vec<_> = accounts.iter().map(|account| account.id.clone()).collect();
        let (names, tags, held, mut charges) = tokio::join!(
            UnitNames::of(&self.organizations, accounts),
            self.tags(&ids),
            self.stack_sets(&ids),
            self.charges(&ids, now)
        );
        let rows = accounts.iter().map(|account| {
            let seen = Beside {
                path: names.path(account).ok(),
                tags: tags.as_ref().and_then(|tags| tags.get(&account.id).cloned()),
                stack_sets: match &held {
                    Ok(held) => Shown::Known(held.get(&account.id).cloned().unwrap_or_default()),
                    Err(unknown) => Shown::Unknown { unknown: unknown.clone() },
                },
                last_month: charges.remove(&account.id),
            };
            let plan = plan(account, seen, unit, (closes_at, now));
            Row::with(&account.id, Some(&account.name), Outcome::Planned(Box::new(plan)))
        });
        rows.collect()
    }

    /// The tags of these accounts, as the index has them; None where it cannot be read. They are only shown.
    async fn tags(&self, ids: &[AccountId]) -> Option<BTreeMap<AccountId, BTreeMap<String, String>>> {
        let organization = self.organizations.describe_organization().await;
        let tags = match organization {
            Ok(organization) => self.tagging.tags_of_accounts(&organization.account_arns(), ids).await,
            Err(error) => Err(error),
        };
        tags.inspect_err(|error| lambda_runtime::tracing::warn!("the tags are not shown: {error}")).ok()
    }
}

/// What is shown beside an account that may be closed.
struct Beside {
    path: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    stack_sets: Shown<Vec<Held>>,
    last_month: Option<Shown<Charges>>,
}

impl Looker {
    /// The stack sets that these accounts are in, or why that is not known.
    async fn stack_sets(&self, ids: &[AccountId]) -> Result<BTreeMap<AccountId, Vec<Held>>, String> {
        let look = async { self.stacks.held(&self.stacks.all().await?, ids).await };
        match tokio::time::timeout(FOR_STACK_SETS, look).await {
            Ok(held) => held.map_err(|error| error.to_string()),
            Err(_) => Err("There are too many instances of stack sets to look at in time.".to_owned()),
        }
    }

    /// What these accounts have cost, where that may be asked.
    async fn charges(&self, ids: &[AccountId], now: Timestamp) -> BTreeMap<AccountId, Shown<Charges>> {
        match &self.cost_explorer {
            Some(gateway) => last_month(gateway, ids, now).await,
            None => BTreeMap::new(),
        }
    }
}

/// Why an account must not be closed, with everything that stands in its way; None when it may be.
fn refusal(known: &Known<'_>, bounds: &Bounds<'_>) -> Option<String> {
    let id = &known.account.id;
    let mut why = Vec::new();
    if known.admission.is_own() {
        why.push("It is the management account, which cannot be closed while there is an organization.");
    }
    if bounds.jump_accounts.contains(&id) {
        why.push("It is the account that people sign in to.");
    }
    if bounds.delegated.contains(id) {
        why.push("It administers a service for the organization; deregister it as delegated administrator first.");
    }
    if let Some(protection @ (Protection::Stack | Protection::Document)) = known.admission.protection() {
        why.push(protection.why());
    }
    if known.has_open_request {
        why.push("The request that has made it has not ended.");
    }
    if known.has_open_email_change {
        why.push("Its address is being changed; end or forget that change first.");
    }
    if known.account.parent.is_none() {
        why.push("AWS Organizations does not show where it sits, so that it could not be put back there.");
    }
    (!why.is_empty()).then(|| why.join(" "))
}

fn plan(
    account: &Account,
    seen: Beside,
    unit: &OrganizationalUnitId,
    (closes_at, now): (Timestamp, Timestamp),
) -> Plan {
    let mut steps = vec![format!("tag it {TAG}={}", day(closes_at))];
    if account.parent.as_ref() != Some(unit) {
        steps.push(format!("move it to {unit}, where everything is denied to it"));
    }
    if let Shown::Known(held) = &seen.stack_sets {
        steps.extend(held.iter().filter_map(|held| held.step(&account.id)));
    }
    steps.push(format!("close it from {closes_at} on, in its turn; until then it can be kept"));
    Plan {
        organizational_unit: seen.path,
        joined_at: account.joined_at,
        age_days: account.joined_at.map(|joined| now.duration_since(joined).as_hours() / 24),
        tags: seen.tags,
        stack_sets: Some(seen.stack_sets),
        last_month: seen.last_month,
        closes_at: Some(closes_at),
        steps,
    }
}

#[cfg(test)]
mod tests {
    use steward::gateway::AccountState;

    use super::*;
    use crate::stacks::{By, tests::held};

    fn account(parent: Option<&str>) -> Account {
        Account {
            id: "222222222222".parse().unwrap(),
            name: "Shop".to_owned(),
            email: "shop@example.com".to_owned(),
            state: AccountState::Active,
            joined_at: Some("2026-10-31T12:00:00Z".parse().unwrap()),
            parent: parent.map(|unit| unit.parse().unwrap()),
            units: Vec::new(),
        }
    }

    #[test]
    fn a_plan_names_the_age_and_every_step_and_no_move_where_there_is_none() {
        let unit: OrganizationalUnitId = "ou-ab12-suspende".parse().unwrap();
        let times = ("2026-11-08T00:00:00Z".parse().unwrap(), "2026-11-01T00:00:00Z".parse().unwrap());
        let planned = |parent, stack_sets| {
            let path = Some("/Shops".to_owned());
            plan(&account(Some(parent)), Beside { path, tags: None, stack_sets, last_month: None }, &unit, times)
        };
        let none = || Shown::Known(Vec::new());
        let moved = planned("ou-ab12-cdef3456", none());
        assert_eq!((moved.age_days, moved.steps.len()), (Some(0), 3));
        assert_eq!(moved.steps[0], "tag it steward:closing=2026-11-08");
        assert!(moved.steps[1].contains("move it to ou-ab12-suspende"), "{:?}", moved.steps);
        assert_eq!(planned("ou-ab12-suspende", none()).steps.len(), 2);
        let held = Shown::Known(vec![held("logging", By::Steward, "1")]);
        let steps = planned("ou-ab12-cdef3456", held).steps;
        assert!(steps.len() == 4 && steps[2].contains("out of the stack set logging in us-east-1"), "{steps:?}");
    }
}
