//! What is known about one account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::email::EmailChange;

/// Regions that every account has from the start, and keeps.
const DEFAULT_REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Regions that an account has only once they are enabled.
const OPTIONAL_REGIONS: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// Whether an account has a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RegionStatus {
    Default,
    Disabled,
    Disabling,
    Enabled,
    Enabling,
}

impl RegionStatus {
    /// Every status, as the API spells it.
    pub(super) const WORDS: [&'static str; 5] = ["DISABLED", "DISABLING", "ENABLED", "ENABLED_BY_DEFAULT", "ENABLING"];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Default => "ENABLED_BY_DEFAULT",
            Self::Disabled => "DISABLED",
            Self::Disabling => "DISABLING",
            Self::Enabled => "ENABLED",
            Self::Enabling => "ENABLING",
        }
    }

    pub(super) fn is_changing(self) -> bool {
        matches!(self, Self::Disabling | Self::Enabling)
    }
}

/// The members of a contact.
pub(super) type Contact = Map<String, Value>;

/// The contacts and regions of one account, and how calls about it fail.
pub(super) struct Profile {
    /// The primary contact, without the members that were left out; `None` only when a test took it away.
    pub(super) contact: Option<Contact>,
    /// By type.
    pub(super) alternates: BTreeMap<String, Contact>,
    pub(super) regions: BTreeMap<String, RegionStatus>,
    /// Regions that fall back to what they were instead of changing.
    pub(super) failing: BTreeSet<String>,
    /// The most recent change of the primary e-mail address.
    pub(super) email_change: Option<EmailChange>,
    /// When the last ones were started, by the simulated clock.
    pub(super) email_starts: Vec<Duration>,
    /// Whether every call about this account is denied.
    pub(super) denied: bool,
    /// Operations that callers in this account are denied, while the management account is not.
    pub(super) forbidden: BTreeSet<String>,
}

impl Profile {
    /// An account opened by the management account that this is.
    pub(super) fn opened(&self) -> Self {
        Self { contact: self.contact.clone(), ..Self::default() }
    }

    pub(super) fn changing(&self) -> usize {
        self.regions.values().filter(|status| status.is_changing()).count()
    }
}

impl Default for Profile {
    /// An account as its owner signed up for it.
    fn default() -> Self {
        let contact = json!({
            "FullName": "Jane Roe",
            "AddressLine1": "100 Main Street",
            "City": "Seattle",
            "StateOrRegion": "WA",
            "PostalCode": "98101",
            "CountryCode": "US",
            "PhoneNumber": "+1 206-555-0100",
            "CompanyName": "Example Corp.",
        });
        let always = DEFAULT_REGIONS.iter().map(|region| ((*region).to_owned(), RegionStatus::Default));
        let optional = OPTIONAL_REGIONS.iter().map(|region| ((*region).to_owned(), RegionStatus::Disabled));
        Self {
            contact: contact.as_object().cloned(),
            alternates: BTreeMap::new(),
            regions: always.chain(optional).collect(),
            failing: BTreeSet::new(),
            email_change: None,
            email_starts: Vec::new(),
            denied: false,
            forbidden: BTreeSet::new(),
        }
    }
}
