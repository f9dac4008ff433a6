//! What an organization consists of.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::FailureReason;
use super::closing::Closures;
use super::policies::Policies;
use super::roster::Roster;
use crate::events::EventPlan;
use crate::ids::Ids;
use crate::service::account::RegionPlan;

/// Tags of one resource.
pub(super) type Tags = BTreeMap<String, String>;

/// Where an account or organizational unit sits: the id of a root or of a unit.
pub(super) type ParentId = String;

/// One organization.
pub(super) struct Org {
    pub(super) id: String,
    pub(super) management: String,
    pub(super) root: String,
    pub(super) all_features: bool,
    pub(super) units: Vec<Unit>,
    pub(super) accounts: Roster,
    pub(super) requests: Vec<CreateRequest>,
    pub(super) tags: HashMap<String, Tags>,
    /// What the index of tags still shows instead, and until when on the simulated clock; `None` for what it leaves out.
    pub(super) indexed: HashMap<String, (Duration, Option<Tags>)>,
    /// The principals of services with trusted access, and since when.
    pub(super) trusted: BTreeMap<String, Timestamp>,
    /// The delegated administrators of each service, by its principal, and since when.
    pub(super) delegates: BTreeMap<String, BTreeMap<String, Timestamp>>,
    /// The units whose accounts may do nothing, by a service control policy.
    pub(super) denied_units: BTreeSet<String>,
    pub(super) policies: Policies,
    pub(super) closures: Closures,
    pub(super) settings: Settings,
    /// The most creations that were in progress at once.
    pub(super) peak_in_progress: usize,
}

/// An organizational unit.
pub(super) struct Unit {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) parent: ParentId,
}

/// A member account, or the management account.
pub(super) struct Account {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) state: AccountState,
    pub(super) created: bool,
    pub(super) joined: Timestamp,
    /// Until when, on the simulated clock, services other than STS are not ready for it.
    pub(super) ready: Duration,
    pub(super) parent: ParentId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountState {
    Active,
    PendingClosure,
    Closed,
}

impl AccountState {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
        }
    }
}

/// A request to create an account.
#[derive(Clone)]
pub(super) struct CreateRequest {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) tags: Tags,
    pub(super) requested: Timestamp,
    /// Settled when the request is accepted, shown when it ends.
    pub(super) fate: Fate,
    pub(super) ended: Option<Timestamp>,
}

/// How a creation ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// With this account id.
    Succeeds(String),
    Fails(FailureReason),
}

impl CreateRequest {
    pub(super) fn state(&self) -> &'static str {
        match (&self.ended, &self.fate) {
            (None, _) => "IN_PROGRESS",
            (Some(_), Fate::Succeeds(_)) => "SUCCEEDED",
            (Some(_), Fate::Fails(_)) => "FAILED",
        }
    }
}

/// What a test can turn.
pub(super) struct Settings {
    pub(super) creation_time: Duration,
    pub(super) role_delay: Duration,
    pub(super) opt_in_delay: Duration,
    pub(super) closing_time: Duration,
    pub(super) account_limit: usize,
    pub(super) emails_elsewhere: HashSet<String>,
    pub(super) failures: HashMap<String, FailureReason>,
    pub(super) empty_first_pages: bool,
    pub(super) events: EventPlan,
    /// CloudTrail's records of calls.
    pub(super) records: EventPlan,
    pub(super) regions: RegionPlan,
    /// How long the index of tags shows what was before a change.
    pub(super) index_lag: Duration,
    /// How long a new primary e-mail address takes to show.
    pub(super) email_change_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            creation_time: Duration::from_secs(3),
            role_delay: Duration::from_secs(2),
            opt_in_delay: Duration::ZERO,
            closing_time: Duration::from_secs(3),
            account_limit: 10_000,
            emails_elsewhere: HashSet::new(),
            failures: HashMap::new(),
            empty_first_pages: false,
            events: EventPlan::default(),
            records: EventPlan::default(),
            regions: RegionPlan::default(),
            index_lag: Duration::from_secs(30),
            // "Up to four hours."
            email_change_time: Duration::from_hours(4),
        }
    }
}

impl Org {
    /// An organization that holds nothing but its management account.
    pub(super) fn new(ids: &Ids, management: &str, all_features: bool) -> Self {
        let root = ids.lower("r-", 4);
        let account = Account {
            id: management.to_owned(),
            email: format!("management+{management}@example.com"),
            name: "Management".to_owned(),
            state: AccountState::Active,
            created: false,
            joined: Timestamp::now(),
            ready: Duration::ZERO,
            parent: root.clone(),
        };
        let mut accounts = Roster::default();
        accounts.push(account);
        Self {
            id: ids.lower("o-", 10),
            management: management.to_owned(),
            root,
            all_features,
            units: Vec::new(),
            accounts,
            requests: Vec::new(),
            tags: HashMap::new(),
            indexed: HashMap::new(),
            trusted: BTreeMap::new(),
            delegates: BTreeMap::new(),
            denied_units: BTreeSet::new(),
            policies: Policies::default(),
            closures: Closures::default(),
            settings: Settings::default(),
            peak_in_progress: 0,
        }
    }

    /// Adds a unit and returns its id.
    pub(super) fn add_unit(&mut self, ids: &Ids, name: &str, parent: ParentId) -> String {
        let id = ids.lower(&format!("ou-{}-", &self.root["r-".len()..]), 8);
        self.units.push(Unit { id: id.clone(), name: name.to_owned(), parent });
        id
    }

    /// The root or unit at a path of names such as `/` or `/Workloads/Prod`.
    pub(super) fn find_path(&self, path: &str) -> Option<&str> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(self.root.as_str(), |parent, name| {
            let unit = self.units.iter().find(|unit| unit.parent == parent && unit.name == name)?;
            Some(unit.id.as_str())
        })
    }

    /// Whether an account has this address, here or in another organization.
    pub(super) fn is_email_taken(&self, email: &str) -> bool {
        self.accounts.iter().any(|account| account.email.eq_ignore_ascii_case(email))
            || self.settings.emails_elsewhere.contains(&email.to_ascii_lowercase())
    }

    pub(super) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.find(id)
    }

    pub(super) fn account_mut(&mut self, id: &str) -> Option<&mut Account> {
        self.accounts.find_mut(id)
    }

    pub(super) fn unit(&self, id: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == id)
    }

    pub(super) fn request(&self, id: &str) -> Option<&CreateRequest> {
        self.requests.iter().find(|request| request.id == id)
    }

    /// Whether an id is this organization's root or one of its units.
    pub(super) fn is_parent(&self, id: &str) -> bool {
        id == self.root || self.unit(id).is_some()
    }

    /// Whether an id is anything that can carry tags.
    pub(super) fn is_taggable(&self, id: &str) -> bool {
        self.is_parent(id) || self.account(id).is_some()
    }

    /// What the index of tags shows of an account; `None` when it leaves it out, as what was never tagged.
    pub(super) fn indexed_tags(&self, id: &str, now: Duration) -> Option<&Tags> {
        match self.indexed.get(id) {
            Some((until, before)) if now < *until => before.as_ref(),
            _ => self.tags.get(id).filter(|tags| !tags.is_empty() || self.indexed.contains_key(id)),
        }
    }

    /// Has the index show for a while what it shows now: the tags are about to change.
    pub(super) fn keep_indexed(&mut self, id: &str, now: Duration) {
        let shown = self.indexed_tags(id, now).cloned();
        self.indexed.insert(id.to_owned(), (now + self.settings.index_lag, shown));
    }

    pub(super) fn in_progress(&self) -> usize {
        self.requests.iter().filter(|request| request.ended.is_none()).count()
    }

    /// `o-.../r-.../ou-.../`: the way from the organization down to a root or unit.
    pub(super) fn path(&self, parent: &str) -> String {
        match self.unit(parent) {
            Some(unit) => format!("{}{}/", self.path(&unit.parent), unit.id),
            None => format!("{}/{}/", self.id, self.root),
        }
    }

    /// Whether a service control policy denies everything to an account. Such policies never bind the management account.
    pub(super) fn denies(&self, account: &str) -> bool {
        let account = self.account(account).filter(|account| account.id != self.management);
        let mut parent = account.map(|account| account.parent.as_str());
        while let Some(id) = parent {
            if self.denied_units.contains(id) {
                return true;
            }
            parent = self.unit(id).map(|unit| unit.parent.as_str());
        }
        false
    }

    /// How many units lie between the root and this parent, itself included.
    pub(super) fn depth(&self, parent: &str) -> usize {
        self.unit(parent).map_or(0, |unit| 1 + self.depth(&unit.parent))
    }

    pub(super) fn account_arn(&self, id: &str) -> String {
        format!("arn:aws:organizations::{}:account/{}/{id}", self.management, self.id)
    }

    /// The ARN of a root, unit, account or policy.
    pub(super) fn arn(&self, id: &str) -> String {
        let kind = match id.as_bytes().first() {
            Some(b'r') => "root",
            Some(b'o') => "ou",
            Some(b'p') => return super::policies::arn(self, id),
            _ => return self.account_arn(id),
        };
        format!("arn:aws:organizations::{}:{kind}/{}/{id}", self.management, self.id)
    }
}
