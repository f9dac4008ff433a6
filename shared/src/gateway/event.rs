//! Events, as the bus takes them.

use schemars::JsonSchema;
use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// The `source` of every event that Steward puts on its bus.
pub const SOURCE: &str = "steward";

/// Every type of event that Steward puts on its bus: by its name, the `detail-type`, rules select. What each means and
/// carries is in docs/EVENTS.md, made from the types themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray)]
pub enum EventType {
    /// The closing of an account has come further, or was refused.
    AccountClosureAdvanced,
    /// Accounts will be closed, if nobody calls it off.
    AccountClosuresAnnounced,
    /// An account that was asked for exists.
    AccountCreated,
    /// An account that was asked for was not created, or not finished.
    AccountCreationFailed,
    /// Something of an account was changed by hand.
    AccountUpdated,
    /// Somebody did something, or tried to.
    ActivityAudited,
    /// An account has its baseline.
    BaselineApplied,
    /// A new document was refused.
    BaselineDocumentRefused,
    /// An account lacks a part of its baseline.
    BaselineIncomplete,
    /// A document names what is not there.
    BaselineSelectorUnmatched,
    /// A sweep is over.
    ComplianceReported,
    /// Changes of addresses wait for their codes.
    EmailChangesAbandoned,
    /// Groups of the jump account reach other accounts than before.
    JumpGroupsChanged,
    /// A user of the jump account was changed.
    JumpUserChanged,
    /// Users of the jump account need a look, or none does.
    JumpUsersReviewed,
    /// The organization's settings were changed.
    OrganizationPrepared,
    /// Items of the table are not what they should be.
    RecordsUnreadable,
    /// A region was enabled or disabled as the document has it.
    RegionOptAudited,
    /// A region was enabled or disabled against the document.
    RegionPolicyViolated,
    /// Root work was asked for.
    RootTaskPerformed,
    /// A sweep has stopped changing accounts.
    SweepBraked,
}

/// An event that Steward puts on its bus.
pub trait Event: Serialize + JsonSchema {
    /// Its type.
    const TYPE: EventType;
}
