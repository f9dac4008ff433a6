//! Amazon EventBridge: what Steward tells the world.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};

use super::CallError;
use crate::{
    error::Cause,
    events::{Event, SOURCE},
};

/// The door to the stack's event bus.
#[derive(Clone, Debug)]
pub struct EventBridgeGateway {
    client: Client,
    bus: String,
}

impl EventBridgeGateway {
    /// A gateway to one bus.
    pub fn new(client: Client, bus: impl Into<String>) -> Self {
        Self { client, bus: bus.into() }
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig, bus: impl Into<String>) -> Self {
        Self::new(Client::new(config), bus)
    }

    /// Puts one event on the bus. An answer that accepts the call and refuses the entry is an error.
    pub async fn put<E: Event>(&self, event: &E) -> Result<(), CallError> {
        const OPERATION: &str = "events:PutEvents";
        let detail = serde_json::to_string(event)
            .map_err(|error| CallError::unusable(OPERATION, Cause::CallFailed, error.to_string()))?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(E::DETAIL_TYPE)
            .detail(detail)
            .build();
        let answer =
            self.client.put_events().entries(entry).send().await.map_err(|error| CallError::of(OPERATION, error))?;
        match answer.entries().iter().find(|entry| entry.error_code().is_some()) {
            None => Ok(()),
            Some(refused) => {
                let code = refused.error_code().unwrap_or_default();
                let cause = Cause::of_service_error(code, None).unwrap_or(Cause::CallFailed);
                let detail = format!("{code}: {}", refused.error_message().unwrap_or("no message"));
                Err(CallError::unusable(OPERATION, cause, detail))
            }
        }
    }
}
