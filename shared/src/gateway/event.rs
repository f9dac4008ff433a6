//! Events, as the bus takes them.

use serde::Serialize;

/// The `source` of every event that Steward puts on its bus.
pub const SOURCE: &str = "steward";

/// An event that Steward puts on its bus.
pub trait Event: Serialize {
    /// The `detail-type` that rules select on.
    const DETAIL_TYPE: &'static str;
}
