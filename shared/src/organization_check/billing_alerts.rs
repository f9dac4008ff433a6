//! # billing-alerts
//!
//! **What it does.** Turns on CloudWatch billing alerts in the management account.
//!
//! **Why.** Without them AWS publishes no charges as metrics, of no account, and no billing alarm ever goes off.
//!
//! **Desired state.** Nothing to say: on. It cannot be turned off again.
//!
//! **Calls.** A compliant organization costs one `GetBillingPreferences`.
//!
//! **Source.** AWS Billing API reference, `GetBillingPreferences` and `UpdateBillingPreferences`, feature `BILLING_ALERTS`:
//! the key of a preference is AWS's own and is sent back as it was read. CloudWatch user guide, "Create a billing alarm".

use std::fmt;

use super::{OrganizationScope, OrganizationSection};
use crate::{
    control::Control,
    gateway::{BillingAlertPreference, CallError},
};

/// Turns one preference on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    key: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "turn on CloudWatch billing alerts ({}), which cannot be turned off again", self.key)
    }
}

/// The check `billing-alerts`.
#[derive(Clone, Copy, Debug)]
pub struct BillingAlertsCheck;

impl Control<OrganizationSection> for BillingAlertsCheck {
    const ID: &'static str = "billing-alerts";
    const READS: &'static [&'static str] = &["billing:GetBillingPreferences"];
    const WRITES: &'static [&'static str] = &["billing:UpdateBillingPreferences"];
    type Scope = OrganizationScope;
    type Desired = ();
    type Actual = Vec<BillingAlertPreference>;
    type Change = Change;

    fn desired(_: &OrganizationSection) -> Option<&()> {
        Some(&())
    }

    async fn inspect(&self, scope: &OrganizationScope, _desired: &()) -> Result<Self::Actual, CallError> {
        scope.read.billing.list_billing_alert_preferences().await
    }

    fn plan(&self, _: &OrganizationScope, _desired: &(), actual: &Self::Actual) -> Vec<Change> {
        let off = actual.iter().filter(|preference| !preference.enabled);
        off.map(|preference| Change { key: preference.key.clone() }).collect()
    }

    async fn apply(&self, scope: &OrganizationScope, change: &Change) -> Result<(), CallError> {
        scope.write.billing.enable_billing_alerts(&change.key).await
    }

    fn by_hand(&self, _desired: &(), actual: &Self::Actual) -> Vec<String> {
        // Without a key there is nothing to send back.
        let unknown = actual.is_empty().then(|| {
            "AWS shows no preference about billing alerts; check whether Receive CloudWatch billing alerts is on at \
             https://console.aws.amazon.com/billing/home#/preferences (Alert preferences)"
                .to_owned()
        });
        unknown.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
