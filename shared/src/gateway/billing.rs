//! AWS Billing: the preference without which no charges are published as metrics. It is answered in us-east-1 alone.

use aws_config::SdkConfig;
use aws_sdk_billing::{
    Client,
    types::{BillingFeature, BillingPreferenceForKey, PreferenceValue},
};

use super::CallError;
use crate::error::Cause;

/// One preference about billing alerts. What its key means is AWS's to say; it is sent back as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingAlertPreference {
    /// Its key.
    pub key: String,
    /// Whether it is on.
    pub enabled: bool,
}

/// The door to AWS Billing.
#[derive(Clone, Debug)]
pub struct BillingGateway(Client);

impl BillingGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// The preferences about billing alerts of the account that calls.
    pub async fn list_billing_alert_preferences(&self) -> Result<Vec<BillingAlertPreference>, CallError> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let call = self.0.get_billing_preferences().features(BillingFeature::BillingAlerts);
            let page = call.set_next_token(token).send().await;
            let page = page.map_err(|error| CallError::of("billing:GetBillingPreferences", error))?;
            found.extend(page.billing_preferences().iter().map(|preference| BillingAlertPreference {
                key: preference.key().to_owned(),
                enabled: *preference.value() == PreferenceValue::Enabled,
            }));
            token = page.next_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Turns the preference of this key on. AWS has no way to turn it off again.
    pub async fn enable_billing_alerts(&self, key: &str) -> Result<(), CallError> {
        const OPERATION: &str = "billing:UpdateBillingPreferences";
        let entry = BillingPreferenceForKey::builder().key(key).value(PreferenceValue::Enabled).build();
        let entry = entry.map_err(|error| CallError::not_sent(OPERATION, Cause::InputRefused, error.to_string()))?;
        let call = self.0.update_billing_preferences().feature(BillingFeature::BillingAlerts);
        let answer = call.billing_preferences_per_key(entry).send().await;
        answer.map(drop).map_err(|error| CallError::of(OPERATION, error))
    }
}
