//! Whole flows on the local cloud.
