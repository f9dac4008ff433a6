//! The list of all controls.

use super::{AnyControl, billing_alarm::BillingAlarmControl};

/// Every control, in the order of their rows.
pub static ALL: &[&dyn AnyControl] = &[&BillingAlarmControl];

/// The control of this id.
pub fn find(id: &str) -> Option<&'static dyn AnyControl> {
    ALL.iter().copied().find(|control| control.id() == id)
}
