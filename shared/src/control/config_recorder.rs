//! # config-recorder
//!
//! **What it does.** Checks whether AWS Config records what there is in the account, and delivers it.
//!
//! **Why.** What nobody recorded cannot be asked about afterwards, and the rules of AWS Config, AWS Security Hub and
//! conformance packs see an account by its recorder alone.
//!
//! **Desired state.** `regions`: in each of them the account's own recorder is on, records every type of resource that AWS
//! Config supports, and its last records and files reached topic and bucket. With `every_type: false` it may record
//! the types that somebody chose. Recorders that services of AWS make for their own use count for nothing.
//!
//! Nothing is remediated: a recorder costs money for whatever changes in the account, and what Steward would write, a stack
//! set would not know of. Every difference is left to people: [stacks/config-recorder.yaml](../stacks/config-recorder.yaml) is
//! a stack set's template that makes recorder and channel.
//!
//! **Limits.** Which types a recorder with types of its own leaves out is not compared, nor is the bucket that it delivers
//! to. A recorder that is being started makes the control wait. In a region that the account has not enabled the control is
//! unknown.
//!
//! **Calls.** A compliant account costs three in each region: `DescribeConfigurationRecorderStatus`,
//! `DescribeConfigurationRecorders` and `DescribeDeliveryChannelStatus`. With `every_type: false`, two.
//!
//! **Source.** AWS Config API reference: where no name is given, `DescribeConfigurationRecorderStatus` shows the
//! customer-managed recorder, of which an account has one in each region. AWS Config developer guide, "Working with the
//! configuration recorder" and "Working with the delivery channel".

use std::convert::Infallible;

use futures_util::future::{join3, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, MemberScope};
use crate::{
    baseline::{Baseline, Findings, Validate},
    error::{Cause, Failure},
    gateway::{CallError, DeliveryState, LastRecording, RecorderState},
    ids::Region,
    input::Problem,
};

/// The `config-recorder` section of the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigRecorder {
    /// Where AWS Config must record: at least one region.
    #[schemars(length(min = 1))]
    pub regions: Vec<Region>,
    /// Whether every type of resource must be recorded.
    #[serde(default = "yes")]
    pub every_type: bool,
}

impl Validate for ConfigRecorder {
    fn problems(&self, path: &str) -> Vec<Problem> {
        let mut findings = Findings::at(path);
        findings.expect("regions", !self.regions.is_empty(), "must be at least one region");
        findings.distinct("regions", &self.regions);
        findings.into_problems()
    }
}

fn yes() -> bool {
    true
}

/// What is there in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    region: Region,
    /// None when the account has no recorder there.
    recorder: Option<RecorderState>,
    /// Whether it records every type; None where nobody asked, or there is none.
    every_type: Option<bool>,
    /// None when there is no delivery channel.
    delivery: Option<DeliveryState>,
}

/// The control `config-recorder`.
#[derive(Clone, Copy, Debug)]
pub struct ConfigRecorderControl;

impl Control for ConfigRecorderControl {
    const ID: &'static str = "config-recorder";
    const READS: &'static [&'static str] = &[
        "config:DescribeConfigurationRecorderStatus",
        "config:DescribeConfigurationRecorders",
        "config:DescribeDeliveryChannelStatus",
    ];
    const WRITES: &'static [&'static str] = &[];
    type Scope = MemberScope;
    type Desired = ConfigRecorder;
    type Actual = Vec<Recording>;
    type Change = Infallible;

    fn desired(baseline: &Baseline) -> Option<&ConfigRecorder> {
        baseline.config_recorder.as_ref()
    }

    async fn inspect(&self, scope: &MemberScope, desired: &ConfigRecorder) -> Result<Vec<Recording>, CallError> {
        let regions = desired.regions.iter().map(async |region| {
            let config = scope.config_recorders.of(region);
            let every_type = async { if desired.every_type { config.records_everything().await } else { Ok(None) } };
            let (recorder, every_type, delivery) =
                join3(config.find_recorder_state(), every_type, config.find_delivery_state()).await;
            Ok(Recording { region: region.clone(), recorder: recorder?, every_type: every_type?, delivery: delivery? })
        });
        try_join_all(regions).await
    }

    fn plan(&self, _scope: &MemberScope, _desired: &ConfigRecorder, _actual: &Vec<Recording>) -> Vec<Infallible> {
        Vec::new()
    }

    async fn apply(&self, _scope: &MemberScope, change: &Infallible) -> Result<(), CallError> {
        match *change {}
    }

    fn by_hand(&self, _desired: &ConfigRecorder, actual: &Vec<Recording>) -> Vec<String> {
        actual.iter().filter_map(Recording::difference).collect()
    }

    fn pending(&self, _desired: &ConfigRecorder, actual: &Vec<Recording>) -> Option<Failure> {
        let starting = actual.iter().find(|recording| recording.is_starting())?;
        let detail = format_args!("The recorder of AWS Config in {} is being started.", starting.region);
        Some(Failure::with_detail(Cause::StillUnderWay, detail))
    }
}

impl Recording {
    fn is_starting(&self) -> bool {
        self.recorder.as_ref().is_some_and(|one| one.is_recording && one.last == LastRecording::Pending)
    }

    /// What keeps the region from being recorded, in words; None when it is.
    fn difference(&self) -> Option<String> {
        let mut flaws = Vec::new();
        match &self.recorder {
            None => flaws.push("there is no recorder"),
            Some(RecorderState { is_recording: false, .. }) => flaws.push("the recorder is off"),
            Some(RecorderState { last: LastRecording::Failed, .. }) => flaws.push("its last recording failed"),
            Some(_) => {}
        }
        if self.every_type == Some(false) {
            flaws.push("it leaves out types of resources");
        }
        match &self.delivery {
            None => flaws.push("there is no delivery channel"),
            Some(delivery) => {
                if delivery.stream_failed {
                    flaws.push("its last changes did not reach their topic");
                }
                if delivery.history_failed {
                    flaws.push("its last files did not reach their bucket");
                }
            }
        }
        (!flaws.is_empty()).then(|| {
            let (region, flaws) = (&self.region, flaws.join(", "));
            format!(
                "AWS Config in {region}: {flaws}. Deploy the stack set of stacks/config-recorder.yaml there, or correct what \
                 the account has: DescribeConfigurationRecorderStatus and DescribeDeliveryChannelStatus show AWS's reason."
            )
        })
    }
}

#[cfg(test)]
mod tests;
