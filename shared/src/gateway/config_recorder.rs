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
        let failed = |status: Option<&DeliveryStatus>| status == Some(&DeliveryStatus::Failure);
        Ok(answer.delivery_channels_status().first().map(|channel| DeliveryState {
            stream_failed: failed(channel.config_stream_delivery_info().and_then(|info| info.last_status())),
            history_failed: failed(channel.config_history_delivery_info().and_then(|info| info.last_status())),
        }))
    }
}

fn recorder_state(status: &ConfigurationRecorderStatus) -> RecorderState {
    let last = match status.last_status() {
        Some(RecorderStatus::Pending) => LastRecording::Pending,
        Some(RecorderStatus::Failure) => LastRecording::Failed,
        _ => LastRecording::Succeeded,
    };
    RecorderState { is_recording: status.recording(), last }
}
