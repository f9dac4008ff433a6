//! Selectors and exemptions that stand for nothing in the organization: a unit that was renamed, an account that has
//! left, a slip of the hand. Where one of them was to hold, the defaults would hold instead, without a word.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::Instant};

use super::{Access, Document, DocumentInForce, Pattern, facts::BELIEVED, selector::has_all};
use crate::{
    error::{Cause, Failure},
    gateway::{CallError, DynamoDbGateway, Event, EventType, OrganizationsGateway, Write, attributes},
    ids::{AccountId, OrganizationalUnitId},
    table::keys::{BASELINE_UNMATCHED, BASELINE_UNMATCHED_TAGS, One},
};

/// The most of them that a sentence names.
const MAX_IN_WORDS: usize = 10;
/// The most of them that an event carries; a bus takes 256 KB.
const MAX_IN_EVENT: usize = 100;
/// How many units are asked for what is below them at once.
const AT_ONCE: usize = 4;

/// A selector or an exemption that stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unmatched {
    /// Where it stands in the document.
    pub path: String,
    /// What it names.
    pub names: String,
}

/// What a document selects accounts by that only shows when every account was looked at: their tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagSelectors {
    /// The `ETag` of the document.
    etag: String,
    /// Whether changes are made by it although it names what is not there.
    allowed: bool,
    selectors: Vec<TagSelector>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TagSelector {
    path: String,
    tag: BTreeMap<String, String>,
}

impl TagSelectors {
    /// Those of this document; None when there are none.
    pub fn of(document: &DocumentInForce) -> Option<Self> {
        let by_tag = document.overrides.iter().zip(0..).filter_map(|(entry, position): (_, usize)| {
            let tag = entry.selector.tag.clone()?;
            Some(TagSelector { path: format!("overrides[{position}].match.tag"), tag })
        });
        let selectors: Vec<_> = by_tag.collect();
        let (etag, allowed) = (document.etag().to_owned(), document.allow_unmatched);
        (!selectors.is_empty()).then_some(Self { etag, allowed, selectors })
    }

    /// Those that no account has. `accounts` are the tags of all that were looked at, None where they could not be read:
    /// such an account may be the one that is meant, so that nothing can be said then.
    pub fn unmatched<'a>(
        &self,
        accounts: impl IntoIterator<Item = Option<&'a BTreeMap<String, String>>>,
    ) -> Option<Vec<Unmatched>> {
        let mut open: Vec<&TagSelector> = self.selectors.iter().collect();
        let mut is_certain = true;
        for tags in accounts {
            match tags {
                Some(tags) => open.retain(|selector| !has_all(tags, &selector.tag)),
                None => is_certain = false,
            }
        }
        (is_certain || open.is_empty()).then(|| open.into_iter().map(TagSelector::unmatched).collect())
    }

    /// The event about these; None when there are none.
    pub fn event(&self, unmatched: Vec<Unmatched>) -> Option<BaselineSelectorUnmatched> {
        BaselineSelectorUnmatched::new(&self.etag, self.allowed, unmatched)
    }
}

impl TagSelector {
    fn unmatched(&self) -> Unmatched {
        let tags: Vec<_> = self.tag.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Unmatched { path: self.path.clone(), names: tags.join(", ") }
    }
}

/// A sweep has found that the document names what is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineSelectorUnmatched {
    /// The `ETag` of the document.
    pub etag: String,
    /// What happened and what to do.
    #[serde(flatten)]
    pub failure: Failure,
    /// What it names, the first hundred.
    pub unmatched: Vec<Unmatched>,
    /// How many there are.
    pub unmatched_count: usize,
    /// Whether changes are made by it all the same, because it says so.
    pub allowed: bool,
}

impl Event for BaselineSelectorUnmatched {
    const TYPE: EventType = EventType::BaselineSelectorUnmatched;
}

impl BaselineSelectorUnmatched {
    /// The event about these; None when there are none.
    pub fn of(document: &DocumentInForce, unmatched: Vec<Unmatched>) -> Option<Self> {
        Self::new(document.etag(), document.allow_unmatched, unmatched)
    }

    fn new(etag: &str, allowed: bool, mut unmatched: Vec<Unmatched>) -> Option<Self> {
        let failure = Failure::with_detail(Cause::BaselineSelectorUnmatched, in_words(&unmatched)?);
        let unmatched_count = unmatched.len();
        unmatched.truncate(MAX_IN_EVENT);
        Some(Self { etag: etag.to_owned(), failure, unmatched, unmatched_count, allowed })
    }
}

/// These selectors and exemptions in words, for people; None when there are none.
pub fn in_words(unmatched: &[Unmatched]) -> Option<String> {
    let named = |one: &Unmatched| format!("{} ({})", one.path, one.names);
    let mut words: Vec<_> = unmatched.iter().take(MAX_IN_WORDS).map(named).collect();
    if unmatched.len() > MAX_IN_WORDS {
        words.push(format!("{} more", unmatched.len() - MAX_IN_WORDS));
    }
    (!words.is_empty())
        .then(|| format!("Nothing in the organization is what the baseline document names in {}.", words.join(", ")))
}

impl Document {
    /// Whether anything in it stands for some accounts and not for all.
    fn names_accounts(&self) -> bool {
        !self.overrides.is_empty() || !self.exemptions.is_empty() || self.access.is_some()
    }

    /// The overrides, exemptions and projects that name an account that is not among these. An exemption that has ended counts no
    /// more.
    fn unmatched_accounts(&self, accounts: &BTreeSet<&AccountId>, today: Date) -> Vec<Unmatched> {
        let overrides = self.overrides.iter().zip(0..).filter_map(|(entry, position): (_, usize)| {
            Some((format!("overrides[{position}].match.account"), entry.selector.account.as_ref()?))
        });
        let exemptions = self.exemptions.iter().zip(0..).filter(|(entry, _)| today <= entry.until);
        let exemptions =
            exemptions.map(|(entry, position): (_, usize)| (format!("exemptions[{position}].account"), &entry.account));
        let access = self.access.iter().flat_map(Access::accounts);
        let named = overrides.chain(exemptions).chain(access).filter(|(_, id)| !accounts.contains(id));
        named.map(|(path, id)| Unmatched { path, names: id.to_string() }).collect()
    }
}

/// Whether the document names what is there, for whoever acts by it.
#[derive(Debug)]
pub struct Selectors {
    organizations: OrganizationsGateway,
    table: DynamoDbGateway,
    /// What was found for a document, for a while.
    found: Mutex<Option<(String, Instant, Vec<Unmatched>)>>,
}

/// What the last sweep has found of accounts or their tags, which nobody else lists.
#[derive(Debug, Serialize, Deserialize)]
struct OfSweep {
    etag: String,
    unmatched: Vec<Unmatched>,
}

async fn record(table: &DynamoDbGateway, key: One, etag: &str, unmatched: Vec<Unmatched>) -> Result<(), CallError> {
    let item = attributes(&OfSweep { etag: etag.to_owned(), unmatched })?;
    table.write(vec![Write::Put { pk: key.key().to_owned(), item, condition: None }]).await.map(drop)
}

/// Records what a sweep has found of tags, for everybody who acts by this document.
pub async fn record_tags(
    table: &DynamoDbGateway,
    selectors: &TagSelectors,
    unmatched: Vec<Unmatched>,
) -> Result<(), CallError> {
    record(table, BASELINE_UNMATCHED_TAGS, &selectors.etag, unmatched).await
}

impl Selectors {
    /// Selectors on this organization; what sweeps find is recorded in this table.
    pub fn new(organizations: OrganizationsGateway, table: DynamoDbGateway) -> Self {
        Self { organizations, table, found: Mutex::default() }
    }

    /// For a sweep, which knows every account: the accounts and units that stand for nothing. It is recorded for the
    /// functions that know but one.
    pub async fn of_sweep(
        &self,
        document: &DocumentInForce,
        accounts: &BTreeSet<&AccountId>,
        today: Date,
    ) -> Result<Vec<Unmatched>, CallError> {
        let mut unmatched = document.unmatched_accounts(accounts, today);
        if document.names_accounts() {
            record(&self.table, BASELINE_UNMATCHED, document.etag(), unmatched.clone()).await?;
        }
        unmatched.extend(self.units(document).await?);
        // What is allowed from here on goes by this look, not by one of the minutes before.
        let mut all = unmatched.clone();
        all.extend(self.tags(document).await?);
        *self.found.lock().await = Some((document.etag().to_owned(), Instant::now(), all));
        Ok(unmatched)
    }

    /// What stands for nothing: of units as they are now, of accounts and tags as the last sweep has found them for this
    /// very document.
    pub async fn unmatched(&self, document: &DocumentInForce) -> Result<Vec<Unmatched>, Failure> {
        if !document.names_accounts() {
            return Ok(Vec::new());
        }
        // The lock is held on the way, so that many accounts ask once.
        let mut found = self.found.lock().await;
        if let Some((etag, at, unmatched)) = found.as_ref()
            && etag == document.etag()
            && at.elapsed() < BELIEVED
        {
            return Ok(unmatched.clone());
        }
        let mut unmatched = self.recorded(BASELINE_UNMATCHED, document).await?.unwrap_or_default();
        unmatched.extend(self.tags(document).await?);
        unmatched.extend(self.units(document).await?);
        *found = Some((document.etag().to_owned(), Instant::now(), unmatched.clone()));
        Ok(unmatched)
    }

    /// A failure when nothing may be changed by this document, because it names what is not there and does not say that
    /// it may.
    pub async fn allow_changes(&self, document: &DocumentInForce) -> Result<(), Failure> {
        if document.allow_unmatched {
            return Ok(());
        }
        match in_words(&self.unmatched(document).await?) {
            None => Ok(()),
            Some(words) => Err(Failure::with_detail(Cause::BaselineSelectorUnmatched, words)),
        }
    }

    /// Forgets what was found in the last minutes: a unit has another name since.
    pub async fn forget(&self) {
        *self.found.lock().await = None;
    }

    /// As [`Self::allow_changes`], for what nobody has asked for: a document whose tags no sweep has looked for yet does not
    /// allow that either.
    pub async fn allow_remediation(&self, document: &DocumentInForce) -> Result<(), Failure> {
        self.allow_changes(document).await?;
        let is_seen = document.allow_unmatched
            || !document.selects_on_tags()
            || self.recorded(BASELINE_UNMATCHED_TAGS, document).await?.is_some();
        if is_seen { Ok(()) } else { Err(Failure::new(Cause::BaselineTagsUnseen)) }
    }

    /// The tags that no account had when the last sweep looked.
    async fn tags(&self, document: &DocumentInForce) -> Result<Vec<Unmatched>, CallError> {
        if !document.selects_on_tags() {
            return Ok(Vec::new());
        }
        Ok(self.recorded(BASELINE_UNMATCHED_TAGS, document).await?.unwrap_or_default())
    }

    /// What the last sweep has found for this very document; None when there was none.
    async fn recorded(&self, key: One, document: &DocumentInForce) -> Result<Option<Vec<Unmatched>>, CallError> {
        let recorded = self.table.find::<OfSweep>(key.key()).await?.filter(|recorded| recorded.etag == document.etag());
        Ok(recorded.map(|recorded| recorded.unmatched))
    }

    /// The overrides for units of which there is none, with accounts or without.
    async fn units(&self, document: &Document) -> Result<Vec<Unmatched>, CallError> {
        let of_projects = document.access.iter().flat_map(Access::unit_patterns);
        let patterns = document.overrides.iter().zip(0..).filter_map(|(entry, position): (_, usize)| {
            Some((
                format!("overrides[{position}].match.organizational_unit"),
                entry.selector.organizational_unit.as_ref()?,
            ))
        });
        let mut root = None;
        let mut below = HashMap::new();
        let mut unmatched = Vec::new();
        for (path, pattern) in patterns.chain(of_projects) {
            if !self.exists(pattern, &mut root, &mut below).await? {
                unmatched.push(Unmatched { path, names: pattern.as_str().to_owned() });
            }
        }
        Ok(unmatched)
    }

    /// Looks for a unit that fits, only where one can be. What was found on the way serves the next pattern.
    async fn exists(
        &self,
        pattern: &Pattern,
        root: &mut Option<OrganizationalUnitId>,
        below: &mut HashMap<OrganizationalUnitId, Vec<(OrganizationalUnitId, String)>>,
    ) -> Result<bool, CallError> {
        let start: OrganizationalUnitId = match pattern.anchor().and_then(|id| id.parse().ok()) {
            Some(id) => id,
            None => match root {
                Some(root) => root.clone(),
                None => root.insert(self.organizations.find_root().await?).clone(),
            },
        };
        let is_there = match pattern.anchor() {
            Some(_) if start.is_root() => self.organizations.find_root().await? == start,
            Some(_) => self.organizations.find_organizational_unit(&start).await?.is_some(),
            None => true,
        };
        if !is_there {
            return Ok(false);
        }
        let mut level: Vec<(OrganizationalUnitId, Vec<String>)> = vec![(start, Vec::new())];
        while !level.is_empty() {
            if level.iter().any(|(_, names)| pattern.fits(names)) {
                return Ok(true);
            }
            level.retain(|(_, names)| pattern.leads_below(names));
            let missing: Vec<_> = level.iter().map(|(id, _)| id.clone()).filter(|id| !below.contains_key(id)).collect();
            let ask = |id: OrganizationalUnitId| async {
                let units = self.organizations.list_organizational_units(&id).await?;
                Ok::<_, CallError>((id, units.into_iter().map(|unit| (unit.id, unit.name)).collect()))
            };
            let asked: Vec<_> =
                stream::iter(missing.into_iter().map(ask)).buffer_unordered(AT_ONCE).try_collect().await?;
            below.extend(asked);
            let next = level.iter().flat_map(|(id, names)| {
                below
                    .get(id)
                    .into_iter()
                    .flatten()
                    .map(move |(id, name)| (id.clone(), [names.as_slice(), std::slice::from_ref(name)].concat()))
            });
            level = next.collect();
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
