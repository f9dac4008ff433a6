//! AWS Config in one region of an account: whether it records, and delivers what it has recorded.

use aws_config::SdkConfig;
use aws_sdk_config::{
    Client,
    types::{ConfigurationRecorderStatus, DeliveryStatus, RecorderStatus, RecordingGroup},
};

use super::CallError;

/// The recorder that the account itself has made. Those that services of AWS make for their own use are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecorderState {
    /// Whether it has been started and not stopped.
    pub is_recording: bool,
    /// What has come of what it recorded last.
    pub last: LastRecording,
}

/// What has come of what a recorder recorded last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastRecording {
    /// It went well, or there was nothing to record yet.
    Succeeded,
    /// It is being started.
    Pending,
    /// It failed.
    Failed,
}

/// What a delivery channel has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryState {
    /// Whether the last changes did not reach their topic.
    pub stream_failed: bool,
    /// Whether the last files did not reach their bucket.
    pub history_failed: bool,
}

/// The door to AWS Config.
#[derive(Clone, Debug)]
pub struct ConfigRecorderGateway(Client);

impl ConfigRecorderGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// The state of the account's own recorder; None when there is none. An account has one in each region.
    pub async fn find_recorder_state(&self) -> Result<Option<RecorderState>, CallError> {
        let answer = self.0.describe_configuration_recorder_status().send().await;
        let answer = answer.map_err(|error| CallError::of("config:DescribeConfigurationRecorderStatus", error))?;
        let own = answer.configuration_recorders_status().iter().find(|one| one.service_principal().is_none());
        Ok(own.map(recorder_state))
    }

    /// Whether the account's own recorder records every type of resource that AWS Config supports; None when there is no
    /// such recorder.
    pub async fn records_everything(&self) -> Result<Option<bool>, CallError> {
        let answer = self.0.describe_configuration_recorders().send().await;
        let answer = answer.map_err(|error| CallError::of("config:DescribeConfigurationRecorders", error))?;
        let own = answer.configuration_recorders().iter().find(|one| one.service_principal().is_none());
        Ok(own.map(|recorder| recorder.recording_group().is_some_and(RecordingGroup::all_supported)))
    }

    /// The state of the delivery channel; None when there is none. An account has one in each region.
    pub async fn find_delivery_state(&self) -> Result<Option<DeliveryState>, CallError> {
        let answer = self.0.describe_delivery_channel_status().send().await;
        let answer = answer.map_err(|error| CallError::of("config:DescribeDeliveryChannelStatus", error))?;
        let failed = |status: Option<&DeliveryStatus>| is(status.map(DeliveryStatus::as_str), "Failure");
        Ok(answer.delivery_channels_status().first().map(|channel| DeliveryState {
            stream_failed: failed(channel.config_stream_delivery_info().and_then(|info| info.last_status())),
            history_failed: failed(channel.config_history_delivery_info().and_then(|info| info.last_status())),
        }))
    }
}

fn recorder_state(status: &ConfigurationRecorderStatus) -> RecorderState {
    let said = status.last_status().map(RecorderStatus::as_str);
    let last = if is(said, "Pending") {
        LastRecording::Pending
    } else if is(said, "Failure") {
        LastRecording::Failed
    } else {
        LastRecording::Succeeded
    };
    RecorderState { is_recording: status.recording(), last }
}

/// Whether AWS says this word. Its model writes `Failure`, and its answers `FAILURE` (AWS CLI reference,
/// `describe-configuration-recorder-status`), which the SDK takes for a word that it does not know.
fn is(said: Option<&str>, word: &str) -> bool {
    said.is_some_and(|said| said.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use aws_smithy_http_client::test_util::infallible_client_fn;

    use super::*;
    use crate::gateway::testing::unreachable_config;

    /// A gateway to which AWS answers this.
    fn told(answer: &'static str) -> ConfigRecorderGateway {
        let aws = infallible_client_fn(move |_| {
            let response = http::Response::builder().header("content-type", "application/x-amz-json-1.1");
            response.body(answer).expect("a response")
        });
        ConfigRecorderGateway::of(&unreachable_config().to_builder().http_client(aws).build())
    }

    #[tokio::test]
    async fn what_failed_has_failed_in_small_letters_and_in_capitals() {
        for (answer, last) in [
            (
                r#"{"ConfigurationRecordersStatus": [{"recording": true, "lastStatus": "SUCCESS"}]}"#,
                LastRecording::Succeeded,
            ),
            (
                r#"{"ConfigurationRecordersStatus": [{"recording": true, "lastStatus": "PENDING"}]}"#,
                LastRecording::Pending,
            ),
            (
                r#"{"ConfigurationRecordersStatus": [{"recording": true, "lastStatus": "FAILURE"}]}"#,
                LastRecording::Failed,
            ),
            (
                r#"{"ConfigurationRecordersStatus": [{"recording": true, "lastStatus": "Failure"}]}"#,
                LastRecording::Failed,
            ),
            (r#"{"ConfigurationRecordersStatus": [{"recording": true}]}"#, LastRecording::Succeeded),
        ] {
            let state = told(answer).find_recorder_state().await.unwrap();
            assert_eq!(state, Some(RecorderState { is_recording: true, last }), "{answer}");
        }
    }

    #[tokio::test]
    async fn what_did_not_arrive_has_failed_in_capitals_too() {
        let answer = r#"{"DeliveryChannelsStatus": [{"configHistoryDeliveryInfo": {"lastStatus": "FAILURE"},
            "configStreamDeliveryInfo": {"lastStatus": "SUCCESS"}}]}"#;
        let state = told(answer).find_delivery_state().await.unwrap();
        assert_eq!(state, Some(DeliveryState { stream_failed: false, history_failed: true }));
    }
}
