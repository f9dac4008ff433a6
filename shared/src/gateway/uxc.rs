//! AWS User Experience Customization: how the console shows itself to everybody in an account.

use aws_config::SdkConfig;
use aws_sdk_uxc::{Client, types::AccountColor};

use super::CallError;
use crate::error::Cause;

/// The door to AWS User Experience Customization. An account reaches its own settings alone.
#[derive(Clone, Debug)]
pub struct UxcGateway(Client);

impl UxcGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// The color of the account that calls, by its name in the API; `none` where nobody has set one.
    pub async fn account_color(&self) -> Result<String, CallError> {
        const OPERATION: &str = "uxc:GetAccountCustomizations";
        let answer = self.0.get_account_customizations().send().await;
        let answer = answer.map_err(|error| CallError::of(OPERATION, error))?;
        let color = answer.account_color().map(|color| color.as_str().to_owned());
        color.ok_or_else(|| CallError::unusable(OPERATION, Cause::CallFailed, "an answer without accountColor"))
    }

    /// Sets the color of the account that calls, and leaves the services and regions that its console shows.
    pub async fn set_account_color(&self, color: &str) -> Result<(), CallError> {
        let call = self.0.update_account_customizations().account_color(AccountColor::from(color));
        call.send().await.map(drop).map_err(|error| CallError::of("uxc:UpdateAccountCustomizations", error))
    }
}
