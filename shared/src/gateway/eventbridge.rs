//! Amazon EventBridge: what Steward tells the world.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};

use super::CallError;
use crate::{
    closed_set::ClosedSet,
    error::Cause,
    gateway::{Event, SOURCE},
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
            .detail_type(E::TYPE.name())
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

#[cfg(test)]
mod tests {
    use aws_sdk_eventbridge::{operation::put_events::PutEventsOutput, types::PutEventsResultEntry};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use schemars::JsonSchema;
    use serde::Serialize;

    use super::*;
    use crate::gateway::EventType;

    #[derive(Serialize, JsonSchema)]
    struct Happened {
        account_id: &'static str,
    }

    impl Event for Happened {
        const TYPE: EventType = EventType::AccountCreated;
    }

    async fn put(entry: PutEventsResultEntry) -> Result<(), CallError> {
        let rule = mock!(Client::put_events)
            .match_requests(|request| {
                let entry = &request.entries()[0];
                entry.event_bus_name() == Some("bus")
                    && entry.source() == Some("steward")
                    && entry.detail_type() == Some("AccountCreated")
                    && entry.detail() == Some(r#"{"account_id":"123456789012"}"#)
            })
            .then_output(move || PutEventsOutput::builder().entries(entry.clone()).build());
        let client = mock_client!(aws_sdk_eventbridge, RuleMode::Sequential, &[&rule], |c| c);
        EventBridgeGateway::new(client, "bus").put(&Happened { account_id: "123456789012" }).await
    }

    #[tokio::test]
    async fn an_event_carries_its_detail_as_json() {
        put(PutEventsResultEntry::builder().event_id("1").build()).await.unwrap();
    }

    #[tokio::test]
    async fn an_accepted_call_with_a_refused_entry_is_an_error() {
        let refused = PutEventsResultEntry::builder().error_code("InternalFailure").error_message("later").build();
        assert_eq!(put(refused).await.unwrap_err().cause, Cause::ServiceFault);
    }
}
