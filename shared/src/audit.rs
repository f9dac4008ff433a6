//! What others did: CloudTrail's records, read and judged, and what Steward's own roles may do.

pub mod cloudtrail;
pub mod own_roles;
pub mod region_calls;
