//! The baseline: what every account must have.

use serde::{Deserialize, Serialize};

use crate::{control::billing_alarm::BillingAlarm, ids::Email};

/// The desired state of an account: one section per control. A control without a section is left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Baseline {
    /// The alarm on estimated charges.
    pub billing_alarm: Option<BillingAlarm>,
}

impl Baseline {
    /// The baseline of a stack that has no document: a billing alarm with the stack's own parameters.
    pub fn of_parameters(alert_email: Email, billing_threshold_usd: f64) -> Self {
        Self { billing_alarm: Some(BillingAlarm::new(billing_threshold_usd, vec![alert_email])) }
    }
}
