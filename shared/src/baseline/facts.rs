//! What must be known of an account to tell what holds for it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use jiff::tz::TimeZone;
use tokio::{sync::Mutex, time::Instant};

use super::{Document, Effective};
use crate::{
    control::jump_groups::JumpGroups,
    error::{Cause, Failure},
    gateway::{Account, AccountState, CallError, OrganizationsGateway},
    ids::{AccountId, OrganizationalUnitId},
    organization::{AccountFacts, Rearranged, UnitNames},
    unit_path,
};

/// How long a unit is believed to have the same name.
pub(super) const BELIEVED: Duration = Duration::from_mins(5);

/// Finds out what the document selects accounts by, and nothing else.
#[derive(Debug)]
pub struct FactsReader {
    organizations: OrganizationsGateway,
    units: Mutex<Units>,
}

/// What was read of units.
#[derive(Debug, Default)]
struct Units {
    names: HashMap<OrganizationalUnitId, (Instant, String)>,
    /// The parents of units that were described one by one. The next unit below the same parent is named together with
    /// all others there, so that the calls are as many as the units at most, however many accounts come.
    described_below: HashMap<OrganizationalUnitId, Instant>,
}

impl Units {
    fn name(&self, unit: &OrganizationalUnitId) -> Option<String> {
        self.names.get(unit).filter(|(found_at, _)| found_at.elapsed() < BELIEVED).map(|(_, name)| name.clone())
    }

    fn learn(&mut self, units: impl IntoIterator<Item = (OrganizationalUnitId, String)>) {
        let now = Instant::now();
        self.names.extend(units.into_iter().map(|(unit, name)| (unit, (now, name))));
    }
}

impl FactsReader {
    /// Facts from this organization.
    pub fn new(organizations: OrganizationsGateway) -> Self {
        Self { organizations, units: Mutex::default() }
    }

    /// Reads what the document selects these accounts by, in as few calls as it takes for all of them. What could not be
    /// read is asked for again with the account that needs it.
    pub async fn prepare(&self, accounts: &[&Account], document: &Document) {
        if document.selects_on_unit_names() {
            let mut known = self.units.lock().await;
            let is_new =
                |account: &&&Account| account.units.iter().any(|unit| !unit.is_root() && known.name(unit).is_none());
            let new: Vec<&Account> = accounts.iter().filter(is_new).copied().collect();
            known.learn(UnitNames::of(&self.organizations, new).await.read());
        }
    }

    /// The facts of an account. What cannot be found out is an error: an override that is missed is a wrong baseline.
    pub async fn of(&self, account: &Account, document: &Document) -> Result<AccountFacts, Failure> {
        self.selected(account, document.selects_on_unit_names(), document.selects_on_tags()).await
    }

    async fn selected(&self, account: &Account, by_name: bool, by_tag: bool) -> Result<AccountFacts, Failure> {
        let organizational_unit_path = if by_name { self.path(account).await? } else { "/".to_owned() };
        let tags = if by_tag { self.organizations.list_tags(&account.id).await? } else { BTreeMap::new() };
        let units = account.units.clone();
        Ok(AccountFacts { id: account.id.clone(), organizational_unit_path, units, tags })
    }

    /// The tags of an account, where the document selects on tags.
    pub async fn tags(&self, id: &AccountId, document: &Document) -> Result<BTreeMap<String, String>, Failure> {
        if document.selects_on_tags() { Ok(self.organizations.list_tags(id).await?) } else { Ok(BTreeMap::new()) }
    }

    /// What holds for an account today.
    pub async fn effective(&self, account: &Account, document: &Document) -> Result<Effective, Failure> {
        let facts = self.of(account, document).await?;
        Ok(document.for_account(&facts, crate::clock::now().to_zoned(TimeZone::UTC).date()))
    }

    /// The groups that an account is to have, where it is the jump account. They depend on all accounts of the organization,
    /// which are listed for them.
    pub async fn jump_groups(&self, id: &AccountId, document: &Document) -> Option<JumpGroups> {
        document.access.as_ref().filter(|access| access.jump_account == *id)?;
        match self.everybody(document).await {
            Ok(accounts) => document.jump_groups(&accounts),
            Err(failure) => Some(JumpGroups::Unknown(failure)),
        }
    }

    /// The groups that the jump account is to have after this has happened, made of the accounts that it has happened to and no
    /// others. None where the document says nothing about access.
    pub async fn jump_groups_after(&self, happened: &Rearranged, document: &Document) -> Option<JumpGroups> {
        document.access.as_ref()?;
        if let Rearranged::Renamed(_) = happened {
            *self.units.lock().await = Units::default();
        }
        match self.rearranged(happened, document).await {
            Ok((active, looked_at)) => document.jump_groups_after(&active, looked_at),
            Err(failure) => Some(JumpGroups::Unknown(failure)),
        }
    }

    /// The accounts that this has happened to, and the facts of those of them that are active.
    async fn rearranged(
        &self,
        happened: &Rearranged,
        document: &Document,
    ) -> Result<(Vec<AccountFacts>, BTreeSet<AccountId>), Failure> {
        let (accounts, looked_at) = match happened {
            Rearranged::Moved(id) | Rearranged::Gone(id) | Rearranged::Tagged { account_id: id, .. } => {
                let looked_at = BTreeSet::from([id.clone()]);
                (self.described(&looked_at).await?, looked_at)
            }
            Rearranged::Renamed(unit) => {
                let mut accounts = self.organizations.list_accounts().await?;
                accounts.retain(|account| account.units.contains(unit));
                let looked_at = accounts.iter().map(|account| account.id.clone()).collect();
                (accounts, looked_at)
            }
        };
        Ok((self.by_which_groups_are_made(accounts, document).await?, looked_at))
    }

    /// The groups that the jump account is to have, made of these accounts as they are now and no others.
    pub async fn jump_groups_of(&self, looked_at: BTreeSet<AccountId>, document: &Document) -> Option<JumpGroups> {
        let found = async {
            let accounts = self.described(&looked_at).await?;
            self.by_which_groups_are_made(accounts, document).await
        };
        match found.await {
            Ok(active) => document.jump_groups_after(&active, looked_at),
            Err(failure) => Some(JumpGroups::Unknown(failure)),
        }
    }

    /// Those of these accounts that there are.
    async fn described(&self, ids: &BTreeSet<AccountId>) -> Result<Vec<Account>, CallError> {
        let mut found = Vec::new();
        for id in ids {
            match self.organizations.describe_account(id).await {
                Err(error) if error.cause == Cause::NotFound => {}
                described => found.push(described?),
            }
        }
        Ok(found)
    }

    /// The facts by which groups are made, of every active account.
    async fn everybody(&self, document: &Document) -> Result<Vec<AccountFacts>, Failure> {
        let accounts = self.organizations.list_accounts().await?;
        self.by_which_groups_are_made(accounts, document).await
    }

    async fn by_which_groups_are_made(
        &self,
        accounts: Vec<Account>,
        document: &Document,
    ) -> Result<Vec<AccountFacts>, Failure> {
        let active: Vec<&Account> = accounts.iter().filter(|account| account.state == AccountState::Active).collect();
        let (by_name, by_tag) = document.groups_select_on();
        // One account is asked for the names above it, several are named together.
        if by_name && active.len() > 1 {
            self.units.lock().await.learn(UnitNames::of(&self.organizations, active.iter().copied()).await.read());
        }
        let mut found = Vec::new();
        for account in active {
            found.push(self.selected(account, by_name, by_tag).await?);
        }
        Ok(found)
    }

    /// The path of the unit that holds an account.
    async fn path(&self, account: &Account) -> Result<String, Failure> {
        if account.units.is_empty() {
            let detail = format!("AWS Organizations does not show where {} sits.", account.id);
            return Err(Failure::with_detail(Cause::CallFailed, detail));
        }
        let mut names = Vec::new();
        for pair in account.units.windows(2) {
            if let [parent, unit] = pair {
                names.push(self.name(parent, unit).await?);
            }
        }
        Ok(unit_path::of(&names))
    }

    async fn name(&self, parent: &OrganizationalUnitId, unit: &OrganizationalUnitId) -> Result<String, Failure> {
        // The lock is held on the way, so that many accounts of one unit ask once.
        let mut known = self.units.lock().await;
        if let Some(name) = known.name(unit) {
            return Ok(name);
        }
        if known.described_below.get(parent).is_some_and(|at| at.elapsed() < BELIEVED) {
            let units = self.organizations.list_organizational_units(parent).await?;
            known.learn(units.into_iter().map(|unit| (unit.id, unit.name)));
        } else if let Some(found) = self.organizations.find_organizational_unit(unit).await? {
            known.described_below.insert(parent.clone(), Instant::now());
            known.learn([(found.id, found.name)]);
        }
        known.name(unit).ok_or_else(|| {
            Failure::with_detail(
                Cause::OrganizationalUnitNotFound,
                format!("{unit}, in which the account sat, is gone."),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_organizations::{
        Client,
        operation::{
            describe_account::{DescribeAccountError, DescribeAccountOutput},
            describe_organizational_unit::{DescribeOrganizationalUnitError, DescribeOrganizationalUnitOutput},
            list_accounts::ListAccountsOutput,
            list_organizational_units_for_parent::ListOrganizationalUnitsForParentOutput,
            list_tags_for_resource::ListTagsForResourceOutput,
        },
        types::{
            AccountState as State, OrganizationalUnit, Tag,
            error::{AccountNotFoundException, OrganizationalUnitNotFoundException},
        },
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;
    use crate::control::jump_groups::MadeOf;

    fn facts(rules: &[&Rule]) -> FactsReader {
        FactsReader::new(OrganizationsGateway::mocked(mock_client!(aws_sdk_organizations, RuleMode::MatchAny, rules)))
    }

    fn account(units: &[&str]) -> Account {
        let units: Vec<OrganizationalUnitId> = units.iter().map(|unit| unit.parse().unwrap()).collect();
        Account {
            id: "123456789012".parse().unwrap(),
            name: "A".to_owned(),
            email: "a@example.com".to_owned(),
            state: AccountState::Active,
            joined_at: None,
            parent: units.last().cloned(),
            units,
        }
    }

    fn unit(id: &'static str, name: &'static str) -> Rule {
        mock!(Client::describe_organizational_unit)
            .match_requests(move |input| input.organizational_unit_id() == Some(id))
            .then_output(move || {
                let unit = OrganizationalUnit::builder().id(id).name(name).build();
                DescribeOrganizationalUnitOutput::builder().organizational_unit(unit).build()
            })
    }

    /// A document with one override for these accounts.
    fn document(selector: &str) -> Document {
        let text = format!("version: 1\noverrides: [{{match: {selector}, root-credentials: {{}}}}]");
        Document::read(text.as_bytes(), &crate::ids::RoleName::organization_account_access()).unwrap()
    }

    const BY_UNIT: &str = "{organizational_unit: /Workloads/*}";
    const NESTED: &[&str] = &["r-ab12", "ou-ab12-aaaaaaaa", "ou-ab12-bbbbbbbb"];

    #[tokio::test]
    async fn a_document_that_selects_on_neither_units_nor_tags_costs_no_call() {
        let found = facts(&[]).of(&account(NESTED), &document("{account: '123456789012'}")).await.unwrap();
        assert_eq!(found.id.as_str(), "123456789012");
    }

    #[tokio::test]
    async fn a_path_is_the_names_of_the_units_and_each_is_asked_for_once() {
        let (outer, inner) = (unit("ou-ab12-aaaaaaaa", "Workloads"), unit("ou-ab12-bbbbbbbb", "Test"));
        let facts = facts(&[&outer, &inner]);
        for (units, path) in [(NESTED, "/Workloads/Test"), (NESTED, "/Workloads/Test"), (&["r-ab12"], "/")] {
            let found = facts.of(&account(units), &document(BY_UNIT)).await.unwrap();
            assert_eq!(found.organizational_unit_path, path);
        }
        assert_eq!((outer.num_calls(), inner.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn the_second_unit_below_a_parent_is_named_together_with_all_others_there() {
        let first = unit("ou-ab12-aaaaaaa0", "0");
        let below = mock!(Client::list_organizational_units_for_parent).then_output(|| {
            let units = (0..20)
                .map(|n| OrganizationalUnit::builder().id(format!("ou-ab12-aaaaaaa{n}")).name(n.to_string()).build());
            ListOrganizationalUnitsForParentOutput::builder().set_organizational_units(Some(units.collect())).build()
        });
        let facts = facts(&[&first, &below]);
        for n in 0..20 {
            let found = facts.of(&account(&["r-ab12", &format!("ou-ab12-aaaaaaa{n}")]), &document(BY_UNIT)).await;
            assert_eq!(found.unwrap().organizational_unit_path, format!("/{n}"));
        }
        assert_eq!((first.num_calls(), below.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn the_units_of_accounts_that_are_known_beforehand_are_named_for_all_of_them_at_once() {
        let below = mock!(Client::list_organizational_units_for_parent).then_output(|| {
            let unit = |id: &str, name: &str| OrganizationalUnit::builder().id(id).name(name).build();
            let output = ListOrganizationalUnitsForParentOutput::builder();
            output
                .organizational_units(unit("ou-ab12-aaaaaaaa", "Test"))
                .organizational_units(unit("ou-ab12-bbbbbbbb", "Live"))
                .build()
        });
        let facts = facts(&[&below]);
        let accounts = [account(&["r-ab12", "ou-ab12-aaaaaaaa"]), account(&["r-ab12", "ou-ab12-bbbbbbbb"])];
        facts.prepare(&accounts.each_ref(), &document("{account: '123456789012'}")).await;
        assert_eq!(below.num_calls(), 0, "nothing is selected by units");
        for _ in 0..2 {
            facts.prepare(&accounts.each_ref(), &document(BY_UNIT)).await;
        }
        assert_eq!(facts.of(&accounts[1], &document(BY_UNIT)).await.unwrap().organizational_unit_path, "/Live");
        assert_eq!(below.num_calls(), 1);
    }

    #[tokio::test]
    async fn tags_are_read_where_the_document_selects_on_them() {
        let tags = mock!(Client::list_tags_for_resource).then_output(|| {
            let tag = Tag::builder().key("team").value("blue").build().unwrap();
            ListTagsForResourceOutput::builder().tags(tag).build()
        });
        let found = facts(&[&tags]).of(&account(NESTED), &document("{tag: {team: blue}}")).await.unwrap();
        assert_eq!(found.tags["team"], "blue");
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_found_out_is_an_error_and_not_the_root() {
        let unknown = facts(&[]).of(&account(&[]), &document(BY_UNIT)).await.unwrap_err();
        assert_eq!(unknown.cause, Cause::CallFailed);
        let gone = mock!(Client::describe_organizational_unit).then_error(|| {
            let gone = OrganizationalUnitNotFoundException::builder().build();
            DescribeOrganizationalUnitError::OrganizationalUnitNotFoundException(gone)
        });
        let gone = facts(&[&gone]).of(&account(NESTED), &document(BY_UNIT)).await.unwrap_err();
        assert_eq!(gone.cause, Cause::OrganizationalUnitNotFound);
    }

    /// A document whose project is selected like this.
    fn with_project(project: &str) -> Document {
        let text = format!(
            "version: 1\ndefaults: {{switch-roles: {{jump_account: '222222222222'}}}}\naccess: {{jump_account: \
             '222222222222', roles: {{admin: role-admin}}, projects: [{{name: p, accounts: {project}}}]}}"
        );
        Document::read(text.as_bytes(), &crate::ids::RoleName::organization_account_access()).unwrap()
    }

    /// An organization of two active accounts and a closed one.
    fn listed() -> Rule {
        mock!(Client::list_accounts).then_output(|| {
            let account = |id: &str, state: State| {
                let account = aws_sdk_organizations::types::Account::builder().id(id).name("A").email("a@example.com");
                account.state(state).paths(format!("o-exampleorgid/r-ab12/ou-ab12-aaaaaaaa/{id}/")).build()
            };
            let accounts = [
                account("222222222222", State::Active),
                account("333333333333", State::Active),
                account("444444444444", State::Suspended),
            ];
            ListAccountsOutput::builder().set_accounts(Some(accounts.into())).build()
        })
    }

    async fn groups(project: &str, id: &str, more: &[&Rule]) -> Option<JumpGroups> {
        let accounts = listed();
        let rules = [&[&accounts], more].concat();
        facts(&rules).jump_groups(&id.parse().unwrap(), &with_project(project)).await
    }

    fn described(id: &'static str, state: State) -> Rule {
        mock!(Client::describe_account).then_output(move || {
            let account = aws_sdk_organizations::types::Account::builder().id(id).name("A").email("a@example.com");
            let account = account.state(state.clone()).paths(format!("o-exampleorgid/r-ab12/ou-ab12-aaaaaaaa/{id}/"));
            DescribeAccountOutput::builder().account(account.build()).build()
        })
    }

    /// The accounts that were looked at, and the roles that the project's group reaches in them.
    async fn after(happened: &Rearranged, project: &str, rules: &[&Rule]) -> (Vec<String>, Vec<String>) {
        let found = facts(rules).jump_groups_after(happened, &with_project(project)).await;
        let Some(JumpGroups::Known { groups, made_of: MadeOf::These(looked_at), notes, .. }) = found else {
            panic!("{found:?}")
        };
        assert_eq!(notes, Vec::<String>::new(), "who looks at one account knows nothing of all");
        (looked_at.iter().map(ToString::to_string).collect(), groups[1].role_arns.iter().cloned().collect())
    }

    #[tokio::test]
    async fn after_something_has_happened_to_an_account_no_other_one_is_looked_at() {
        let id = "333333333333";
        let (by_unit, moved) = ("{organizational_unit: 'ou-ab12-aaaaaaaa'}", Rearranged::Moved(id.parse().unwrap()));
        let role = format!("arn:aws:iam::{id}:role/role-admin");
        let active = described(id, State::Active);
        assert_eq!(after(&moved, by_unit, &[&active]).await, (vec![id.to_owned()], vec![role]));
        let elsewhere = "{organizational_unit: 'ou-ab12-bbbbbbbb'}";
        let active = described(id, State::Active);
        assert_eq!(after(&moved, elsewhere, &[&active]).await, (vec![id.to_owned()], vec![]));
        let gone = Rearranged::Gone(id.parse().unwrap());
        let closed = described(id, State::Suspended);
        assert_eq!(after(&gone, by_unit, &[&closed]).await, (vec![id.to_owned()], vec![]));
        let absent = mock!(Client::describe_account).then_error(|| {
            let meta = crate::gateway::testing::said("AccountNotFoundException", "none");
            DescribeAccountError::AccountNotFoundException(AccountNotFoundException::builder().meta(meta).build())
        });
        assert_eq!(after(&gone, by_unit, &[&absent]).await, (vec![id.to_owned()], vec![]));
    }

    #[tokio::test]
    async fn a_renamed_unit_is_looked_at_with_all_its_accounts_under_its_new_name() {
        let list = listed();
        let below = unit("ou-ab12-aaaaaaaa", "Green");
        let renamed = Rearranged::Renamed("ou-ab12-aaaaaaaa".parse().unwrap());
        let (looked_at, reached) = after(&renamed, "{organizational_unit: '/Green/**'}", &[&list, &below]).await;
        assert_eq!((looked_at.len(), reached.len()), (3, 2), "a closed one is in no group");
    }

    #[tokio::test]
    async fn the_groups_of_the_jump_account_are_made_of_every_active_account() {
        let Some(JumpGroups::Known { groups, .. }) =
            groups("{organizational_unit: 'ou-ab12-aaaaaaaa'}", "222222222222", &[]).await
        else {
            panic!()
        };
        let of_project: Vec<_> = groups[1].role_arns.iter().map(String::as_str).collect();
        assert_eq!(groups[1].name, "group-admin-p");
        assert_eq!(
            of_project,
            ["arn:aws:iam::222222222222:role/role-admin", "arn:aws:iam::333333333333:role/role-admin"]
        );
    }

    #[tokio::test]
    async fn no_other_account_has_groups_and_nothing_is_listed_for_it() {
        assert_eq!(groups("{organizational_unit: 'ou-ab12-aaaaaaaa'}", "333333333333", &[]).await, None);
    }

    #[tokio::test]
    async fn tags_that_cannot_be_read_leave_the_groups_unknown_instead_of_empty() {
        use aws_sdk_organizations::operation::list_tags_for_resource::ListTagsForResourceError;
        let tags = mock!(Client::list_tags_for_resource)
            .then_error(|| ListTagsForResourceError::generic(crate::gateway::testing::denied()));
        let found = groups("{tag: {team: blue}}", "222222222222", &[&tags]).await;
        assert!(matches!(found, Some(JumpGroups::Unknown(failure)) if failure.cause == Cause::AccessDenied));
    }
}
