//! Making an organization for a test or a demonstration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::handle::Organization;
use super::role::{DEFAULT_ROLE, try_make_role};
use super::state::{Account, AccountState, Org};
use super::units;
use crate::client::AwsError;
use crate::core::Core;
use crate::service::account;
use crate::service::root_access::{self, RootCredentials};

/// An organization to be made: all features, trusted access for Account Management, one root, and what is added here.
#[must_use = "nothing is made before `create`"]
pub struct OrganizationBuilder {
    core: Arc<Core>,
    org: Org,
    root_access: bool,
    /// The aliases of simulated members, by their ids.
    simulated: BTreeMap<String, Option<Arc<str>>>,
    root_credentials: Vec<(String, RootCredentials)>,
    error: Option<AwsError>,
}

impl OrganizationBuilder {
    pub(crate) fn new(core: Arc<Core>, management: &str) -> Self {
        let mut org = Org::new(&core.ids, management, true);
        org.trusted.insert(account::PRINCIPAL.to_owned(), Timestamp::now());
        Self { core, org, root_access: false, simulated: BTreeMap::new(), root_credentials: Vec::new(), error: None }
    }

    /// Adds the organizational unit at a path such as `/Workloads/Prod`, with every unit on the way.
    pub fn unit(mut self, path: &str) -> Self {
        let mut parent = self.org.root.clone();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let known = self.org.units.iter().find(|unit| unit.parent == parent && unit.name == name);
            parent = match known.map(|unit| unit.id.clone()) {
                Some(id) => id,
                None => self.org.add_unit(&self.core.ids, name, parent),
            };
        }
        self
    }

    /// Adds a member account, in the unit at a path or, with `/`, in the root.
    pub fn member(mut self, id: &str, name: &str, email: &str, path: &str) -> Self {
        if let Some(parent) = self.parent(path) {
            self.add(id.to_owned(), name, email, parent);
        }
        self
    }

    /// Adds simulated members, spread evenly over the unit at a path and the units below it. Calls in them are answered
    /// without MiniStack, so there can be ten thousand. They have nothing, except an alias if one is given: in it
    /// `{account_id}` stands for the account's id.
    pub fn simulated_members(mut self, count: usize, path: &str, alias: Option<&str>) -> Self {
        let Some(top) = self.parent(path) else { return self };
        let units = units::tree(&self.org, &top);
        let alias: Option<Arc<str>> = alias.map(Arc::from);
        for parent in units.iter().cycle().take(count) {
            let mut id = self.core.ids.account();
            while self.org.account(&id).is_some() {
                id = self.core.ids.account();
            }
            let (name, email) = (format!("Simulated {id}"), format!("simulated+{id}@example.com"));
            self.simulated.insert(id.clone(), alias.clone());
            self.add(id, &name, &email, parent.clone());
        }
        self
    }

    /// The id of the root or unit at a path; none is an error later.
    fn parent(&mut self, path: &str) -> Option<String> {
        let found = self.org.find_path(path).map(str::to_owned);
        if found.is_none() {
            let message = format!("there is no organizational unit {path}");
            self.error.get_or_insert(refusal("OrganizationalUnitNotFoundException", message));
        }
        found
    }

    fn add(&mut self, id: String, name: &str, email: &str, parent: String) {
        self.org.accounts.push(Account {
            id,
            email: email.to_owned(),
            name: name.to_owned(),
            state: AccountState::Active,
            created: true,
            // Organizations are in use for years before somebody installs something.
            joined: Timestamp::now() - SignedDuration::from_hours(400 * 24),
            ready: Duration::ZERO,
            parent,
        });
    }

    /// Enables both root features, with trusted access for IAM.
    pub fn root_access(mut self) -> Self {
        self.org.trusted.insert(root_access::PRINCIPAL.to_owned(), Timestamp::now());
        self.root_access = true;
        self
    }

    /// What the root user of a member account can sign in or sign with: only a password unless set.
    pub fn root_credentials(mut self, account: &str, credentials: RootCredentials) -> Self {
        self.root_credentials.push((account.to_owned(), credentials));
        self
    }

    /// How long a creation is in progress: 3 seconds unless set.
    pub fn creation_time(mut self, time: Duration) -> Self {
        self.org.settings.creation_time = time;
        self
    }

    /// How long after its creation an account lacks its role: 2 seconds unless set.
    pub fn role_delay(mut self, delay: Duration) -> Self {
        self.org.settings.role_delay = delay;
        self
    }

    /// How many accounts, the management account included, the organization may have.
    pub fn account_limit(mut self, limit: usize) -> Self {
        self.org.settings.account_limit = limit;
        self
    }

    /// Makes the organization, and the role in each member account that is not simulated.
    pub async fn create(self) -> Result<Organization, AwsError> {
        let Self { core, org, root_access, simulated, root_credentials, error } = self;
        if let Some(error) = error {
            return Err(error);
        }
        let management = org.management.clone();
        let is_real = |account: &&Account| account.id != management && !simulated.contains_key(&account.id);
        for member in org.accounts.iter().filter(is_real) {
            try_make_role(&core, &management, &member.id, DEFAULT_ROLE).await?;
        }
        if !core.services.organizations.add(org) {
            let message = format!("account {management}, or a member, is in an organization already");
            return Err(refusal("AlreadyInOrganizationException", message));
        }
        core.services.simulated.add(&management, simulated);
        core.services.root_access.set_features(&management, root_access);
        for (account, credentials) in root_credentials {
            core.services.root_access.set_credentials(&account, credentials);
        }
        Ok(Organization::new(core, management))
    }
}

fn refusal(code: &str, message: String) -> AwsError {
    AwsError { status: 400, code: code.to_owned(), message, detail: serde_json::Value::Null }
}
