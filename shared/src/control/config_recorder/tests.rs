use aws_sdk_config::{
    Client,
    operation::{
        describe_configuration_recorder_status::{
            DescribeConfigurationRecorderStatusError, DescribeConfigurationRecorderStatusOutput,
        },
        describe_configuration_recorders::DescribeConfigurationRecordersOutput,
        describe_delivery_channel_status::DescribeDeliveryChannelStatusOutput,
    },
    types::{
        ConfigExportDeliveryInfo, ConfigStreamDeliveryInfo, ConfigurationRecorder, ConfigurationRecorderStatus,
        DeliveryChannelStatus, DeliveryStatus, RecorderStatus, RecordingGroup,
    },
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    gateway::testing::denied,
};

fn section() -> ConfigRecorder {
    serde_json::from_str(r#"{"regions": ["eu-central-1"]}"#).unwrap()
}

fn healthy() -> Recording {
    Recording {
        region: "eu-central-1".parse().unwrap(),
        recorder: Some(RecorderState { is_recording: true, last: LastRecording::Succeeded }),
        every_type: Some(true),
        delivery: Some(DeliveryState { stream_failed: false, history_failed: false }),
    }
}

#[test]
fn each_thing_that_keeps_a_region_from_being_recorded_is_named_with_the_remedy() {
    assert_eq!(healthy().difference(), None);
    let recorder = |is_recording, last| Some(RecorderState { is_recording, last });
    let delivery = |stream_failed, history_failed| Some(DeliveryState { stream_failed, history_failed });
    for (recording, words) in [
        (Recording { recorder: None, every_type: None, ..healthy() }, "there is no recorder"),
        (Recording { recorder: recorder(false, LastRecording::Succeeded), ..healthy() }, "the recorder is off"),
        (Recording { recorder: recorder(true, LastRecording::Failed), ..healthy() }, "its last recording failed"),
        (Recording { every_type: Some(false), ..healthy() }, "it leaves out types of resources"),
        (Recording { delivery: None, ..healthy() }, "there is no delivery channel"),
        (
            Recording { delivery: delivery(true, true), ..healthy() },
            "its last changes did not reach their topic, its last files did not reach their bucket",
        ),
    ] {
        let difference = recording.difference().unwrap();
        assert!(difference.starts_with(&format!("AWS Config in eu-central-1: {words}. ")), "{difference}");
        assert!(difference.contains("stacks/config-recorder.yaml"), "{difference}");
    }
}

/// The account's own recorder, beside one that a service of AWS has made.
fn statuses(recording: bool, last: RecorderStatus) -> Rule {
    mock!(Client::describe_configuration_recorder_status).then_output(move || {
        let linked = ConfigurationRecorderStatus::builder().recording(true).service_principal("x.amazonaws.com");
        let own = ConfigurationRecorderStatus::builder().recording(recording).last_status(last.clone());
        let builder = DescribeConfigurationRecorderStatusOutput::builder();
        builder.configuration_recorders_status(linked.build()).configuration_recorders_status(own.build()).build()
    })
}

fn recorders(all: bool) -> Rule {
    mock!(Client::describe_configuration_recorders).then_output(move || {
        let group = RecordingGroup::builder().all_supported(all).build();
        let own = ConfigurationRecorder::builder().recording_group(group).build();
        DescribeConfigurationRecordersOutput::builder().configuration_recorders(own).build()
    })
}

fn channels(stream: DeliveryStatus, history: DeliveryStatus) -> Rule {
    mock!(Client::describe_delivery_channel_status).then_output(move || {
        let stream = ConfigStreamDeliveryInfo::builder().last_status(stream.clone()).build();
        let history = ConfigExportDeliveryInfo::builder().last_status(history.clone()).build();
        let channel = DeliveryChannelStatus::builder().config_stream_delivery_info(stream);
        let channel = channel.config_history_delivery_info(history).build();
        DescribeDeliveryChannelStatusOutput::builder().delivery_channels_status(channel).build()
    })
}

#[tokio::test]
async fn a_compliant_account_costs_three_reads_in_each_region() {
    // Without a topic there is no stream, which is no failure.
    let rules = [
        statuses(true, RecorderStatus::Success),
        recorders(true),
        channels(DeliveryStatus::NotApplicable, DeliveryStatus::Success),
    ];
    let scope = Rules { config: &rules.each_ref(), ..Rules::default() }.member();
    assert_eq!(run(&ConfigRecorderControl, &scope, &section(), Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls().len(), 3);
}

#[tokio::test]
async fn where_any_types_will_do_nobody_asks_which_they_are() {
    let rules = [statuses(true, RecorderStatus::Success), channels(DeliveryStatus::Success, DeliveryStatus::Success)];
    let scope = Rules { config: &rules.each_ref(), ..Rules::default() }.member();
    let section = ConfigRecorder { every_type: false, ..section() };
    assert_eq!(run(&ConfigRecorderControl, &scope, &section, Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["DescribeConfigurationRecorderStatus", "DescribeDeliveryChannelStatus"]);
}

#[tokio::test]
async fn what_differs_is_left_to_people_in_every_mode() {
    let rules = [
        statuses(false, RecorderStatus::Success),
        recorders(false),
        channels(DeliveryStatus::Success, DeliveryStatus::Failure),
    ];
    let scope = Rules { config: &rules.each_ref(), ..Rules::default() }.member();
    let outcome = run(&ConfigRecorderControl, &scope, &section(), Mode::Plan).await;
    assert!(outcome.is_left_to_people(), "{outcome:?}");
    assert!(matches!(outcome, Outcome::Drifted { ref planned } if planned.len() == 1), "{outcome:?}");
    let outcome = run(&ConfigRecorderControl, &scope, &section(), Mode::Apply).await;
    assert!(matches!(outcome, Outcome::NotConverged { ref applied, .. } if applied.is_empty()), "{outcome:?}");
}

#[tokio::test]
async fn a_recorder_that_is_being_started_is_waited_for() {
    let rules = [
        statuses(true, RecorderStatus::Pending),
        recorders(true),
        channels(DeliveryStatus::NotApplicable, DeliveryStatus::NotApplicable),
    ];
    let scope = Rules { config: &rules.each_ref(), ..Rules::default() }.member();
    let outcome = run(&ConfigRecorderControl, &scope, &section(), Mode::Plan).await;
    assert!(outcome.is_worth_another_look(), "{outcome:?}");
    assert_eq!(stopped(outcome), (Cause::StillUnderWay, vec![]));
}

#[tokio::test]
async fn a_denied_read_is_unknown() {
    let no = mock!(Client::describe_configuration_recorder_status)
        .then_error(|| DescribeConfigurationRecorderStatusError::generic(denied()));
    let rules = [no, recorders(true), channels(DeliveryStatus::Success, DeliveryStatus::Success)];
    let scope = Rules { config: &rules.each_ref(), ..Rules::default() }.member();
    let outcome = run(&ConfigRecorderControl, &scope, &section(), Mode::Plan).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));
}
